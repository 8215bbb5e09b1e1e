// More than a module can do: what is refused, what goes on. The module stands still because its table is locked, so that
// the numbers do not depend on the machine.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { Pool } from 'undici';
import { expect, test } from 'vitest';
import { metricOf } from './metric.ts';
import { type Shop, withShop } from './shop.ts';

const FLOOD = 1100;
const LIMIT = 1000;

async function flood(shop: Shop): Promise<void> {
  const { token } = await shop.customer();
  const product = await shop.product({ stock: 100_000 });
  const before = await metricOf(shop, 'banyan_shed_total{module="orders",reason="limit"');
  const locker = new pg.Client({ connectionString: shop.started.databaseUrl });
  await locker.connect();
  await locker.query('BEGIN; LOCK TABLE orders.orders IN ACCESS EXCLUSIVE MODE');
  const pool = new Pool(shop.url, { connections: FLOOD, pipelining: 1 });
  const order = async () => {
    const answer = await pool.request({
      method: 'POST',
      path: '/api/orders',
      headers: {
        authorization: `Bearer ${token}`,
        'idempotency-key': randomUUID(),
        'content-type': 'application/json',
      },
      body: JSON.stringify({ lines: [{ productId: product.id, quantity: 1 }], paymentToken: 'tok_ok' }),
    });
    const body = (await answer.body.json()) as { code?: string; module?: string };
    return { status: answer.statusCode, headers: answer.headers, body };
  };
  const asked = Array.from({ length: FLOOD }, order);
  const answered: Awaited<ReturnType<typeof order>>[] = [];
  for (const one of asked) void one.then((answer) => answered.push(answer));
  // Those beyond the limit are answered while all the others wait.
  await expect.poll(() => answered.length).toBe(FLOOD - LIMIT);
  for (const { status, headers, body } of answered) {
    expect([status, body.code, body.module]).toEqual([503, 'unavailable', 'orders']);
    expect(headers).toMatchObject({ 'retry-after': '1', 'x-content-type-options': 'nosniff' });
  }
  // Nobody else has any of it: not another module, not health, not the operator.
  expect((await shop.call('GET', '/api/catalog/products?limit=1')).status).toBe(200);
  expect((await shop.call('GET', '/health/live')).status).toBe(200);
  expect((await shop.call('GET', '/admin/placements', { token: shop.started.adminToken })).status).toBe(200);
  expect(await metricOf(shop, 'banyan_shed_total{module="orders",reason="limit"')).toBe(
    before + FLOOD - LIMIT,
  );
  await locker.query('COMMIT');
  await locker.end();
  // Whoever was let in is answered: done, or told by a problem that the store did not get to it in time.
  const all = await Promise.all(asked);
  expect(all.filter(({ status, body }) => status !== 202 && body.code === undefined)).toEqual([]);
  await expect.poll(async () => (await order()).status, { timeout: 30_000 }).toBe(202);
  await pool.close();
}

withShop((shop) => {
  test(
    'a module that stands still, near: the limit is taken in, the rest is refused at once',
    { timeout: 120_000 },
    () => flood(shop()),
  );
});

// A shop of its own: what the limit of a module has learned from a flood is no part of the next one.
withShop((shop) => {
  test('the same far', { timeout: 120_000 }, async () => {
    await shop().started.extract('orders');
    await flood(shop());
    await shop().started.restore('orders');
  });
});
