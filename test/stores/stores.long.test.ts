// What hosts do while a store goes to another server and comes back: no request fails, whoever runs the module; who stood still
// all the while goes on where the store is; a start finds it, and opens no fence.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { query, type ThrowawayServer, throwawayServer } from '../../src/banyan/postgres/testing.ts';
import { type Customer, clientOf, type Shop } from '../shop.ts';
import { startShop } from '../start-shop.ts';
import { Mover } from './mover.ts';

let server: ThrowawayServer;
let shop: Shop;
let mover: Mover;
let customer: Customer;
let productId: string;
const frozen = new Set<number>();

beforeAll(async () => {
  server = await throwawayServer();
  const second = await server.database();
  shop = clientOf(await startShop({ env: { STORE_SECOND_URL: second } }));
  mover = new Mover(shop, 'orders', { second });
  customer = await shop.customer();
  productId = (await shop.product({ stock: 10_000 })).id;
  await mover.pair('shared', 'second');
}, 120_000);
afterAll(async () => {
  await mover?.close('shared', 'second');
  await shop?.started.stop();
  await server?.stop();
}, 60_000);
afterEach(() => {
  for (const pid of frozen) process.kill(pid, 'SIGCONT');
  frozen.clear();
});

const order = () => shop.order(customer, [{ productId, quantity: 1 }]);
const rows = async (name: string) =>
  (await query<{ n: number }>(mover.at(name).adminUrl, 'SELECT count(*)::int AS n FROM orders.orders'))[0]!.n;
const mayWrite = async (name: string) =>
  (
    await query<{ may: boolean }>(
      mover.at(name).adminUrl,
      `SELECT has_table_privilege('banyan_orders', 'orders.orders', 'INSERT') AS may`,
    )
  )[0]!.may;

/** Orders without a pause while the work is done; answers how many. */
async function ordering(work: () => Promise<unknown>): Promise<number> {
  let [over, placed] = [false, 0];
  const clients = Array.from({ length: 3 }, async () => {
    while (!over) {
      await order();
      placed += 1;
    }
  });
  try {
    await work();
    await pause(200);
  } finally {
    over = true;
  }
  await Promise.all(clients);
  return placed;
}

test('in the monolith: there and back under orders, none fails and none is lost', {
  timeout: 60_000,
}, async () => {
  const before = await rows('shared');
  const placed = await ordering(async () => {
    await mover.move('shared', 'second');
    await order();
    expect(await mayWrite('shared')).toBe(false);
    await mover.move('second', 'shared');
  });
  expect(await rows('shared')).toBe(before + placed + 1);
  expect([await mayWrite('shared'), await mayWrite('second')]).toEqual([true, false]);
  expect((await mover.place())!).toMatchObject({ server: 'shared', epoch: 2, gate: 'open' });
});

test('in a service, which learns it from its monolith; its events arrive', { timeout: 90_000 }, async () => {
  await shop.started.extract('orders');
  const before = await rows('shared');
  const placed = await ordering(() => mover.move('shared', 'second'));
  expect(await rows('second')).toBe(before + placed);
  const { id } = await order();
  expect((await shop.final(customer, id)).status).toBe('confirmed');
  expect(await mayWrite('shared')).toBe(false);
});

test('a start finds it there, opens no fence, and starts services there', { timeout: 90_000 }, async () => {
  await shop.started.host.kill();
  await shop.started.restart();
  shop = clientOf(shop.started);
  expect((await order()).id).toBeDefined();
  await shop.started.restore('orders');
  const { id } = await order();
  expect((await shop.final(customer, id)).status).toBe('confirmed');
  expect([await mayWrite('shared'), await mayWrite('second')]).toEqual([false, true]);
});

test('a host that stood still over a whole move is refused there, and its first request goes on here', {
  timeout: 60_000,
}, async () => {
  const { pid } = shop.started.host;
  await order();
  process.kill(pid, 'SIGSTOP');
  frozen.add(pid);
  // Silent for 3 s it is not waited for.
  await pause(3_200);
  await mover.move('second', 'shared');
  const before = await rows('shared');
  const first = order();
  process.kill(pid, 'SIGCONT');
  frozen.delete(pid);
  await first;
  expect(await rows('shared')).toBe(before + 1);
});
