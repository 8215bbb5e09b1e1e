// Where stores are, as rows and as hosts see and report it: who owns one, what a gate does, and who counts as having obeyed.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { identify } from '../context/process.ts';
import { closed, defineContract, operation } from '../contract/contract.ts';
import { Type } from '../contract/type.ts';
import { canonicalContract } from './canonical.ts';
import {
  startTestMonolith,
  startTestServer,
  type TestMonolith,
  type TestServer,
  testToken,
} from './fixture.ts';
import { until } from './follower.ts';
import type { HostReport, Registration } from './host.ts';
import { createHttpFollower } from './http-follower.ts';
import { controlSchema } from './schema.ts';
import {
  announce,
  hold,
  ignorantOfStores,
  makeAt,
  NotHeld,
  notHeld,
  notOn,
  notReady,
  own,
  pairWith,
  readdress,
  readPlaces,
  release,
} from './store-places.ts';

const log = pino({ level: 'silent' });
const there = { host: '127.0.0.1', port: 5433, database: 'banyan' };
const input = closed({ id: Type.String() });
const show = operation({ summary: 'Show', access: 'public', input, output: input, idempotent: true });
const contracts = {
  orders: canonicalContract(defineContract('orders', { summary: 'Orders', operations: { show } })),
};
const soon = { timeout: 5_000, interval: 20 };
let server: TestServer;
let one: TestMonolith;
const opened: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(() => server?.stop());
beforeEach(async () => {
  const url = (await server.database(controlSchema())).urlOf('banyan_control');
  one = await startTestMonolith(url, { contracts });
  opened.push(one);
});
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.stop();
});

const change: TestMonolith['store']['change'] = (work) => one.store.change(work);
const row = async () => (await readPlaces(one.store.sql))[0];

test('the owner changes while the gate is held, and then alone: one epoch later, and open', async () => {
  const { version } = one.follower.current;
  expect(one.follower.current.stores).toBeUndefined();
  expect(await change((tx) => hold(tx, 'orders', there, 'ada'))).toBe(version + 1);
  expect(await change((tx) => hold(tx, 'orders', there))).toBe(version + 1);
  await until(one.follower, ({ stores }) => stores?.orders?.gate === 'held', 5_000);
  expect(one.follower.current.stores).toEqual({
    orders: { server: 'shared', epoch: 0, gate: 'held', next: there },
  });
  expect(await row()).toMatchObject({ module: 'orders', pairedWith: null, changedBy: 'ada' });
  await expect(
    change((tx) => own(tx, 'orders', { server: 'own', address: there, pairedWith: 'shared' }, { epoch: 7 })),
  ).rejects.toThrow(NotHeld);
  await change((tx) =>
    own(tx, 'orders', { server: 'own', address: there, pairedWith: 'shared' }, { epoch: 0 }),
  );
  await until(one.follower, ({ stores }) => stores?.orders?.epoch === 1, 5_000);
  expect(one.follower.current.stores).toEqual({
    orders: { server: 'own', epoch: 1, gate: 'open', address: there },
  });
  // Who comes late with the same wish finds it decided.
  await expect(
    change((tx) => own(tx, 'orders', { server: 'shared', address: null, pairedWith: null })),
  ).rejects.toThrow(NotHeld);
});

test('a gate that is opened again leaves all as it was, a pair is said and taken back, an address is that of one server', async () => {
  await change((tx) => hold(tx, 'orders', there));
  await change((tx) => release(tx, 'orders'));
  expect(await row()).toMatchObject({ server: 'shared', epoch: 0, gate: 'open' });
  expect(await row()).not.toHaveProperty('next');
  const { version } = await one.store.read();
  expect(await change((tx) => release(tx, 'orders'))).toBe(version);
  expect(await change((tx) => pairWith(tx, 'users', null))).toBe(version);
  await change((tx) => pairWith(tx, 'orders', 'own'));
  expect(await row()).toMatchObject({ server: 'shared', pairedWith: 'own' });
  await change((tx) => makeAt(tx, 'users', 'fast', there));
  expect(await change((tx) => makeAt(tx, 'users', 'own', there))).toBe(version + 2);
  await change((tx) => readdress(tx, 'users', 'fast', { ...there, port: 5434 }));
  expect(await change((tx) => readdress(tx, 'users', 'own', there))).toBe(version + 3);
  expect((await readPlaces(one.store.sql))[1]).toMatchObject({
    server: 'fast',
    epoch: 1,
    address: { port: 5434 },
  });
});

