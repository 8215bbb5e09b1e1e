// A session that was ended is refused by every host, near and extracted, within a second: also where the host of users was
// killed as soon as it had answered, and when the monolith starts again.
import { expect, test } from 'vitest';
import { query } from '../src/banyan/postgres/testing.ts';
import { overview } from './flip-modules.ts';
import { clientOf, eventually, withShop } from './shop.ts';

withShop((shop) => {
  const statusOf = async (path: string, token: string) => (await shop().call('GET', path, { token })).status;

  test('of one account a hundred are ended one by one; one more ends all of them', {
    timeout: 120_000,
  }, async () => {
    const { token, email, password } = await shop().customer();
    const open = async () => {
      const { body } = await shop().call('POST', '/api/users/sessions', { body: { email, password } });
      return body.token as string;
    };
    for (let n = 0; n < 100; n += 1) {
      const brief = await open();
      expect((await shop().call('DELETE', '/api/users/sessions/current', { token: brief })).status).toBe(204);
    }
    expect(await statusOf('/api/users/me', token)).toBe(200);
    const last = await open();
    expect((await shop().call('DELETE', '/api/users/sessions/current', { token: last })).status).toBe(204);
    await eventually(async () => expect(await statusOf('/api/users/me', token)).toBe(401));
    expect(await statusOf('/api/users/me', await open())).toBe(200);
  });

  test('signed out, and users killed at once: refused everywhere within a second, and for good', {
    timeout: 90_000,
  }, async () => {
    for (const module of ['users', 'orders', 'notifications']) await shop().started.extract(module);
    const { token, email, password } = await shop().customer();
    const open = () => shop().call('POST', '/api/users/sessions', { body: { email, password } });
    const [other, third] = [await open(), await open()];
    const paths = ['/api/orders', '/api/notifications', '/api/payments'];
    for (const path of paths) expect(await statusOf(path, token)).toBe(200);
    const { instances } = await overview(shop(), 'users');
    expect((await shop().call('DELETE', '/api/users/sessions/current', { token })).status).toBe(204);
    for (const { pid } of instances) process.kill(pid, 'SIGKILL');
    const ended = Date.now();
    await eventually(async () => {
      for (const path of paths) expect(await statusOf(path, token)).toBe(401);
    });
    expect(Date.now() - ended).toBeLessThan(1000);
    for (const path of paths) expect(await statusOf(path, other.body.token)).toBe(200);
    await shop().started.host.kill();
    // What a service commits while no monolith lives is carried by the next one.
    const { jti } = JSON.parse(Buffer.from(third.body.token.split('.')[1], 'base64url').toString());
    await query(shop().started.databaseUrl, `SELECT users.end_sessions(NULL, NULL, ARRAY[$1])`, [jti]);
    await shop().started.restart();
    const again = clientOf(shop().started);
    await eventually(async () =>
      expect((await again.call('GET', '/api/payments', { token: third.body.token })).status).toBe(401),
    );
    for (const [one, status] of [
      [token, 401],
      [other.body.token, 200],
      [third.body.token, 401],
    ] as const)
      expect((await again.call('GET', '/api/payments', { token: one })).status).toBe(status);
  });
});
