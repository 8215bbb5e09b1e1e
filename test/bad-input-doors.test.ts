// The doors between hosts: closed on the public port whatever is asked, and on the internal port to everybody
// without a token made for that very service; refused before 101 and before any handler.
import { connect } from 'node:net';
import { importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokensOf } from '../src/banyan/identity/known-hosts.fixture.ts';
import { serviceKeyOf, tokensAs } from '../stage/ring.ts';
import { expectProblem, type Got, send, sendRaw } from './bad-input.ts';
import { type Customer, clientOf, type Shop } from './shop.ts';
import { installationOf, startShop } from './start-shop.ts';

function upgrade(base: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Got> {
  const all = {
    Host: new URL(base).host,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return sendRaw(base, `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, false);
}

/** Asks for an upgrade and resets the connection, so many times at once. */
async function storm(base: string, path: string, times: number): Promise<void> {
  const { hostname, port } = new URL(base);
  const head = `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
  await Promise.all(
    Array.from(
      { length: times },
      () =>
        new Promise<void>((resolve) => {
          const socket = connect(Number(port), hostname);
          socket.on('close', () => resolve());
          socket.on('error', () => {});
          socket.on('connect', () => socket.write(head, () => socket.resetAndDestroy()));
        }),
    ),
  );
}

describe('the doors between hosts', () => {
  let shop: Shop;
  let customer: Customer;
  let service: string;
  let control: string;
  const tokens: Record<string, string> = {};

  beforeAll(async () => {
    shop = clientOf(await startShop());
    await shop.started.extract('orders');
    customer = await shop.customer();
    const { body } = await shop.call('GET', '/admin/placements', { token: shop.adminToken });
    service = body.modules.find(({ module }: { module: string }) => module === 'orders').instances[0].url;
    control = /INTERNAL_PORT is open at (http:\S+?)"/.exec(shop.started.output())![1]!;
    const installation = installationOf(shop.started);
    const own = await tokensAs(installation, 'monolith');
    const jwk = await serviceKeyOf(installation, 'monolith');
    const key = await importJWK(jwk, 'EdDSA');
    const made = () =>
      new SignJWT()
        .setProtectedHeader({ alg: 'EdDSA', kid: jwk.kid, typ: 'JWT' })
        .setSubject('monolith')
        .setIssuer('banyan:internal')
        .setIssuedAt(Date.now() / 1000 - 400)
        .setAudience('orders');
    Object.assign(tokens, {
      valid: await own.mint('orders'),
      'for another service': await own.mint('payments'),
      'for control': await own.mint('control'),
      'for the monolith': await own.mint('monolith'),
      forged: await tokensOf('another text', 'monolith').mint('orders'),
      expired: await made().setExpirationTime('-2m').sign(key),
      'without an end': await made().sign(key),
      'of media': await (await tokensAs(installation, 'media')).mint('orders'),
      'of orders, for control': await (await tokensAs(installation, 'orders')).mint('control'),
      'of a session': customer.token,
      'of the operator': shop.adminToken,
      'of nobody': 'garbage',
    });
  });
  afterAll(() => shop?.started.stop());

  const wrong = [
    'for another service',
    'for control',
    'for the monolith',
    'forged',
    'expired',
    'without an end',
    'of a session',
    'of the operator',
    'of nobody',
  ];

  describe('an upgrade at the public port', () => {
    it.each(['/', '/calls', '/api/orders', '/api/orders/calls', '/api/orders?a', '/docs', '/admin'])(
      'of %s is destroyed, with any token',
      async (path) => {
        for (const token of ['', tokens.valid, shop.adminToken]) {
          const got = await upgrade(shop.url, path, { Authorization: `Bearer ${token}` });
          expectProblem(got, 426, undefined);
        }
      },
    );
    it('is told what is spoken here', async () => {
      const { headers } = await upgrade(shop.url, '/api/orders');
      expect(headers).toMatchObject({ upgrade: 'HTTP/1.1', connection: 'close, upgrade' });
    });
    it.each(['h2c', 'foo', 'TLS/1.0, IRC/6.9'])('to %s is an offer, and ignored', async (protocol) => {
      const path = '/api/catalog/products?limit=1';
      const got = await upgrade(shop.url, path, { Upgrade: protocol });
      expect(got.status).toBe(200);
      expect(got.headers.upgrade).toBeUndefined();
    });
    it('that is reset at once harms nobody, two hundred times', async () => {
      await storm(shop.url, '/calls', 200);
      expect((await shop.call('GET', '/health/ready')).status).toBe(200);
    });
  });

  describe('an upgrade at a service', () => {
    it('with a token for it is a connection', async () => {
      const got = await upgrade(service, '/calls', { Authorization: `Bearer ${tokens.valid}` });
      expect(got.status).toBe(101);
    });
    it('without a token is refused before 101', async () => {
      expectProblem(await upgrade(service, '/calls'), 401, undefined);
    });
    it('with the token in the query is refused', async () => {
      expectProblem(await upgrade(service, `/calls?token=${tokens.valid}`), 404, undefined);
    });
    it.each(wrong)('with a token %s is refused before 101', async (kind) => {
      const got = await upgrade(service, '/calls', { Authorization: `Bearer ${tokens[kind]}` });
      expectProblem(got, 401, undefined);
    });
    it.each(['/calls/', '/calls/orders/list', '//calls', '/', '/api/orders', '/%63alls'])(
      'at %s leads nowhere, with the right token',
      async (path) => {
        const got = await upgrade(service, path, { Authorization: `Bearer ${tokens.valid}` });
        expectProblem(got, 404, undefined);
      },
    );
    it('to another protocol is an offer, and ignored', async () => {
      const { status } = await upgrade(service, '/health/live', { Upgrade: 'h2c' });
      expect(status).toBe(200);
      const headers = { Upgrade: 'h2c', Authorization: `Bearer ${tokens.valid}` };
      const answer = await upgrade(service, '/calls', headers);
      expect([answer.status, answer.body.host]).toEqual([200, 'orders-1']);
    });
    it('that is reset at once harms nobody, two hundred times', async () => {
      await storm(service, '/calls', 200);
      expect((await send(service, { path: '/health/ready' })).status).toBe(200);
    });
  });

  describe('a request at a service', () => {
    const at = (path: string, internal?: string, token?: string, method = 'GET') =>
      send(service, {
        method,
        path,
        ...(token === undefined ? {} : { token }),
        headers: internal === undefined ? {} : { 'x-internal-token': internal },
      });

    it('with a token for it and a session is answered', async () => {
      const got = await at('/api/orders', tokens.valid, customer.token);
      expect(got.status).toBe(200);
      expect(got.headers['x-served-by']).toBe('orders-1');
    });
    it('with a token for it and no session is nobody’s', async () => {
      expectProblem(await at('/api/orders', tokens.valid), 401, undefined);
    });
    it('of a client is taken of gateways alone, and a call of modules that use it', async () => {
      const client = await at('/api/orders', tokens['of media'], customer.token);
      expectProblem(client, 403, undefined);
      expect(client.body).toMatchObject({ reason: 'call-not-allowed' });
      const call = await send(service, {
        method: 'POST',
        path: '/calls/orders/list',
        body: {},
        headers: { 'x-internal-token': tokens['of media']!, 'x-caller': 'payments' },
      });
      expectProblem(call, 403, undefined);
      expect(call.body.detail).toMatch(/media may not call orders/);
    });
    it('with a session alone is refused', async () => {
      const got = await at('/api/orders', undefined, customer.token);
      expectProblem(got, 401, undefined);
      expect(got.body.detail).toMatch(/internal token/);
    });
    it.each(wrong)('with a token %s is refused, session or not', async (kind) => {
      expectProblem(await at('/api/orders', tokens[kind], customer.token), 401, undefined);
      expectProblem(await at('/api/orders', tokens[kind]), 401, undefined);
    });
    it.each(['/nope', '/api/orders/x/y', '/metrics/', '/health', '/health/ready?x', '/HEALTH/LIVE'])(
      'at %s says nothing without a token',
      async (path) => expectProblem(await at(path), 401, undefined),
    );
    it.each(['/metrics', '/health/live', '/health/ready'])('at %s is open to probes', async (path) => {
      expect((await at(path)).status).toBe(200);
    });
    it.each(['/metric%73', '/health/liv%65', '//metrics', '/metrics?x', '/METRICS'])(
      'at %s is no door of its own to probes',
      async (path) => expectProblem(await at(path), 401, undefined),
    );
    it('is read to the limit of the operation that is called, and no further', async () => {
      const call = (length: number, chunked: boolean) =>
        send(service, {
          method: 'POST',
          path: '/calls/orders/list',
          body: `{}${' '.repeat(length - 2)}`,
          chunked,
          headers: { 'x-internal-token': tokens.valid!, 'content-type': 'application/json' },
        });
      for (const chunked of [true, false]) {
        expectProblem(await call(64 * 1024, chunked), 403, undefined);
        expectProblem(await call(64 * 1024 + 1, chunked), 413, undefined);
      }
    });
    it('asks an operation for modules only with a token', async () => {
      expectProblem(await at('/calls/orders/list', undefined, customer.token, 'POST'), 401, undefined);
      expectProblem(await at('/calls/orders/list', tokens.valid, undefined, 'POST'), 403, undefined);
      expectProblem(await at('/calls/orders/constructor', tokens.valid, undefined, 'POST'), 404, undefined);
      expectProblem(await at('/calls/users/getUser', tokens.valid, undefined, 'POST'), 404, undefined);
    });
  });

  describe('control', () => {
    const body = { self: null };
    const contractPaths = ['operations', 'events', 'errors'].map(
      (part) => `/register/contracts/orders/${part}`,
    );
    it('takes no registration without a token for it', async () => {
      const sync = (internal?: string) =>
        send(control, {
          method: 'POST',
          path: '/control/sync',
          body,
          headers: internal === undefined ? {} : { 'x-internal-token': internal },
        });
      for (const internal of [undefined, tokens.valid, tokens['for the monolith'], tokens.forged])
        expectProblem(await sync(internal), 401, undefined);
    });
    it('answers a registration that is none with a problem', async () => {
      const got = await send(control, {
        method: 'POST',
        path: '/control/sync',
        body: { self: { host: 7 } },
        headers: { 'x-internal-token': tokens['for control']! },
      });
      expect(got.status).toBeGreaterThanOrEqual(400);
      expect(got.status).toBeLessThan(500);
    });
    it.each(['/%63ontrol/sync', '/control/%73ync', '/control/sync?x=/control/', '/%63ontrol/sync?x'])(
      'takes no other token however its path is written: %s',
      async (path) => {
        const ask = (internal: string) =>
          send(control, { method: 'POST', path, body, headers: { 'x-internal-token': internal } });
        for (const kind of ['valid', 'for the monolith'])
          expectProblem(await ask(tokens[kind]!), 401, undefined);
        expectProblem(await ask(tokens['for control']!), 422, ['/tag', '/waitMs']);
      },
    );
    it.each(['//control/sync', '/CONTROL/sync', '/control%2fsync', '/control/sync/', '/control/./sync'])(
      'is not at %s, whatever the token',
      async (path) => {
        for (const internal of [tokens.valid!, tokens['for the monolith']!, tokens['for control']!]) {
          const got = await send(control, {
            method: 'POST',
            path,
            body,
            headers: { 'x-internal-token': internal },
          });
          expect([400, 401, 404]).toContain(got.status);
        }
      },
    );
    it.each<[string, object, string[] | undefined, number]>([
      ['a contract of nothing', { contracts: { orders: {} } }, contractPaths, 422],
      ['a module __proto__', { modules: ['__proto__'] }, undefined, 403],
      ['a module constructor', { modules: ['constructor'] }, undefined, 403],
      ['a module toString', { modules: ['toString'] }, undefined, 403],
      ['a module of NUL', { modules: ['\u0000'] }, ['/register/modules/0'], 422],
    ])('refuses a registration of %s', async (_what, more, paths, status) => {
      const register = {
        host: '019b76da-a800-7000-8000-01a6aa00ffff',
        id: 'orders-9',
        role: 'service',
        modules: ['orders'],
        url: 'http://127.0.0.1:1',
        doors: ['ws'],
        process: { machine: 'here', pid: 1, started: 'now' },
        contracts: {},
        ...more,
      };
      const got = await send(control, {
        method: 'POST',
        path: '/control/sync',
        body: { tag: '', waitMs: 0, register },
        headers: { 'x-internal-token': tokens['of orders, for control']! },
      });
      expectProblem(got, status, paths);
    });
    it('is not at a service', async () => {
      const got = await send(service, {
        method: 'POST',
        path: '/control/sync',
        body,
        headers: { 'x-internal-token': tokens['for control']! },
      });
      expectProblem(got, 404, undefined);
    });
  });
});
