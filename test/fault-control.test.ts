// The control store refuses, and then hangs, through a flip: placements hold where they are, nobody's request
// fails, the operator is told to try again, and afterwards nothing has been forgotten.
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { overview, place, scale } from './flip-modules.ts';
import { Traffic } from './flip-traffic.ts';
import { metricOf } from './metric.ts';
import { eventually, type Shop, withShop } from './shop.ts';

withShop((shop) => {
  let database: pg.Client;
  let traffic: Traffic;
  const name = () => pg.escapeIdentifier(new URL(shop().started.databaseUrl).pathname.slice(1));
  beforeAll(async () => {
    database = new pg.Client({ connectionString: shop().started.databaseUrl });
    await database.connect();
    traffic = new Traffic(shop(), 6);
    await traffic.prepare();
    await shop().started.extract('catalog', 2);
  });
  afterAll(async () => {
    await traffic?.close();
    await database?.end();
  });

  /** The role of control may not connect any more, and what it had is cut off; roles of modules may. */
  const refuse = async () => {
    const { rows } = await database.query<{ rolname: string }>(
      `SELECT rolname FROM pg_roles WHERE rolname LIKE 'banyan%' AND rolname <> 'banyan_control' AND rolcanlogin`,
    );
    for (const { rolname } of rows) await database.query(`GRANT CONNECT ON DATABASE ${name()} TO ${rolname}`);
    await database.query(`REVOKE CONNECT ON DATABASE ${name()} FROM PUBLIC`);
    await database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE usename = 'banyan_control' AND datname = current_database()`,
    );
  };
  const admit = () => database.query(`GRANT CONNECT ON DATABASE ${name()} TO PUBLIC`);
  /** Every statement on the tables of control waits. */
  const hang = async () => {
    const { rows } = await database.query<{ tables: string }>(
      `SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') AS tables FROM pg_tables
       WHERE schemaname = 'banyan_control'`,
    );
    await database.query(`BEGIN; LOCK TABLE ${rows[0]!.tables} IN ACCESS EXCLUSIVE MODE`);
  };
  const release = () => database.query('ROLLBACK');

  const throughOutage = async (placement: string, elsewhere: string) => {
    for (let n = 0; n < 3; n += 1) {
      const flip = await place(shop(), 'catalog', elsewhere);
      expect(flip).toMatchObject({ status: 503, body: { code: 'unavailable', status: 503 } });
      expect(flip.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(flip.headers.get('content-type')).toContain('application/problem+json');
    }
    expect((await scale(shop(), 'catalog', 3)).status).toBe(503);
    expect((await shop().call('GET', '/admin/placements', { token: shop().adminToken })).status).toBe(503);
    // So many that everybody seems to have been silent for 3 s.
    const before = traffic.done;
    await eventually(() => expect(traffic.done).toBeGreaterThan(before + 300));
    expect(await servedBy(shop())).toMatch(placement === 'service' ? /^catalog-/ : 'monolith');
    const ready = await shop().call('GET', '/health/ready');
    expect(ready.status, JSON.stringify(ready.body)).toBe(200);
    // A scrape says so, with what the picture has; what only the tables have is left out.
    expect(await metricOf(shop(), 'banyan_control_reachable{')).toBe(0);
    const ratio = 'banyan_placement_service_ratio{module="catalog"';
    expect(await metricOf(shop(), ratio)).toBe(placement === 'service' ? 1 : 0);
    expect(await metricOf(shop(), 'banyan_instances_wanted{module="catalog"')).toBeNaN();
    expect((await shop().call('GET', '/admin/discovery', { token: shop().adminToken })).status).toBe(503);
  };

  test.each([
    ['refuses', refuse, admit],
    ['hangs', hang, release],
  ])('it %s', { timeout: 60_000 }, async (_, begin, end) => {
    const before = await overview(shop(), 'catalog');
    const { placement } = before;
    const elsewhere = placement === 'service' ? 'in-process' : 'service';
    await begin();
    try {
      await traffic.during(() => throughOutage(placement, elsewhere));
    } finally {
      await end();
    }
    await traffic.during(async () => {
      await eventually(async () => {
        const flip = await place(shop(), 'catalog', elsewhere);
        expect(flip.status, JSON.stringify(flip.body)).toBe(200);
      });
      expect(await servedBy(shop())).toMatch(elsewhere === 'service' ? /^catalog-/ : 'monolith');
    });
    expect(traffic.failures).toEqual([]);
    const after = await overview(shop(), 'catalog');
    expect(after.instances).toEqual(before.instances);
  });

  test('nothing that was answered is lost', async () => {
    await traffic.check();
    expect(shop().started.output()).not.toMatch(/"level":"error".*hosts are gone/);
  });
});

async function servedBy(shop: Shop): Promise<string> {
  const { headers } = await shop.call('GET', '/api/catalog/products?limit=1');
  return String(headers.get('x-served-by'));
}
