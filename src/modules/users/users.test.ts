// Users as a client sees them: accounts, sessions, what ends a session, and the races that the database decides.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Answer, inBothPlacements, unique } from '../../../test/shop.ts';

const nobody = '0192aaaa-0000-7000-8000-000000000000';
const password = 'correct horse battery';

inBothPlacements('users', (shop) => {
  const freshEmail = () => `${unique('user')}@example.com`;
  const register = (fields: Record<string, unknown> = {}) =>
    shop().call('POST', '/api/users', { body: { email: freshEmail(), name: 'Fay', password, ...fields } });
  const signIn = (email: string, secret = password) =>
    shop().call('POST', '/api/users/sessions', { body: { email, password: secret } });
  const me = (token?: string) => shop().call('GET', '/api/users/me', { token });
  const change = (token: string, body: unknown) => shop().call('PATCH', '/api/users/me', { token, body });
  const block = (id: string, body: unknown, token: string | undefined = shop().adminToken) =>
    shop().call('PATCH', `/api/users/${id}`, { token, body });
  const remove = (token: string) => shop().call('DELETE', '/api/users/me', { token });
  const seeded = async (role: string) => {
    const { users } = JSON.parse(await readFile(join(shop().dataDir, 'seeds.json'), 'utf8'));
    return users.find((user: { role: string }) => user.role === role);
  };
  const expectProblem = (answer: Answer, status: number, code: string, ...paths: string[]) => {
    expect(answer.body).toMatchObject({ status, code });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    if (paths.length > 0) {
      expect(answer.body.errors.map((one: { path: string }) => one.path).sort()).toEqual(paths.sort());
    }
  };

  test('registers, signs in and sees itself, without a trace of the password', async () => {
    const email = `Fay.${unique('User')}@Example.com`;
    const registered = await register({ email, name: 'Fay Ó Fíg 🌱' });
    expect(registered.status).toBe(201);
    expect(registered.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      email,
      name: 'Fay Ó Fíg 🌱',
      role: 'customer',
      blocked: false,
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      lastNotifiedAt: null,
      notificationCount: 0,
    });
    const session = await signIn(email.toUpperCase());
    expect(session.status).toBe(201);
    expect(Object.keys(session.body).sort()).toEqual(['expiresAt', 'token']);
    expect(Date.parse(session.body.expiresAt)).toBeGreaterThan(Date.now());
    const { lastNotifiedAt, notificationCount, ...lasting } = registered.body;
    expect((await me(session.body.token)).body).toMatchObject(lasting);
  });

  /** An answer without what is another each time. */
  const shape = ({ status, headers, body }: Answer) => {
    const { id, createdAt, email, ...rest } = body;
    const fields = { id: /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(id), createdAt: /^\d{4}-.*Z$/.test(createdAt) };
    const names = [...headers.keys()].sort();
    return {
      status,
      names,
      length: headers.get('content-length'),
      order: Object.keys(body),
      ...fields,
      rest,
    };
  };

  test('nobody learns whether an address is registered, but its owner by mail, once a day', async () => {
    const owner = await shop().customer();
    const other = `${unique('user')}@example.com`
      .padStart(owner.email.length, 'x')
      .slice(-owner.email.length);
    const tried = { email: owner.email.toUpperCase(), name: 'Thief', password: 'a password of the thief' };
    const [taken, free] = [await register(tried), await register({ ...tried, email: other.toUpperCase() })];
    expect(shape(taken)).toEqual(shape(free));
    expect(taken.body).toMatchObject({ email: tried.email, name: 'Thief', role: 'customer' });
    expect(taken.body.id).not.toBe(owner.id);
    expectProblem(await signIn(owner.email, tried.password), 401, 'bad-credentials');
    expect((await me(owner.token)).body).toMatchObject({ email: owner.email, name: 'A Customer' });
    expect((await signIn(owner.email, owner.password)).status).toBe(201);
    await register(tried);
    const mails = async () => {
      const { body } = await shop().call('GET', '/api/notifications', { token: owner.token });
      return body.items.map((one: { type: string }) => one.type).sort();
    };
    await shop().eventually(async () => expect(await mails()).toEqual(['address-tried', 'welcome']));
  });

  test('a registration takes as long for an address that is taken', async () => {
    const { email } = await shop().customer();
    const times: [number[], number[]] = [[], []];
    for (let round = 0; round < 12; round += 1) {
      for (const [at, one] of [email, freshEmail()].entries()) {
        const begun = performance.now();
        await register({ email: one });
        times[at as 0 | 1].push(performance.now() - begun);
      }
    }
    // The least of each: what else runs on the machine adds to some of either.
    const [taken, free] = times.map((all) => Math.min(...all));
    // A hash costs 20 ms, nearly all of it: whoever left it out, would be seen, and what a commit takes would not.
    expect(taken! / free!, `${taken} ms, ${free} ms`).toBeGreaterThan(0.5);
    expect(taken! / free!, `${taken} ms, ${free} ms`).toBeLessThan(2.5);
  });

  test('of eight who register one address at once, one gets it', async () => {
    const email = freshEmail();
    const words = Array.from({ length: 8 }, (_, i) => `the password of number ${i}`);
    const answers = await Promise.all(
      words.map((word, i) => register({ email: i % 2 ? email : email.toUpperCase(), password: word })),
    );
    expect(answers.map((one) => one.status)).toEqual(Array(8).fill(201));
    expect(new Set(answers.map((one) => one.body.id)).size).toBe(8);
    const opened = [];
    for (const word of words.slice(0, 5)) opened.push((await signIn(email, word)).status);
    for (const word of words.slice(5))
      await shop().eventually(async () => {
        const { status } = await signIn(email, word);
        expect(status).not.toBe(429);
        opened.push(status);
      });
    expect(opened.sort()).toEqual([201, ...Array(7).fill(401)]);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['no address', { email: undefined }, '/email'],
    ['an address that is none', { email: 'fay' }, '/email'],
    ['an address that is too long', { email: `${'a'.repeat(250)}@example.com` }, '/email'],
    ['an address with a line break', { email: 'a@example.com\r\nBcc: b@example.com' }, '/email'],
    ['an address of another type', { email: ['a@example.com'] }, '/email'],
    ['an empty name', { name: '' }, '/name'],
    ['a blank name', { name: '   ' }, '/name'],
    ['a name with NUL', { name: 'a\u0000b' }, '/name'],
    ['a name with a line break', { name: 'a\nb' }, '/name'],
    ['a name that is too long', { name: 'x'.repeat(101) }, '/name'],
    ['a short password', { password: '1234567' }, '/password'],
    ['a long password', { password: 'x'.repeat(201) }, '/password'],
    ['no password', { password: null }, '/password'],
    ['a role of its own choice', { role: 'admin' }, '/role'],
  ])('refuses %s', async (_, fields, path) => {
    expectProblem(await register(fields), 422, 'invalid', path);
  });

  test('names every wrong field at once', async () => {
    const answer = await shop().call('POST', '/api/users', { body: { email: 1, blocked: true } });
    expectProblem(answer, 422, 'invalid', '/email', '/name', '/password', '/blocked');
  });

  test('refuses a body that is no JSON object', async () => {
    const headers = { 'content-type': 'application/json' };
    const broken = await shop().call('POST', '/api/users', { body: '{"email":', headers });
    expectProblem(broken, 400, 'malformed');
    expect((await shop().call('POST', '/api/users', { body: '[]', headers })).status).toBe(422);
  });

  test('a wrong password and an unknown address get the same answer', async () => {
    const { email } = await shop().customer();
    const wrong = await signIn(email, 'not the password');
    const unknown = await signIn(freshEmail());
    expectProblem(wrong, 401, 'bad-credentials');
    expectProblem(unknown, 401, 'bad-credentials');
    expect(unknown.body).toEqual(wrong.body);
    for (const odd of ["' OR 1=1 --", '%', '']) expectProblem(await signIn(odd), 401, 'bad-credentials');
    expectProblem(await signIn('a\u0000b'), 422, 'invalid', '/email');
  });

  test.each(['password', 'Password1', '12345678', 'QWERTYUIOP', 'iloveyou'])(
    'refuses the common password %s where it is chosen, not where one signs in',
    async (common) => {
      const refused = await register({ password: common });
      expectProblem(refused, 422, 'invalid', '/password');
      expect(refused.body.errors[0].message).toContain('most common');
      const { token, email } = await shop().customer();
      const wanted = { password: common, currentPassword: password };
      expectProblem(await change(token, wanted), 422, 'invalid', '/password');
      expectProblem(await signIn(email, common), 401, 'bad-credentials');
    },
  );

  test('refuses the address and the name of the account as its password', async () => {
    const email = freshEmail();
    for (const word of [email, email.toUpperCase(), email.split('@')[0], 'Fay Ó Fíg']) {
      const refused = await register({ email, name: 'Fay Ó Fíg', password: word });
      expectProblem(refused, 422, 'invalid', '/password');
    }
    const { token, email: own } = await shop().customer();
    expectProblem(await change(token, { password: own }), 422, 'invalid', '/password');
    const later = { name: 'Another Name', password: 'another name' };
    expectProblem(await change(token, later), 422, 'invalid', '/password');
    for (const fine of ['correct horse battery', 'a-good-password', 'password-of-ada']) {
      expect((await register({ password: fine })).status).toBe(201);
    }
  });

  test('sixty guesses at an account are slowed, there or not; the owner gets in after the wait', async () => {
    const { email, password: right } = await shop().customer();
    for (const victim of [email, freshEmail()]) {
      const guesses = await Promise.all(
        Array.from({ length: 60 }, (_, i) => signIn(victim, `wrong password ${i}`)),
      );
      const checked = guesses.filter((one) => one.status === 401);
      expect(checked.length).toBeLessThanOrEqual(6);
      const refused = guesses.find((one) => one.status === 429)!;
      expectProblem(refused, 429, 'too-many-requests');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    await shop().eventually(async () => expect((await signIn(email, right)).status).toBe(201));
    for (let i = 0; i < 10; i += 1) expect((await signIn(email, right)).status).toBe(201);
  });

  test('two hundred who sign in at once are answered soon: some let in, the others told to come again', async () => {
    const { email, password: right } = await shop().customer();
    const begun = Date.now();
    const answers = await Promise.all(Array.from({ length: 200 }, () => signIn(email, right)));
    expect(Date.now() - begun).toBeLessThan(15_000);
    // Guesses that wait at one account are counted, too: on a slow machine some hear 429 before there is no more room.
    const heard = answers.map((one) => one.status).filter((status) => status !== 429);
    expect(new Set(heard)).toEqual(new Set([201, 503]));
    const refused = answers.find((one) => one.status === 503)!;
    expectProblem(refused, 503, 'unavailable');
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await signIn(email, right)).status).toBe(201);
  });

  test('a password counts in the spelling of any keyboard', async () => {
    const { body } = await register({ password: 'caf\u00e9 au lait' });
    expect((await signIn(body.email, 'cafe\u0301 au lait')).status).toBe(201);
  });

  test('without a session, or with a forged one, there is no me', async () => {
    const { token } = await shop().customer();
    const [head, , signature] = token.split('.');
    const forged = Buffer.from(JSON.stringify({ sub: nobody, role: 'admin', epoch: 99, exp: 4e9 }));
    for (const bad of [undefined, 'x', `${head}.${forged.toString('base64url')}.${signature}`]) {
      expectProblem(await me(bad), 401, 'unauthenticated');
    }
  });

  test('ADMIN_TOKEN is nobody in person', async () => {
    expectProblem(await me(shop().adminToken), 403, 'forbidden');
  });

  test('changes name and address, and signs in by the new one', async () => {
    const customer = await shop().customer();
    const email = freshEmail();
    const currentPassword = customer.password;
    const changed = await change(customer.token, { name: 'New', email, currentPassword });
    expect(changed).toMatchObject({ status: 200, body: { id: customer.id, name: 'New', email } });
    expect((await me(customer.token)).body).toMatchObject({ name: 'New', email });
    expect((await signIn(email, customer.password)).status).toBe(201);
    expectProblem(await signIn(customer.email, customer.password), 401, 'bad-credentials');
    expect((await register({ email: customer.email })).status).toBe(201);
  });

  test('a change to nothing, and to the same address in another case, is fine', async () => {
    const { token, email, password: currentPassword } = await shop().customer();
    expect(await change(token, {})).toMatchObject({ status: 200, body: { email } });
    expect(await change(token, { currentPassword: 'of no use' })).toMatchObject({ status: 200 });
    const other = { email: email.toUpperCase(), currentPassword };
    expect(await change(token, other)).toMatchObject({ status: 200 });
    expect((await me(token)).body.email).toBe(email.toUpperCase());
  });

  test('refuses unknown fields and a short password, and changes nothing', async () => {
    const { token, email } = await shop().customer();
    expectProblem(await change(token, { name: 'X', role: 'admin' }), 422, 'invalid', '/role');
    expectProblem(await change(token, { name: 'X', password: 'short' }), 422, 'invalid', '/password');
    expect((await me(token)).body).toMatchObject({ name: 'A Customer', email, role: 'customer' });
  });

  test('a new address or password needs the present password, a name does not', async () => {
    const { token, email, password: right } = await shop().customer();
    for (const wish of [{ email: freshEmail() }, { password: 'another password' }]) {
      expectProblem(await change(token, { name: 'X', ...wish }), 422, 'invalid', '/currentPassword');
      const wrong = await change(token, { name: 'X', ...wish, currentPassword: 'not that one' });
      expectProblem(wrong, 403, 'wrong-password', '/currentPassword');
    }
    expect((await me(token)).body).toMatchObject({ name: 'A Customer', email });
    expect((await change(token, { name: 'Y' })).body.name).toBe('Y');
    expect((await signIn(email, right)).status).toBe(201);
  });

  test('guesses at the present password are slowed with those at the account', async () => {
    const { token, email, password: right } = await shop().customer();
    const guesses = await Promise.all(
      Array.from({ length: 30 }, (_, i) => change(token, { email, currentPassword: `wrong one ${i}` })),
    );
    expect(guesses.filter((one) => one.status === 403).length).toBeLessThanOrEqual(6);
    expectProblem(guesses.find((one) => one.status === 429)!, 429, 'too-many-requests');
    expect((await signIn(email, right)).status).toBe(429);
    expect((await me(token)).status).toBe(200);
  });

  test("another's address is answered as a free one, and stays another's", async () => {
    const [one, other] = [await shop().customer(), await shop().customer()];
    const currentPassword = 'a password of one alone';
    const own = await change(one.token, { password: currentPassword, currentPassword: one.password });
    expect(own.status).toBe(200);
    const { token } = (await signIn(one.email, currentPassword)).body;
    const email = other.email.toUpperCase();
    const taken = await change(token, { email, name: 'X', currentPassword });
    expect(taken).toMatchObject({ status: 200, body: { id: one.id, email, name: 'X' } });
    expect((await me(token)).body.email).toBe(email);
    expect((await me(other.token)).body.email).toBe(other.email);
    expectProblem(await signIn(email, currentPassword), 401, 'bad-credentials');
    expect((await signIn(one.email, currentPassword)).status).toBe(201);
    expect((await block(one.id, { blocked: false })).body.email).toBe(one.email);
    await shop().eventually(async () => {
      const { body } = await shop().call('GET', '/api/notifications', { token: other.token });
      expect(body.items.map((mail: { type: string }) => mail.type)).toContain('address-tried');
    });
    const mine = freshEmail();
    expect((await change(token, { email: mine, currentPassword })).body.email).toBe(mine);
    expect((await me(token)).body.email).toBe(mine);
    expect((await signIn(mine, currentPassword)).status).toBe(201);
  });

  test('two who change to one address at once: one gets it', async () => {
    const email = freshEmail();
    const two = await Promise.all([shop().customer(), shop().customer()]);
    const answers = await Promise.all(
      two.map(({ token, password: currentPassword }) => change(token, { email, currentPassword })),
    );
    expect(answers.map((one) => one.status)).toEqual([200, 200]);
    const seen = await Promise.all(two.map(({ id }) => block(id, { blocked: false })));
    expect(seen.filter((one) => one.body.email === email)).toHaveLength(1);
  });

  const sessions = (token: string) => shop().call('GET', '/api/users/me/sessions', { token });
  const end = (token: string, which: string) => shop().call('DELETE', `/api/users/${which}`, { token });
  const nowhere = (token: string) =>
    shop().eventually(async () => {
      for (const path of ['/api/users/me', '/api/orders'])
        expectProblem(await shop().call('GET', path, { token }), 401, 'unauthenticated');
    });

  test('signing out ends this session alone, everywhere', async () => {
    const { token, email, password: secret } = await shop().customer();
    const other = (await signIn(email, secret)).body.token;
    const answer = await end(token, 'sessions/current');
    expect(answer.status).toBe(204);
    expect(answer.body).toHaveLength(0);
    expectProblem(await change(token, { name: 'Thief' }), 401, 'unauthenticated');
    expectProblem(await remove(token), 401, 'unauthenticated');
    await nowhere(token);
    expect((await me(other)).body.name).toBe('A Customer');
  });

  test('sessions are listed, and ended one by one or all others', async () => {
    const { token, email, password: secret } = await shop().customer();
    const tokens = [];
    for (let n = 0; n < 3; n += 1) tokens.push((await signIn(email, secret)).body.token as string);
    const { body } = await sessions(token);
    expect(body.items).toHaveLength(4);
    const [mine] = body.items.filter((one: { current: boolean }) => one.current);
    expect(mine).toEqual(body.items.at(-1));
    expect(mine).toMatchObject({ id: expect.stringMatching(/^[\w-]{16}$/), from: expect.any(String) });
    expect(Date.parse(mine.expiresAt) - Date.parse(mine.openedAt)).toBeGreaterThan(11 * 3_600_000);
    expect((await end(token, `me/sessions/${body.items[0].id}`)).status).toBe(204);
    await nowhere(tokens[2]!);
    expectProblem(await end(token, `me/sessions/${body.items[0].id}`), 404, 'session-unknown');
    const stranger = await shop().customer();
    const theirs = await end(stranger.token, `me/sessions/${body.items[1].id}`);
    expectProblem(theirs, 404, 'session-unknown');
    expectProblem(await end(token, 'me/sessions/x'), 422, 'invalid', '/id');
    expect((await me(tokens[1]!)).status).toBe(200);
    expect((await end(token, 'me/sessions')).status).toBe(204);
    await nowhere(tokens[0]!);
    await nowhere(tokens[1]!);
    expect((await sessions(token)).body.items).toEqual([mine]);
  });

  test('a new password ends every session, at once here and soon everywhere', async () => {
    const customer = await shop().customer();
    const other = await signIn(customer.email, customer.password);
    const wish = { password: 'another password', currentPassword: customer.password };
    expect((await change(customer.token, wish)).status).toBe(200);
    expectProblem(await me(customer.token), 401, 'unauthenticated');
    expectProblem(await change(other.body.token, { name: 'Thief' }), 401, 'unauthenticated');
    expectProblem(await remove(other.body.token), 401, 'unauthenticated');
    await shop().eventually(async () => {
      expect((await shop().call('GET', '/api/orders', { token: other.body.token })).status).toBe(401);
    });
    expectProblem(await signIn(customer.email, customer.password), 401, 'bad-credentials');
    const again = await signIn(customer.email, 'another password');
    expect((await me(again.body.token)).body.name).toBe('A Customer');
  });

  test('of two new passwords set at once by one session, one counts', async () => {
    const { email, token, password: currentPassword } = await shop().customer();
    const words = ['the first password', 'the second password'];
    const answers = await Promise.all(
      words.map((word) => change(token, { password: word, currentPassword })),
    );
    expect(answers.map((one) => one.status).sort()).toEqual([200, 401]);
    const statuses = await Promise.all(words.map(async (word) => (await signIn(email, word)).status));
    expect(statuses).toEqual(answers.map((one) => (one.status === 200 ? 201 : 401)));
  });

  test('a deleted account is gone, its sessions too, and its address is free', async () => {
    const customer = await shop().customer();
    const deleted = await remove(customer.token);
    expect(deleted.status).toBe(204);
    expect(deleted.body).toHaveLength(0);
    expectProblem(await me(customer.token), 401, 'unauthenticated');
    expectProblem(await remove(customer.token), 401, 'unauthenticated');
    expectProblem(await signIn(customer.email, customer.password), 401, 'bad-credentials');
    expectProblem(await block(customer.id, { blocked: true }), 404, 'user-unknown');
    const again = await register({ email: customer.email });
    expect(again.status).toBe(201);
    expect(again.body.id).not.toBe(customer.id);
    await shop().eventually(async () => {
      expect((await shop().call('GET', '/api/orders', { token: customer.token })).status).toBe(401);
    });
  });

  test('a blocked user still signs in and looks; unblocked again', async () => {
    const customer = await shop().customer();
    expect(await block(customer.id, { blocked: true })).toMatchObject({
      status: 200,
      body: { id: customer.id, blocked: true },
    });
    expect((await block(customer.id, { blocked: true })).body.blocked).toBe(true);
    expect((await me(customer.token)).body.blocked).toBe(true);
    expect((await signIn(customer.email, customer.password)).status).toBe(201);
    expect((await block(customer.id.toUpperCase(), { blocked: false })).body.blocked).toBe(false);
  });

  test('blocking is for administrators and for users that there are', async () => {
    const [one, other] = [await shop().customer(), await shop().customer()];
    const anonymous = await shop().call('PATCH', `/api/users/${other.id}`, { body: { blocked: true } });
    expectProblem(anonymous, 401, 'unauthenticated');
    expectProblem(await block(other.id, { blocked: true }, one.token), 403, 'forbidden');
    expectProblem(await block(nobody, { blocked: true }), 404, 'user-unknown');
    expectProblem(await block('1', { blocked: true }), 422, 'invalid', '/id');
    expectProblem(await block(other.id, { blocked: 'yes' }), 422, 'invalid', '/blocked');
    expectProblem(await block(other.id, {}), 422, 'invalid', '/blocked');
    expect((await me(other.token)).body.blocked).toBe(false);
  });

  test('learns from notifications when it was written to', async () => {
    const { token } = await shop().customer();
    const welcomed = await shop().eventually(async () => {
      const { body } = await me(token);
      expect(body.notificationCount).toBe(1);
      return body;
    });
    expect(Math.abs(Date.now() - Date.parse(welcomed.lastNotifiedAt))).toBeLessThan(60_000);
  });

  test('the first users can sign in, by a file for the owner alone', async () => {
    if (process.platform !== 'win32') {
      expect((await stat(join(shop().dataDir, 'seeds.json'))).mode & 0o777).toBe(0o600);
    }
    const [admin, demo] = [await seeded('admin'), await seeded('customer')];
    expect([admin.email, demo.email]).toEqual(['admin@banyan.example', 'demo@banyan.example']);
    const session = await signIn(admin.email, admin.password);
    const customer = await shop().customer();
    expect((await block(customer.id, { blocked: true }, session.body.token)).status).toBe(200);
    expect((await me((await signIn(demo.email, demo.password)).body.token)).body.role).toBe('customer');
  });
});
