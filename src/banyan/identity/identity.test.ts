// What a token proves, and every way in which it must not.
import { createHmac } from 'node:crypto';
import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, type JWK, SignJWT } from 'jose';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { libraryProblem, Problem } from '../contract/problem.ts';
import { audienceOf, bearerOf, createInternalTokens } from './internal-token.ts';
import { generateSigningKey, keyId, keySet, publicHalf } from './keys.ts';
import { keyOf, servicesOf, tokensOf } from './known-hosts.fixture.ts';
import { createAdminCheck } from './operator-token.ts';
import { createSessionSigner, createSessionVerifier } from './session-token.ts';
import { TokenCache } from './token-cache.ts';

async function refused(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    expect(error).toBeInstanceOf(Problem);
    expect((error as Problem).status).toBe(401);
    return (error as Problem).message;
  }
  throw new Error('was accepted');
}

describe('a session token', () => {
  const anna = { id: '0199b2c4-0000-7000-8000-000000000001', role: 'customer', epoch: 3 } as const;
  let key: JWK;
  let keys: JWK[];
  let revoked: Record<string, number>;
  let ended: Record<string, 1>;
  const verifier = (capacity?: number) =>
    createSessionVerifier({ keys: () => keys, revoked: () => revoked, ended: () => ended, capacity });

  beforeAll(() => {
    key = generateSigningKey();
  });
  const fresh = async () => {
    keys = [publicHalf(key)];
    revoked = {};
    ended = {};
    return verifier();
  };

  it('names its user, and says when it ends', async () => {
    const sessions = await fresh();
    const { session, token, expiresAt } = await createSessionSigner(key).sign(anna);
    expect(await sessions.verify(token)).toEqual({ kind: 'user', ...anna, session });
    expect(new Date(expiresAt).getTime()).toBeGreaterThan(Date.now() + 3_600_000);
  });

  it('is answered at once when it was verified before', async () => {
    const sessions = await fresh();
    const { token } = await createSessionSigner(key).sign(anna);
    const first = await sessions.verify(token);
    expect(sessions.verify(token)).toBe(first);
  });

  it('is revoked from one call to the next by a higher epoch', async () => {
    const sessions = await fresh();
    const { token } = await createSessionSigner(key).sign(anna);
    await sessions.verify(token);
    revoked = { [anna.id]: 3 };
    await sessions.verify(token);
    revoked = { [anna.id]: 4 };
    expect(await refused(() => sessions.verify(token))).toMatch(/revoked/);
    expect(await refused(() => verifier().verify(token))).toMatch(/revoked/);
  });

  it('is ended alone, by its name', async () => {
    const sessions = await fresh();
    const [one, other] = await Promise.all([anna, anna].map(createSessionSigner(key).sign));
    await Promise.all([one, other].map((each) => sessions.verify(each!.token)));
    ended = { [one!.session]: 1 };
    expect(await refused(() => sessions.verify(one!.token))).toMatch(/ended/);
    expect(await sessions.verify(other!.token)).toMatchObject({ session: other!.session });
  });

  it('has a name, too, when it was made before sessions had names', async () => {
    const sessions = await fresh();
    const { id, role, epoch } = anna;
    const unnamed = await new SignJWT({ role, epoch })
      .setProtectedHeader({ alg: 'EdDSA', kid: keyId(key) })
      .setSubject(id)
      .setIssuer('banyan')
      .setAudience('banyan:sessions')
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(await importJWK(key, 'EdDSA'));
    const { session } = await sessions.verify(unnamed);
    expect(session).toMatch(/^[\w-]{16}$/);
    ended = { [session]: 1 };
    expect(await refused(() => sessions.verify(unnamed))).toMatch(/ended/);
  });

  it('ends', async () => {
    const sessions = await fresh();
    const { token } = await createSessionSigner(key, -1).sign(anna);
    expect(await refused(() => sessions.verify(token))).toMatch(/expired/);
  });

  it('is dropped with the key that signed it', async () => {
    const sessions = await fresh();
    const { token } = await createSessionSigner(key).sign(anna);
    const first = await sessions.verify(token);
    keys = structuredClone(keys);
    expect(sessions.verify(token)).toBe(first);
    keys = [publicHalf(generateSigningKey())];
    expect(await refused(() => sessions.verify(token))).toMatch(/forged/);
  });

  it('of a key that is not known yet is known after one look, and no forger makes anybody look more often', async () => {
    const newer = generateSigningKey();
    keys = [publicHalf(key)];
    revoked = {};
    let looks = 0;
    const refresh = async () => {
      looks += 1;
      keys = [publicHalf(newer), publicHalf(key)];
    };
    const sessions = createSessionVerifier({ keys: () => keys, revoked: () => revoked, refresh });
    const { token } = await createSessionSigner(newer).sign(anna);
    expect(await sessions.verify(token)).toMatchObject({ kind: 'user', ...anna });
    const forged = await createSessionSigner(generateSigningKey()).sign(anna);
    for (let n = 0; n < 5; n += 1) await refused(() => sessions.verify(forged.token));
    expect(looks).toBe(1);
  });

  it('is refused when anything of it was made up', async () => {
    const sessions = await fresh();
    const other = generateSigningKey();
    const [head, body, signature] = (await createSessionSigner(key).sign(anna)).token.split('.') as [
      string,
      string,
      string,
    ];
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
    const hmacWithPublicKey = `${encode({ alg: 'HS256', kid: keys[0]!.kid })}.${body}`;
    const signed = async (payload: Record<string, unknown>, issuer: string, audience: string) =>
      new SignJWT(payload)
        .setProtectedHeader({ alg: 'EdDSA', kid: keys[0]!.kid })
        .setSubject(anna.id)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(await importJWK(key, 'EdDSA'));
    const forgeries = [
      '',
      'x',
      'a.b.c',
      (await createSessionSigner({ ...other, kid: key.kid }).sign(anna)).token,
      (await createSessionSigner(other).sign(anna)).token,
      `${head}.${encode({ ...claims, role: 'admin' })}.${signature}`,
      `${encode({ alg: 'none' })}.${body}.`,
      `${head}.${body}.`,
      `${hmacWithPublicKey}.${createHmac('sha256', keys[0]!.x!).update(hmacWithPublicKey).digest('base64url')}`,
      await signed({ role: 'admin', epoch: 0 }, 'somebody', 'banyan:sessions'),
      await signed({ role: 'admin', epoch: 0 }, 'banyan', 'another'),
      await signed({ role: 7, epoch: 0 }, 'banyan', 'banyan:sessions'),
      await signed({ role: 'admin' }, 'banyan', 'banyan:sessions'),
    ];
    for (const forgery of forgeries) await refused(() => sessions.verify(forgery));
  });

  it('is named by the thumbprint of its key (RFC 7638), as jose has it', async () => {
    const { kid, ...anonymous } = generateSigningKey();
    expect(keyId(anonymous)).toBe(await calculateJwkThumbprint(anonymous));
    expect(kid).toBe(keyId(anonymous));
  });

  it('shows nothing private in the key set', () => {
    const { keys: shown } = keySet([key]);
    expect(shown).toHaveLength(1);
    expect(Object.keys(shown[0]!).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  });
});

describe('the cache of verified tokens', () => {
  it('is bounded and forgets what has expired', () => {
    const cache = new TokenCache<number>(2);
    cache.set('a', 1, Date.now() + 60_000);
    cache.set('b', 2, Date.now() - 1);
    expect(cache.get('b')).toBeUndefined();
    cache.set('c', 3, Date.now() + 60_000);
    cache.get('a');
    cache.set('d', 4, Date.now() + 60_000);
    expect([cache.get('a'), cache.get('c'), cache.get('d'), cache.size]).toEqual([1, undefined, 4, 2]);
  });
});

describe('an internal token', () => {
  afterEach(() => {
    vi.useRealTimers();
  });
  const SHARED = 'what the hosts of these tests share';
  const monolith = tokensOf(SHARED, 'monolith');
  const orders = tokensOf(SHARED, 'orders');
  const kidOf = (name: string) => keyOf(SHARED, name).kid!;

  it('says who asks, to the one it is for', async () => {
    const token = await monolith.mint('orders');
    const who = { caller: 'monolith', kid: kidOf('monolith') };
    expect(await orders.verify(token, 'orders')).toEqual(who);
    expect(orders.verify(token, 'orders')).toEqual(who);
    expect(monolith.mint('orders')).toBe(token);
  });

  it('opens nothing else, also after it was verified where it belongs', async () => {
    const token = await monolith.mint('orders');
    await orders.verify(token, 'orders');
    expect(await refused(() => orders.verify(token, 'control'))).toMatch(/another service/);
  });

  it('is refused when it is missing, forged, of an unknown key or a session token', async () => {
    expect(await refused(() => orders.verify(undefined, 'orders'))).toMatch(/required/);
    expect(await refused(() => orders.verify('', 'orders'))).toMatch(/required/);
    const unknown = await tokensOf('another text', 'monolith').mint('orders');
    expect(await refused(() => orders.verify(unknown, 'orders'))).toMatch(/key that is not known/);
    expect(await refused(() => orders.verify('x.y.z', 'orders'))).toMatch(/forged/);
    const session = await createSessionSigner(generateSigningKey()).sign({
      id: 'u',
      role: 'admin',
      epoch: 0,
    });
    expect(await refused(() => orders.verify(session.token, 'orders'))).toMatch(/not known/);
  });

  it('is of whom its key belongs to, whatever it claims, and in one form alone', async () => {
    const signed = async (
      claims: Record<string, unknown>,
      head: { alg?: string; kid?: string } = {},
      by = keyOf(SHARED, 'media'),
    ) =>
      new SignJWT({ iss: 'banyan:internal', aud: 'orders', sub: 'media', ...claims })
        .setProtectedHeader({ alg: 'EdDSA', kid: kidOf('media'), ...head })
        .sign(await importJWK(by, 'EdDSA'));
    const now = Math.floor(Date.now() / 1000);
    const times = { iat: now, exp: now + 300 };
    expect(await orders.verify(await signed(times), 'orders')).toMatchObject({ caller: 'media' });
    const forged = [
      await signed({ ...times, sub: 'monolith' }),
      await signed({ ...times, sub: undefined }),
      await signed({ ...times, iss: 'banyan' }),
      await signed(times, { kid: kidOf('monolith') }),
      await signed(times, {}, keyOf(SHARED, 'monolith')),
      await signed({ iat: now }),
      await signed({ exp: now + 300 }),
      await signed({ iat: now, exp: now + 86_400 }),
    ];
    for (const one of forged) expect(await refused(() => orders.verify(one, 'orders'))).toMatch(/forged/);
    for (const aud of ['media', undefined, ['orders', 'payments']])
      expect(await refused(async () => orders.verify(await signed({ ...times, aud }), 'orders'))).toMatch(
        /another service|forged/,
      );
    const hmac = new SignJWT({ caller: 'monolith', ...times, iss: 'banyan:internal', aud: 'orders' })
      .setProtectedHeader({ alg: 'HS256', kid: kidOf('monolith') })
      .sign(Buffer.from(keyOf(SHARED, 'monolith').x!, 'base64url'));
    expect(await refused(async () => orders.verify(await hmac, 'orders'))).toMatch(/INTERNAL_KEY_LEGACY=1/);
  });

  it('ends with its key, and a new key is found by one look for all that ask', async () => {
    let services = servicesOf(SHARED, { media: { keys: [], modules: ['media'], uses: [] } });
    let looks = 0;
    const here = createInternalTokens({
      self: 'orders',
      key: () => keyOf(SHARED, 'orders'),
      services: () => services,
      refresh: async () => {
        looks += 1;
        services = servicesOf(SHARED);
      },
    });
    const token = await tokensOf(SHARED, 'media').mint('orders');
    const all = await Promise.all(Array.from({ length: 50 }, async () => here.verify(token, 'orders')));
    expect(all.every(({ caller }) => caller === 'media')).toBe(true);
    expect(looks).toBe(1);
    expect(here.verify(token, 'orders')).toBe(here.verify(token, 'orders'));
    services = servicesOf(SHARED, { media: { keys: [], modules: ['media'], uses: [] } });
    expect(here.isKnown(all[0]!)).toBe(false);
    const gone = here.verify(token, 'orders');
    expect(gone).toBeInstanceOf(Promise);
    await gone;
  });

  it('of keys that nobody has costs a look now and then, however many there are', async () => {
    const services = servicesOf(SHARED);
    let looks = 0;
    const refresh = async () => {
      looks += 1;
    };
    const key = () => keyOf(SHARED, 'orders');
    const here = createInternalTokens({ self: 'orders', key, services: () => services, refresh });
    const forged = await Promise.all(
      Array.from({ length: 40 }, (_, n) => tokensOf(`made up ${n}`, 'media').mint('orders')),
    );
    const begun = performance.now();
    await Promise.all(forged.map((token) => refused(() => here.verify(token, 'orders'))));
    await Promise.all(forged.map((token) => refused(() => here.verify(token, 'orders'))));
    expect(looks).toBeLessThanOrEqual(1 + Math.ceil((performance.now() - begun) / 500));
  });

  it('of INTERNAL_KEY is taken and made under the overlap alone', async () => {
    const legacyKey = 'an internal key of some length';
    const services = servicesOf(SHARED);
    const host = (self: string, own: { legacyKey?: string } = {}) =>
      createInternalTokens({
        ...{ self, key: () => keyOf(SHARED, self), services: () => services, refresh: async () => {} },
        ...own,
      });
    const [here, there] = [host('monolith', { legacyKey }), host('orders', { legacyKey })];
    const old = await here.mint('orders', true);
    expect(await there.verify(old, 'orders')).toEqual({ caller: 'monolith', kid: undefined });
    expect(await there.verify(await here.mint('orders'), 'orders')).toMatchObject({ kid: kidOf('monolith') });
    expect(await refused(() => host('orders').verify(old, 'orders'))).toMatch(/INTERNAL_KEY_LEGACY=1/);
    const { alg } = decodeProtectedHeader(await host('monolith').mint('orders', true));
    expect(alg).toBe('EdDSA');
  });

  it('by a key that is not known is not refused where nobody can look whose it is', async () => {
    const refresh = async () => {
      throw libraryProblem('unavailable');
    };
    const here = createInternalTokens({
      self: 'orders',
      key: () => keyOf(SHARED, 'orders'),
      services: () => ({}),
      refresh,
    });
    const token = await monolith.mint('orders');
    await expect(Promise.resolve(here.verify(token, 'orders'))).rejects.toMatchObject({ status: 503 });
  });

  it('ends, also where it was verified before', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const token = await monolith.mint('payments');
    await orders.verify(token, 'payments');
    vi.setSystemTime(Date.now() + 6 * 60_000);
    expect(await refused(() => orders.verify(token, 'payments'))).toMatch(/expired/);
    expect(await monolith.mint('payments')).not.toBe(token);
  });

  it.each([
    [80_000, undefined],
    [600_000, 'early'],
    [-80_000, undefined],
    [-600_000, 'expired'],
  ])('of a clock that is %d ms ahead is told so, and lets small differences pass', async (ahead, reason) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const now = Date.now();
    vi.setSystemTime(now + ahead);
    const token = await tokensOf(SHARED, 'monolith').mint('media');
    vi.setSystemTime(now);
    const verdict = await Promise.resolve()
      .then(() => orders.verify(token, 'media'))
      .catch((error: Problem) => error);
    if (reason === undefined) expect(verdict).toMatchObject({ caller: 'monolith' });
    else expect(verdict).toMatchObject({ reason, body: { status: 401, code: 'unauthenticated' } });
  });

  it('is made anew after the clock was set back', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const now = Date.now();
    vi.setSystemTime(now + 3_600_000);
    const early = await monolith.mint('catalog');
    vi.setSystemTime(now);
    const token = await monolith.mint('catalog');
    expect(token).not.toBe(early);
    expect(await orders.verify(token, 'catalog')).toMatchObject({ caller: 'monolith' });
  });

  it('takes its audience from the instance, and its text from the header', () => {
    expect([audienceOf('orders-12'), audienceOf('monolith'), audienceOf('gift-cards-1')]).toEqual([
      'orders',
      'monolith',
      'gift-cards',
    ]);
    expect([bearerOf('Bearer x'), bearerOf('bearer x'), bearerOf('Basic x'), bearerOf(undefined)]).toEqual([
      'x',
      'x',
      undefined,
      undefined,
    ]);
  });
});

describe('the admin token', () => {
  it('is itself and nothing like it', () => {
    const check = createAdminCheck('0123456789abcdef');
    expect(['0123456789abcdef', '0123456789abcdeF', '0123456789abcde', '', undefined].map(check)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
