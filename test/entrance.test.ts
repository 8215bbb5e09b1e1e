// The entrance of the public port as strangers see it: who is counted and refused, whose word on an address is believed,
// what every answer says to browsers and caches, and who is cut off. Behind a proxy that this machine plays.
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { expectProblem, send } from './bad-input.ts';
import { withShop } from './shop.ts';

const said = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
};

/** What comes back on a bare socket until the other side ends it. */
function raw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let got = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.setEncoding('utf8').on('data', (part: string) => {
      got += part;
    });
    socket.on('error', () => {}).on('close', () => resolve(got));
  });
}

withShop(
  (shop) => {
    const read = (address?: string, path = '/api/catalog/products?limit=1') =>
      send(shop().url, { path, headers: address === undefined ? {} : { 'x-forwarded-for': address } });

    test('an address that asks too often gets 429 with RateLimit headers, and is let in a second later', async () => {
      const answers = await Promise.all(Array.from({ length: 15 }, () => read('198.51.100.7')));
      const refused = answers.filter(({ status }) => status === 429);
      expect(refused.length).toBeGreaterThan(0);
      expectProblem(refused[0]!, 429, undefined);
      expect(refused[0]!.headers).toMatchObject({
        ...said,
        'ratelimit-limit': '5',
        'ratelimit-remaining': '0',
        'ratelimit-reset': '1',
        'retry-after': '1',
      });
      const letIn = answers.filter(({ status }) => status === 200);
      expect(letIn[0]!.headers).toMatchObject({ 'ratelimit-limit': '5' });
      await expect.poll(async () => (await read('198.51.100.7')).status, { interval: 300 }).toBe(200);
      expect(
        shop()
          .started.output()
          .match(/"address":"198.51.100.7"/g),
      ).toHaveLength(1);
    });

    test('before credentials and body are looked at, on paths that do not exist, and never for probes', async () => {
      const ask = (path: string) =>
        send(shop().url, {
          method: 'POST',
          path,
          headers: {
            'x-forwarded-for': '198.51.100.8',
            authorization: 'nonsense',
            'content-type': 'application/json',
          },
          body: '{',
        });
      for (const path of ['/api/orders', '/nowhere', '/admin/placements/users']) {
        const statuses = await Promise.all(Array.from({ length: 12 }, async () => (await ask(path)).status));
        expect(statuses, path).toContain(429);
      }
      const probes = await Promise.all(
        Array.from({ length: 12 }, () => read('198.51.100.8', '/health/live')),
      );
      expect(probes.map(({ status }) => status)).toEqual(probes.map(() => 200));
    });

    test('no Connection hides the address that a proxy says', async () => {
      const headers = { 'x-forwarded-for': '198.51.100.9', connection: 'close, x-forwarded-for' };
      const path = '/api/catalog/products?limit=1';
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => send(shop().url, { path, headers })),
      );
      expect(answers.map(({ status }) => status)).toContain(429);
    });

    test('IPv6 counts per /64, the last address before the trusted proxies counts, exempt networks do not', async () => {
      const statuses = async (address: (n: number) => string) =>
        Promise.all(Array.from({ length: 12 }, async (_, n) => (await read(address(n))).status));
      expect(await statuses((n) => `2001:db8:0:1::${n + 1}`)).toContain(429);
      expect(await statuses((n) => `2001:db8:0:${n + 100}::1`)).not.toContain(429);
      // A client that says of itself who it is says it in vain.
      expect(await statuses((n) => `192.0.2.${n}, 198.51.100.9`)).toContain(429);
      expect(await statuses((n) => `198.51.100.${n + 20}, 127.0.0.1`)).not.toContain(429);
      expect(await statuses(() => '203.0.113.5')).not.toContain(429);
      expect(await statuses(() => '127.0.0.1')).not.toContain(429);
    });

    test('every answer says what it is to browsers: reads, problems, refusals on a bare socket', async () => {
      const { token } = await shop().customer();
      const answers = [
        await read(),
        await read(undefined, '/api/nowhere'),
        await read(undefined, '/api/%zz'),
        await read(undefined, '/openapi.json'),
        await read(undefined, '/docs/'),
        await send(shop().url, { path: '/api/users/me', headers: { authorization: `Bearer ${token}` } }),
      ];
      for (const { headers, status } of answers) expect(headers, String(status)).toMatchObject(said);
      const whole = await raw(shop().url, 'GARBAGE\r\n\r\n');
      for (const name of Object.keys(said)) expect(whole.toLowerCase()).toContain(`\n${name}: `);
    });

    test('what is personal is not stored; what is public may be', async () => {
      const { token } = await shop().customer();
      const mine = await send(shop().url, {
        path: '/api/users/me',
        headers: { authorization: `Bearer ${token}` },
      });
      expect(mine.headers['cache-control']).toBe('no-store');
      const signIn = await shop().call('POST', '/api/users/sessions', {
        body: { email: 'a@example.com', password: 'x' },
      });
      expect(signIn.headers.get('cache-control')).toBe('no-store');
      expect((await read()).headers['cache-control']).toBeUndefined();
    });

    test('HSTS is said where a trusted proxy ended TLS', async () => {
      const ask = async (headers: Record<string, string>) =>
        (await send(shop().url, { path: '/', headers })).headers;
      expect(await ask({ 'x-forwarded-proto': 'https' })).toHaveProperty('strict-transport-security');
      expect(await ask({})).not.toHaveProperty('strict-transport-security');
    });

    test('the same far, and nothing twice', async () => {
      const { token } = await shop().customer();
      const about = async (path: string, credentials = {}) => {
        const { headers, status } = await send(shop().url, { path, headers: credentials });
        const names = [...Object.keys(said), 'cache-control', 'content-type'];
        return { status, ...Object.fromEntries(names.map((name) => [name, headers[name]])) };
      };
      const all = async () => [
        await about('/api/users/me', { authorization: `Bearer ${token}` }),
        await about('/api/users/me'),
        await about('/api/users/me?x=1', { authorization: `Bearer ${token}` }),
      ];
      const near = await all();
      await shop().started.extract('users');
      expect(await all()).toEqual(near);
      await shop().started.restore('users');
    });
  },
  { env: { TRUST_PROXY: '127.0.0.1', RATE_LIMIT: '5', RATE_LIMIT_EXEMPT: '203.0.113.0/24' } },
);
