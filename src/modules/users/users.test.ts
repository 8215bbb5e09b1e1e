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

  test('an address is taken whatever its case', async () => {
    const email = freshEmail();
    expect((await register({ email })).status).toBe(201);
    expectProblem(await register({ email: email.toUpperCase() }), 409, 'email-taken', '/email');
  });

  test('of eight who register one address at once, one gets it', async () => {
    const email = freshEmail();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => register({ email: i % 2 ? email : email.toUpperCase() })),
    );
    expect(answers.map((one) => one.status).sort()).toEqual([201, ...Array(7).fill(409)]);
    for (const answer of answers) {
      if (answer.status === 409) expectProblem(answer, 409, 'email-taken', '/email');
    }
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
      expectProblem(await change(token, { password: common }), 422, 'invalid', '/password');
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
    const changed = await change(customer.token, { name: 'New', email });
    expect(changed).toMatchObject({ status: 200, body: { id: customer.id, name: 'New', email } });
    expect((await me(customer.token)).body).toMatchObject({ name: 'New', email });
    expect((await signIn(email, customer.password)).status).toBe(201);
    expectProblem(await signIn(customer.email, customer.password), 401, 'bad-credentials');
    expect((await register({ email: customer.email })).status).toBe(201);
  });

  test('a change to nothing, and to the same address in another case, is fine', async () => {
    const { token, email } = await shop().customer();
    expect(await change(token, {})).toMatchObject({ status: 200, body: { email } });
    expect(await change(token, { email: email.toUpperCase() })).toMatchObject({ status: 200 });
    expect((await me(token)).body.email).toBe(email.toUpperCase());
  });

  test("refuses another's address and unknown fields, and changes nothing", async () => {
    const [one, other] = [await shop().customer(), await shop().customer()];
    const taken = await change(one.token, { name: 'X', email: other.email.toUpperCase() });
    expectProblem(taken, 409, 'email-taken', '/email');
    expectProblem(await change(one.token, { name: 'X', role: 'admin' }), 422, 'invalid', '/role');
    expectProblem(await change(one.token, { password: 'short' }), 422, 'invalid', '/password');
    expect((await me(one.token)).body).toMatchObject({
      name: 'A Customer',
      email: one.email,
      role: 'customer',
    });
  });

  test('two who change to one address at once: one gets it', async () => {
    const email = freshEmail();
    const two = await Promise.all([shop().customer(), shop().customer()]);
    const answers = await Promise.all(two.map(({ token }) => change(token, { email })));
    expect(answers.map((one) => one.status).sort()).toEqual([200, 409]);
  });

  test('a new password ends every session, at once here and soon everywhere', async () => {
    const customer = await shop().customer();
    const other = await signIn(customer.email, customer.password);
    expect((await change(customer.token, { password: 'another password' })).status).toBe(200);
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
    const { email, token } = await shop().customer();
    const words = ['the first password', 'the second password'];
    const answers = await Promise.all(words.map((word) => change(token, { password: word })));
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
