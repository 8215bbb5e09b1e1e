// Keys as operators and customers see them, on two monoliths of one database: sessions outlive a rotation, nobody is
// refused while one happens, a service has no key that is not its own, and another root key changes nothing.
import { readFileSync } from 'node:fs';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch } from '../stage/launch.ts';
import { type Replica, startReplica } from './replicas-second.ts';
import { type Customer, type Shop, unique, withShop } from './shop.ts';

const kidOf = (token: string) => decodeProtectedHeader(token).kid;

withShop((shop) => {
  let replica: Replica;
  const both = () => [shop(), replica.shop];
  beforeAll(async () => {
    replica = await startReplica(shop());
  });
  afterAll(() => replica?.stop());

  const admin = (one: Shop, method: string, path: string) =>
    one.call(method, path, { token: one.adminToken, ...(method === 'POST' && { body: {} }) });

  const signIn = async (one: Shop, { email, password }: Customer): Promise<string> => {
    const { status, body } = await one.call('POST', '/api/users/sessions', { body: { email, password } });
    expect(status, JSON.stringify(body)).toBe(201);
    return body.token;
  };
  const isLetIn = async (one: Shop, token: string) => {
    const { status, body } = await one.call('GET', '/api/users/me', { token });
    expect(status, JSON.stringify(body)).toBe(200);
  };

  /** Sessions from before are used all the time, and new ones at once and at both; answers those that were begun. */
  async function meanwhile(work: () => Promise<void>): Promise<string[]> {
    const customer = await shop().customer();
    const begun: string[] = [];
    let over = false;
    const until = async (once: () => Promise<void>) => {
      while (!over) await once();
    };
    const load = Promise.all([
      ...both().map((one) => until(() => isLetIn(one, customer.token))),
      ...both().map((one) =>
        until(async () => {
          const token = await signIn(one, customer);
          begun.push(token);
          for (const each of both()) await isLetIn(each, token);
        }),
      ),
    ]);
    // What fails under load ends the test at once.
    await Promise.race([load, work().finally(() => (over = true))]);
    await load;
    return [customer.token, ...begun];
  }

  const published = async (one: Shop): Promise<string[]> => {
    const { body } = await one.call('GET', '/.well-known/jwks.json');
    return body.keys.map(({ kid }: { kid: string }) => kid);
  };

  describe.each(['in-process', 'service'] as const)('sessions that are signed %s', (placement) => {
    test('go on while their key is replaced, again and again', async () => {
      if (placement === 'service') await shop().started.extract('users');
      const before = await published(shop());
      const begun = await meanwhile(async () => {
        for (let n = 0; n < 3; n += 1) {
          const { status, body } = await admin(both()[n % 2]!, 'POST', '/admin/keys/session/rotate');
          expect(status, JSON.stringify(body)).toBe(200);
          expect(body).toMatchObject({ rotated: true });
          expect(body.lagging).toBeUndefined();
        }
      });
      for (const one of both()) {
        const now = await published(one);
        expect(now).toHaveLength(before.length + 3);
        // What signs now was not there before, and what was is still known.
        expect(before).not.toContain(now[0]);
        for (const kid of before) expect(now).toContain(kid);
        for (const token of begun) await isLetIn(one, token);
        const token = await signIn(one, await shop().customer());
        expect(kidOf(token)).toBe(now[0]);
      }
      expect(new Set(begun.map(kidOf)).size).toBeGreaterThan(1);
      if (placement === 'service') await shop().started.restore('users');
    });
  });

  test('what is shown of keys is never private, and only to an operator', async () => {
    const { token } = await shop().customer();
    for (const [method, path] of [
      ['GET', '/admin/keys'],
      ['POST', '/admin/keys/session/rotate'],
    ] as const) {
      expect((await shop().call(method, path)).status).toBe(401);
      expect((await shop().call(method, path, { token })).status).toBe(403);
    }
    const { status, body } = await admin(shop(), 'GET', '/admin/keys');
    expect(status).toBe(200);
    expect(new Set(body.items.map(({ purpose }: { purpose: string }) => purpose))).toEqual(
      new Set(['session', 'internal', 'seal']),
    );
    expect(Object.keys(body.items[0]).sort()).toEqual(
      ['issued', 'kid', 'madeAt', 'modules', 'name', 'purpose', 'retiredAt', 'signsFrom'].sort(),
    );
    const rotated = await admin(replica.shop, 'POST', '/admin/keys/seal/rotate');
    expect(rotated.body.items.filter(({ name }: { name: string }) => name === 'payments')).toMatchObject([
      { retiredAt: null },
      { retiredAt: expect.any(String) },
    ]);
    expect((await admin(shop(), 'POST', '/admin/keys/root/rotate')).status).toBe(422);
  });

  test('a service is given no key by its environment but its own', async () => {
    await shop().started.extract('media');
    const { body } = await admin(shop(), 'GET', '/admin/placements');
    const { pid } = body.modules.find(({ module }: { module: string }) => module === 'media').instances[0];
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
    expect(environment).toContain('INSTANCE_ID=media-1');
    for (const name of ['SIGNING_KEY', 'ROOT_KEY']) expect(environment).not.toContain(name);
    expect(environment).not.toContain(shop().started.env.ROOT_KEY);
    await shop().started.restore('media');
  });

  test.each(['all', 'none'])(
    'a host with another root key (MODULES=%s) says so, and changes nothing',
    async (MODULES) => {
      const { env } = shop().started;
      const other = launch({
        env: {
          ...env,
          MODULES,
          INSTANCE_ID: 'other',
          DATA_DIR: `${env.DATA_DIR}/${unique('other')}`,
          ROOT_KEY: 'another root key of so many characters',
        },
      });
      expect(await other.ended).toBe(1);
      expect(other.output()).toMatch(
        /^banyan: ROOT_KEY is not the one of this database \([^\n]+\)\. Give every [^\n]+$/m,
      );
      expect(other.output()).not.toContain('another root key of');
      // Roles have their passwords still: this opens connections of its own.
      const third = await startReplica(shop());
      await isLetIn(third.shop, (await shop().customer()).token);
      await third.stop();
    },
  );
});
