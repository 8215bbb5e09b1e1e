// Stores that move while the product works: two monoliths, a process of orders and one of users, customers who order
// meanwhile. Each party is killed once in the pause (the whole table is store-kill.long.test.ts); the relay goes on at
// once; users moves as well, and a session that ends there has ended everywhere, whoever is killed.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { booksOf, differences } from './rehearse/store/books.ts';
import { openStage, type StoreShop } from './rehearse/store/stage.ts';
import { Writers } from './rehearse/store/writers.ts';
import type { Boundary } from './store/boundary.ts';
import { ended, moved, moveStruck, storeOf, writableAt } from './store/move.ts';
import { type Party, serviceOf } from './store/parties.ts';

let shop: StoreShop;
let writers: Writers;
const since = new Date();

beforeAll(async () => {
  shop = await openStage({ kind: 'named', monoliths: 2 });
  writers = new Writers(shop, { perSecond: 5, patient: true });
  writers.start();
  await moved(shop, shop.other);
}, 300_000);
afterAll(async () => {
  await writers?.stop();
  await shop?.stop();
}, 120_000);

test.each<[Party, Boundary]>([
  ['coordinator', { moment: 'after', step: 'held' }],
  ['source', { moment: 'before', step: 'moved' }],
  ['service', { moment: 'before', step: 'moved' }],
  ['target', { moment: 'after', step: 'moved' }],
])('the %s is killed %o is written', { timeout: 600_000 }, async (party, boundary) => {
  const { server } = await storeOf(shop);
  const to = server === 'shared' ? shop.other : 'shared';
  await moveStruck(shop, to, party, boundary);
  expect([await writableAt(shop, to), await writableAt(shop, server)]).toEqual([true, false]);
});

test('right after a move what is published is sent within a second', { timeout: 600_000 }, async () => {
  const { server } = await storeOf(shop);
  const to = server === 'shared' ? shop.other : 'shared';
  await moved(shop, to);
  const waiting = async () =>
    (
      await shop
        .serverOf(to)
        .query<{ ms: number }>(
          `SELECT coalesce(max(extract(epoch FROM clock_timestamp() - created_at)), 0)::float8 * 1000 AS ms FROM orders.event_outbox`,
        )
    )[0]!.ms;
  let longest = 0;
  for (let n = 0; n < 20; n += 1) {
    longest = Math.max(longest, await waiting());
    await pause(100);
  }
  expect(longest).toBeLessThan(1_000);
});

test('users moves, and a session that ended there is refused everywhere within a second, whoever was killed', {
  timeout: 600_000,
}, async () => {
  await shop.admin('PUT', '/admin/services/users', { instances: 1 });
  await shop.admin('PUT', '/admin/placements/users', { placement: 'service' });
  await moved(shop, shop.other, 'users');
  const { token } = shop.customers[0]!;
  const statuses = () =>
    Promise.all(
      shop.monoliths.map(
        async (_, at) => (await shop.ask(at, { method: 'GET', path: '/api/payments', token })).status,
      ),
    );
  expect(await statuses()).toEqual([200, 200]);
  const { status } = await shop.ask(0, { method: 'DELETE', path: '/api/users/sessions/current', token });
  process.kill((await serviceOf(shop, 'users')).pid, 'SIGKILL');
  const began = Date.now();
  expect(status).toBe(204);
  await expect.poll(statuses, { interval: 10 }).toEqual([401, 401]);
  expect(Date.now() - began).toBeLessThan(1_000);
  await moved(shop, 'shared', 'users');
  expect(await statuses()).toEqual([401, 401]);
});

test('everything that was promised is there, once, and both servers have the same', {
  timeout: 600_000,
}, async () => {
  await writers.stop();
  await shop.admin('POST', '/admin/stores/orders/verify');
  const { move } = await ended(shop);
  expect(move.tables.filter(({ alike }) => !alike)).toEqual([]);
  expect(writers.failed).toEqual([]);
  expect(differences(await booksOf(shop, writers, since))).toEqual([]);
});
