// One pool that follows its store: what it does at each word of the picture, and what it says of it. Two databases stand for
// two servers.
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ModulePool } from '../postgres/module-pool.ts';
import { addressOf, urlAt } from '../postgres/server-address.ts';
import { type ThrowawayServer, throwawayServer } from '../postgres/testing.ts';
import type { StorePlace } from '../routing/snapshot.ts';
import { FollowedStore } from './followed-store.ts';

const log = pino({ level: 'silent' });
let server: ThrowawayServer;
let [here, there] = ['', ''];
let pool: ModulePool;
let store: FollowedStore;
let said: unknown[];

beforeAll(async () => {
  server = await throwawayServer();
  [here, there] = [await server.database(), await server.database()];
}, 60_000);
afterAll(() => server?.stop());
beforeEach(() => {
  pool = new ModulePool({ connectionString: here, max: 2 }, () => {});
  said = [];
  store = new FollowedStore({ module: 'shop', pool, url: here, onDone: () => said.push(store.report), log });
});
afterEach(() => pool.end());

const where = async () => (await pool.query('SELECT current_database() AS name')).rows[0].name as string;
const atOther = async () =>
  (
    await pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'`,
      [nameOf(there)],
    )
  ).rows[0]!.n;
const nameOf = (url: string) => new URL(url).pathname.slice(1);
const shared = (epoch: number, gate: StorePlace['gate'] = 'open'): StorePlace => ({
  server: 'shared',
  epoch,
  gate,
});
const own = (epoch: number, gate: StorePlace['gate'] = 'open'): StorePlace => ({
  ...{ server: 'own', epoch, gate, address: addressOf(there) },
});

test('an address put into a URL of another role leads to the same database', () => {
  const address = addressOf('postgres://admin:secret@db.example:5433/ba%20nyan?host=/run/pg&sslmode=require');
  expect(address).toEqual({
    ...{ host: 'db.example', port: 5433, database: 'ba nyan', socket: '/run/pg', sslmode: 'require' },
  });
  expect(JSON.stringify(address)).not.toContain('secret');
  const url = urlAt('postgres://banyan_shop:mine@a/b?host=/tmp&application_name=x', address);
  expect(addressOf(url)).toEqual(address);
  expect(url).toContain('banyan_shop:mine@');
  expect(urlAt(url, undefined)).toBe(url);
});

test('held: it says so once nothing is under way, waits, and goes on where the store is then', async () => {
  expect(store.report).toBeUndefined();
  const client = await pool.connect();
  await store.follow({ ...shared(0, 'held'), next: addressOf(there) });
  expect(store.report).toMatchObject({ epoch: 0, held: true });
  expect(store.report!.open).toBeGreaterThan(0);
  const waits = where();
  client.release();
  await expect.poll(() => said.at(-1)).toEqual({ epoch: 0, held: true, open: 0 });
  await store.follow(own(1));
  expect(await waits).toBe(nameOf(there));
  expect(said.at(-1)).toMatchObject({ epoch: 1, held: false });
  // And back.
  await store.follow(own(1, 'held'));
  await store.follow(shared(2));
  expect(await where()).toBe(nameOf(here));
});

test('where it may go soon it gets ready while work goes on, and says so; what is called off is forgotten', async () => {
  await store.follow({ ...shared(0), next: addressOf(there) });
  await expect.poll(() => said.at(-1)).toEqual({ epoch: 0, held: false, open: 0, ready: true });
  expect([await where(), await atOther()]).toEqual([nameOf(here), 1]);
  await store.follow(shared(0));
  expect(store.report).toEqual({ epoch: 0, held: false, open: 0 });
  await expect.poll(atOther).toBe(0);
  // And to where its own URL leads.
  await store.follow(own(1));
  await store.follow({ ...own(1), next: {} });
  await expect.poll(() => said.at(-1)).toMatchObject({ epoch: 1, ready: true });
  await store.follow(own(1, 'held'));
  await expect.poll(() => said.at(-1)).toEqual({ epoch: 1, held: true, open: 0 });
  await store.follow(shared(2));
  expect([await where(), store.report]).toEqual([nameOf(here), { epoch: 2, held: false, open: 0 }]);
});

test('a server that does not let us in keeps the store where it is: it is never said to be held for it', async () => {
  const nowhere = new URL(there);
  nowhere.pathname = '/nowhere';
  await store.follow({ ...shared(0, 'held'), next: addressOf(nowhere.href) });
  // Longer than it takes to be refused.
  await expect(pool.prepare(urlAt(here, addressOf(nowhere.href)))).rejects.toThrow('nowhere');
  expect(store.report).toEqual({ epoch: 0, held: true, open: 1 });
  await store.follow(shared(0));
  expect([store.report, await where()]).toEqual([{ epoch: 0, held: false, open: 0 }, nameOf(here)]);
  await store.follow({ ...shared(0, 'held'), next: addressOf(there) });
  await expect.poll(() => said.at(-1)).toEqual({ epoch: 0, held: true, open: 0 });
});

test('a move that is taken back opens the gate where it was', async () => {
  await store.follow(shared(0, 'held'));
  const waits = where();
  await store.follow(shared(0));
  expect(await waits).toBe(nameOf(here));
  expect(store.report).toEqual({ epoch: 0, held: false, open: 0 });
});

test('who learns late goes there in one step, an older picture leads nobody back, the same server may have another address', async () => {
  await store.follow(own(3));
  expect(await where()).toBe(nameOf(there));
  await store.follow(shared(2, 'held'));
  expect([await where(), pool.held]).toEqual([nameOf(there), false]);
  await store.follow({ ...own(3), address: addressOf(here) });
  expect(await where()).toBe(nameOf(here));
});

test('the last of many words counts, however fast they come', async () => {
  const all = [shared(0, 'held'), own(1), own(1, 'held'), shared(2), shared(2, 'held'), own(3)];
  await Promise.all(all.map((place) => store.follow(place)));
  expect([await where(), store.report]).toEqual([nameOf(there), { epoch: 3, held: false, open: 0 }]);
});

test('a server that lets nobody in is an outage of the store and not a way back', async () => {
  const nowhere = new URL(there);
  nowhere.pathname = '/nowhere';
  await store.follow({ ...own(1), address: addressOf(nowhere.href) });
  await expect(where()).rejects.toThrow('nowhere');
  expect(store.report).toMatchObject({ epoch: 1, held: false });
});
