// Every query of every dashboard, asked of a real Prometheus that scrapes a real shop under work: it answers, with a number. What
// counts trouble says 0 while all is well, and what it is when a process was killed. Where there is no Prometheus it is left out.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missing, type Prometheus, programOf, startPrometheus } from '../rehearse/alarms/prometheus.ts';
import { clientOf, eventually, type Shop, unique } from '../shop.ts';
import { startShop } from '../start-shop.ts';
import { Collector } from '../telemetry-collector.ts';
import { type Asked, dashboardFiles, queriesOf, readDashboard } from './dashboards.ts';
import { filledIn } from './promql.ts';

const here = programOf('prometheus') !== undefined;
const values = { rateInterval: '30s', range: '5m', module: '.*', host: '.*' };

/** The monolith, two of orders, one of notifications. */
const HOSTS = 4;

/** Scrapes each second instead of every fifteen. */
const SCALE = 15;

describe.skipIf(!here)(`dashboards${here ? '' : ` (${missing('prometheus')})`}`, () => {
  const collector = new Collector();
  let shop: Shop;
  let prometheus: Prometheus;
  let work: Promise<unknown>;
  let over = false;

  beforeAll(async () => {
    const endpoint = await collector.start();
    shop = clientOf(
      await startShop({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_METRICS_EXPORTER: 'none' } }),
    );
    // Both architectures at once.
    await Promise.all([shop.started.extract('orders', 2), shop.started.extract('notifications')]);
    prometheus = await startPrometheus(new URL('/admin/discovery', shop.url).href, shop.adminToken, SCALE);
    await eventually(async () => {
      const [hosts] = await prometheus.query('count(banyan_build_info)');
      expect(hosts?.value).toBe(HOSTS);
    }, 30_000);
    work = worked();
  });
  afterAll(async () => {
    over = true;
    await work;
    await prometheus?.stop();
    await shop?.started.stop();
    collector.stop();
  });

  /** As customers do, and as they should not, until it is over. */
  async function worked(): Promise<void> {
    const { id: productId } = await shop.product({ stock: 100_000 });
    const customer = await shop.customer();
    const { token } = customer;
    while (!over) {
      await shop.order(customer, [{ productId, quantity: 1 }]);
      await Promise.all([
        shop.call('GET', '/api/catalog/products', { token }),
        shop.call('GET', '/api/orders', { token }),
        shop.call('GET', '/api/notifications', { token }),
        shop.call('GET', '/api/users/me', { token }),
        shop.call('POST', '/api/orders', {
          token,
          headers: { 'idempotency-key': unique('refused') },
          body: { lines: [{ productId: crypto.randomUUID(), quantity: 1 }], paymentToken: 'tok_ok' },
        }),
        shop.call('POST', '/api/users/sessions', { body: { email: customer.email, password: 'a guess' } }),
      ]);
    }
  }

  const answersOf = async ({ expression }: Asked) =>
    (await prometheus.query(filledIn(expression, values))).map(({ value }) => value);

  const empty = async (asked: readonly Asked[]) => {
    const without: string[] = [];
    for (const one of asked)
      if (!(await answersOf(one)).some(Number.isFinite)) without.push(`${one.where}: ${one.expression}`);
    return without;
  };

  test.each(dashboardFiles())('%s: every query answers with a number', async (file) => {
    const asked = queriesOf(readDashboard(file));
    await eventually(async () => expect(await empty(asked)).toEqual([]), 60_000);
  });

  test('a process that was killed is on the first row, and a letter is', async () => {
    const placements = queriesOf(readDashboard('placements.json'));
    const restarts = placements.find(({ where }) => where.includes('Ended by themselves'))!;
    expect(await answersOf(restarts)).toEqual([0]);
    const { modules } = (await shop.call('GET', '/admin/placements', { token: shop.adminToken })).body;
    const { pid } = modules
      .flatMap(({ instances }: { instances: { id: string; pid: number }[] }) => instances)
      .find(({ id }: { id: string }) => id === 'orders-2');
    process.kill(pid, 'SIGKILL');
    await eventually(async () => expect((await answersOf(restarts))[0]).toBeGreaterThan(0), 30_000);

    const letters = queriesOf(readDashboard('events.json')).find(({ where }) =>
      where.includes('Letters for'),
    )!;
    expect(await answersOf(letters)).toEqual([0]);
    const client = new pg.Client({ connectionString: shop.started.databaseUrl });
    await client.connect();
    await client.query(
      `UPDATE notifications.event_delivery SET state = 'dead'
       WHERE id = (SELECT id FROM notifications.event_delivery WHERE state = 'done' LIMIT 1)`,
    );
    await client.end();
    await eventually(async () => expect(await answersOf(letters)).toEqual([1]), 30_000);
  });
});
