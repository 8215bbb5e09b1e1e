// Health: whether a host should get requests. Its own modules' stores decide, another process never does; it says so
// before it goes. Metrics are beside it on the internal port, and on no other.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectProblem, send } from './bad-input.ts';
import { clientOf, eventually, type Shop } from './shop.ts';
import { startShop } from './start-shop.ts';

const modules = ['catalog', 'media', 'notifications', 'orders', 'payments', 'users'];

/** Takes a module's role its way into this shop's database, or gives it back. */
async function allow(shop: Shop, module: string, allowed: boolean): Promise<void> {
  const client = new pg.Client({ connectionString: shop.started.databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ name: string }>('SELECT quote_ident(current_database()) AS name');
  const { name } = rows[0]!;
  const role = `banyan_${module}`;
  try {
    if (allowed) {
      await client.query(`GRANT CONNECT ON DATABASE ${name} TO PUBLIC`);
      return;
    }
    // Who may connect now by PUBLIC alone keeps that, but for the one role.
    const { rows: others } = await client.query<{ rolname: string }>(
      `SELECT rolname FROM pg_roles WHERE rolname LIKE 'banyan\\_%' AND rolname <> $1`,
      [role],
    );
    for (const { rolname } of others) await client.query(`GRANT CONNECT ON DATABASE ${name} TO ${rolname}`);
    await client.query(`REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC, ${role}`);
    await client.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename = $1',
      [role],
    );
  } finally {
    await client.end();
  }
}

describe('health', () => {
  let shop: Shop;
  let internal: string;
  beforeAll(async () => {
    shop = clientOf(await startShop({ env: { DRAIN_DELAY_MS: '500' } }));
    internal = /INTERNAL_PORT is open at (http:\S+?)"/.exec(shop.started.output())![1]!;
  });
  afterAll(() => shop?.started.stop());

  const ready = async (base = shop.url) => send(base, { path: '/health/ready' });
  const readyWith = (status: number, base?: string) =>
    eventually(async () => {
      const got = await ready(base);
      expect(got.status, got.text).toBe(status);
      return got;
    });

  it('is live and ready on both ports, and says why', async () => {
    for (const base of [shop.url, internal]) {
      const live = await send(base, { path: '/health/live' });
      expect(live).toMatchObject({ status: 200, body: { status: 'live', host: 'monolith' } });
      expect(await ready(base)).toMatchObject({
        status: 200,
        body: {
          status: 'ready',
          host: 'monolith',
          checks: {
            booted: true,
            placements: true,
            stores: Object.fromEntries(modules.map((module) => [module, 'ok'])),
          },
          modules: Object.fromEntries(
            modules.map((module) => [module, { placement: 'in-process', instances: 0, healthy: 0 }]),
          ),
        },
      });
    }
  });

  it('is asked without credentials, whatever else is sent', async () => {
    const got = await send(shop.url, { path: '/health/ready', headers: { 'content-type': 'text/plain' } });
    expect(got.status).toBe(200);
    expect((await send(shop.url, { method: 'HEAD', path: '/health/ready' })).status).toBe(200);
  });

  it('is not ready while a module served here does not reach its store, and then it is again', async () => {
    await allow(shop, 'orders', false);
    const got = await readyWith(503);
    expect(got.body).toMatchObject({
      status: 'unavailable',
      checks: { stores: { orders: 'unreachable', users: 'ok' } },
    });
    expect((await send(shop.url, { path: '/health/live' })).status).toBe(200);
    await allow(shop, 'orders', true);
    await readyWith(200);
  });

  describe('of a module that serves elsewhere', () => {
    let service: string;
    const seen = (healthy: number) =>
      eventually(async () => {
        const got = await ready();
        expect(got.status, got.text).toBe(200);
        expect(got.body.modules.orders).toEqual({ placement: 'service', instances: 1, healthy });
      });

    beforeAll(async () => {
      await shop.started.extract('orders');
      const { body } = await shop.call('GET', '/admin/placements', { token: shop.adminToken });
      service = body.modules.find(({ module }: { module: string }) => module === 'orders').instances[0].url;
    });

    it('is its own, on its internal port', async () => {
      const got = await ready(service);
      expect(got).toMatchObject({
        status: 200,
        body: { host: 'orders-1', checks: { stores: { orders: 'ok' } } },
      });
      expect(Object.keys(got.body.checks.stores)).toEqual(['orders']);
      await seen(1);
    });

    it('is told by every host, and makes none of them unready', async () => {
      await allow(shop, 'orders', false);
      await readyWith(503, service);
      await seen(0);
      await allow(shop, 'orders', true);
      await readyWith(200, service);
      await seen(1);
    });
  });

  describe('the metrics', () => {
    const metrics = async (base: string) => {
      const got = await send(base, { path: '/metrics' });
      expect(got.status).toBe(200);
      expect(got.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
      return got.text;
    };

    it('are in the format of Prometheus', async () => {
      await shop.call('GET', '/api/catalog/products?limit=1');
      const text = await metrics(internal);
      const sample = /^[a-zA-Z_:][\w:]*(\{(\w+="([^"\\]|\\.)*",?)*\})? (NaN|[-+]?(Inf|[\d.]+(e[-+]?\d+)?))$/;
      for (const line of text.trimEnd().split('\n'))
        if (line !== '' && !/^# (HELP|TYPE) \S+/.test(line)) expect(line).toMatch(sample);
      const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]!);
      expect(new Set(names).size).toBe(names.length);
      expect(text).toMatch(
        /^http_server_request_duration_seconds_count\{.*route="\/api\/catalog\/products".*\} \d+$/m,
      );
      expect(text).toContain('host="monolith"');
    });

    it('have no label that a client could make up', async () => {
      for (const path of ['/made-up-path', '/api/made-up', '/api/orders/made-up', '/%61pi/made-up'])
        await send(shop.url, { path, method: 'PURGE' });
      for (const path of ['/made-up-path', '/api/made-up', '/api/catalog/products/made-up'])
        await send(shop.url, { path });
      expect(await metrics(internal)).not.toContain('made-up');
    });

    it('are not on the public port', async () => {
      expectProblem(await send(shop.url, { path: '/metrics' }), 404, undefined);
    });
  });

  it('is given up before the port is, when the host is told to stop', async () => {
    const stopped = shop.started.host.end();
    const got = await readyWith(503);
    expect(got.body.status).toBe('draining');
    expect((await send(shop.url, { path: '/health/live' })).status).toBe(200);
    expect((await shop.call('GET', '/api/catalog/products?limit=1')).status).toBe(200);
    expect(await stopped).toBe(0);
  });
});