test('where it may go soon is said under an open gate, and is over with it', async () => {
  await change((tx) => pairWith(tx, 'orders', 'own'));
  await change((tx) => announce(tx, 'orders', null));
  expect(await row()).toMatchObject({ gate: 'open', next: {} });
  await change((tx) => hold(tx, 'orders', there));
  // Whoever waits has his connections there already, or makes them now.
  await change((tx) => announce(tx, 'orders', null));
  expect(await row()).toMatchObject({ gate: 'held', next: there });
  await change((tx) => release(tx, 'orders'));
  expect(await row()).not.toHaveProperty('next');
});

test('a host has done what it says of its own modules that it did; one that never said has not', async () => {
  let said: HostReport['stores'] = {};
  const report = (): HostReport => ({ ready: true, draining: false, inflight: {}, busy: {}, stores: said });
  const token = () => testToken('control');
  const orders = createHttpFollower({ controlUrl: one.url, token, log, onRefused: () => {} });
  opened.push(orders);
  await orders.start();
  const self: Registration = {
    ...{
      host: randomUUID(),
      id: 'orders-1',
      role: 'service',
      modules: ['orders'],
      url: 'http://127.0.0.1:9',
    },
    ...{ doors: ['ws', 'http'], process: identify(process.pid)!, contracts },
  };
  await orders.register(self, report);
  const both = ['monolith', 'orders-1'];
  const { sql } = one.store;
  expect([await notHeld(sql, 'orders', 0), await notOn(sql, 'orders', 1)]).toEqual([both, both]);
  said = { orders: { epoch: 0, held: true, open: 2 }, users: { epoch: 5, held: true, open: 0 } };
  await orders.beat();
  expect(await notHeld(sql, 'orders', 0)).toEqual(both);
  said = { orders: { epoch: 0, held: true, open: 0 } };
  await orders.beat();
  // What it was about to say just before may come in after it, and is said again.
  await expect.poll(() => notHeld(sql, 'orders', 0), soon).toEqual(['monolith']);
  expect(await notHeld(sql, 'orders', 1)).toEqual(both);
  expect(await notReady(sql, 'orders')).toEqual(both);
  said = { orders: { epoch: 1, held: false, open: 3, ready: true } };
  await orders.beat();
  await expect.poll(() => notOn(sql, 'orders', 1), soon).toEqual(['monolith']);
  expect(await notHeld(sql, 'orders', 1)).toEqual(both);
  expect(await notReady(sql, 'orders')).toEqual(['monolith']);
  const stored = await sql.query<{ stores: object }>(`SELECT stores FROM host WHERE id = 'orders-1'`);
  expect(stored.rows).toEqual([{ stores: said }]);
  expect(await ignorantOfStores(sql)).toEqual([]);
  // In one transaction: its next heartbeat says again what it speaks.
  await change(async (tx) => {
    await tx.query(`UPDATE host SET speaks = '{canary}' WHERE id = 'orders-1'`);
    expect(await ignorantOfStores(tx)).toEqual(['orders-1']);
    return false;
  });
});

test('what a service says of modules that are not its own is not kept', async () => {
  let said: HostReport['stores'] = { users: { epoch: 5, held: true, open: 0 } };
  const token = () => testToken('control');
  const orders = createHttpFollower({ controlUrl: one.url, token, log, onRefused: () => {} });
  opened.push(orders);
  await orders.start();
  await orders.register(
    {
      ...{
        host: randomUUID(),
        id: 'orders-1',
        role: 'service',
        modules: ['orders'],
        url: 'http://127.0.0.1:9',
      },
      ...{ doors: ['ws', 'http'], process: identify(process.pid)!, contracts },
    },
    () => ({ ready: true, draining: false, inflight: {}, busy: {}, stores: said }),
  );
  said = { ...said, orders: { epoch: 2, held: false, open: 0 } };
  await orders.beat();
  const stored = await one.store.sql.query<{ stores: object }>(
    `SELECT stores FROM host WHERE id = 'orders-1'`,
  );
  expect(stored.rows).toEqual([{ stores: { orders: said.orders } }]);
});
