// A store as an operator moves it, over HTTP, on a real shop with a second server: rehearsed, moved, compared, given up for
// lost with what is missing said, and moved again by a new copy.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ThrowawayServer, throwawayServer } from '../src/banyan/postgres/testing.ts';
import type { Store } from '../src/banyan/servers/desk/contract.ts';
import { type Customer, clientOf, type Shop } from './shop.ts';
import { startShop } from './start-shop.ts';

let shop: Shop;
let other: ThrowawayServer;
let customer: Customer;
let productId: string;

beforeAll(async () => {
  other = await throwawayServer();
  shop = clientOf(await startShop({ env: { STORE_OTHER_URL: await other.database() } }));
  customer = await shop.customer();
  productId = (await shop.product()).id;
});
afterAll(async () => {
  await shop?.started.stop();
  await other?.stop();
});

const admin = async (method: string, path: string, body?: object) =>
  shop.call(method, `/admin/stores${path}`, { token: shop.adminToken, ...(body && { body }) });

/** Answers the store when what was begun has ended. */
async function asked(method: string, path: string, body: object): Promise<Store> {
  const begun = await admin(method, path, body);
  expect(begun.status, JSON.stringify(begun.body)).toBe(202);
  return shop.eventually(async () => {
    const { body: store } = await admin('GET', '/orders');
    expect(store.move.endedAt).not.toBeNull();
    return store as Store;
  });
}

const order = () => shop.order(customer, [{ productId, quantity: 1 }]);
const read = (id: string) => shop.call('GET', `/api/orders/${id}`, { token: customer.token });

test('a store goes to another server and is found again, whatever becomes of that one', async () => {
  const before = await order();
  const rehearsed = await asked('PUT', '/orders', { server: 'other', rehearse: true });
  expect(rehearsed).toMatchObject({
    server: 'shared',
    epoch: 0,
    state: 'single',
    move: { state: 'rehearsed' },
  });
  expect(rehearsed.move!.numbers.total).toBeGreaterThan(0);

  const moved = await asked('PUT', '/orders', { server: 'other' });
  expect(moved).toMatchObject({
    ...{ server: 'other', epoch: 1, state: 'paired', pairedWith: 'shared' },
    move: { state: 'moved', why: null, from: 'shared', to: 'other' },
  });
  expect(moved.move!.tables.length).toBeGreaterThan(10);
  expect(moved.move!.tables.filter(({ alike }) => !alike)).toEqual([]);
  const there = await order();
  for (const { id } of [before, there]) expect((await read(id)).status).toBe(200);
  await shop.final(customer, there.id);

  expect((await admin('PUT', '/orders', { server: 'nowhere' })).body).toMatchObject({
    code: 'server-unknown',
    detail: expect.stringMatching(/STORE_NOWHERE_URL/),
  });
  expect((await asked('POST', '/orders/verify', {})).move).toMatchObject({ state: 'verified', why: null });

  await other.stop();
  await shop.eventually(async () => expect((await read(before.id)).status).toBe(503));
  const back = await asked('PUT', '/orders', { server: 'shared', loseUnreplicated: true });
  expect(back).toMatchObject({
    server: 'shared',
    epoch: 2,
    state: 'single',
    move: { task: 'lose', state: 'moved' },
  });
  expect(back.move!.notes[0]).toMatch(/has all that other committed before/);
  for (const { id } of [before, there]) expect((await read(id)).status).toBe(200);
  await shop.final(customer, (await order()).id);
});
