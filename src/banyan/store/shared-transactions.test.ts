// Transactions that share a commit because their kind was seen to be of one wave: each comes to what it would alone.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { silent, type ThrowawayServer, throwawayServer } from '../postgres/testing.ts';
import { createStore, type OpenStore } from './create.ts';
import type { Transaction } from './store.ts';

let server: ThrowawayServer;
let store: OpenStore<undefined>;
let wakes = 0;

beforeAll(async () => {
  server = await throwawayServer();
  store = createStore({
    module: 'public',
    url: server.url,
    prisma: () => undefined,
    publisher: {
      check: (_event, data) => ({ id: '', row: [data] }),
      write: (rows) => [{ text: 'INSERT INTO told SELECT unnest($1::int[])', values: [rows.flat()] }],
    },
    onCommit: () => {
      wakes += 1;
    },
    strict: true,
    log: silent,
  });
  await store.pool.query('CREATE TABLE note (n int PRIMARY KEY CHECK (n <> 13)); CREATE TABLE told (n int)');
}, 60_000);
afterAll(async () => {
  await store.close();
  await server.stop();
});
beforeEach(() => store.pool.query('TRUNCATE note, told'));

const numbers = (from: number, count: number) => Array.from({ length: count }, (_, n) => from + n);
const insert = (tx: Transaction, n: number) => tx.sql.query('INSERT INTO note (n) VALUES ($1)', [n]);
const transactionsOf = async () =>
  new Set((await store.pool.query('SELECT xmin::text AS x FROM note WHERE n >= 100')).rows.map(({ x }) => x))
    .size;

async function write(n: number): Promise<number> {
  return store.transaction(async (tx) => {
    const { rowCount } = await insert(tx, n);
    if (n % 10 === 7) throw new Error('changed its mind');
    await tx.publish({} as never, n as never);
    return n + rowCount;
  });
}

/** Until its kind is known for its manners. */
async function introduce(work: (n: number) => Promise<unknown>): Promise<void> {
  for (let n = 0, left = 20; left > 0; n += 1) {
    if (n % 10 === 7 || n === 13) continue;
    await work(n);
    left -= 1;
  }
}

test('those of one wave come to share a commit, each with its answer and its event', async () => {
  await introduce(write);
  const all = numbers(100, 7);
  expect(await Promise.all(all.map(write))).toEqual(all.map((n) => n + 1));
  expect(await transactionsOf()).toBe(1);
  const { rows } = await store.pool.query('SELECT n FROM told WHERE n >= 100 ORDER BY n');
  expect(rows.map(({ n }) => n)).toEqual(all);
});

test('one that fails, by itself or in the database, takes no other with it', async () => {
  await introduce(write);
  const ended = await Promise.allSettled([101, 107, 13, 102, 103].map(write));
  expect(ended.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'rejected',
    'fulfilled',
    'fulfilled',
  ]);
  const { rows } = await store.pool.query('SELECT n FROM note WHERE n >= 100 ORDER BY n');
  expect(rows.map(({ n }) => n)).toEqual([101, 102, 103]);
  const told = await store.pool.query('SELECT n FROM told WHERE n >= 100 ORDER BY n');
  expect(told.rows.map(({ n }) => n)).toEqual([101, 102, 103]);
});

test('one whose kind turns to a second wave is done alone, and so are those after it', async () => {
  const work = (n: number) =>
    store.transaction(async (tx) => {
      await insert(tx, n);
      if (n >= 100) await tx.sql.query('SELECT 1');
    });
  await introduce(work);
  await Promise.all(numbers(100, 5).map(work));
  expect(await transactionsOf()).toBe(5);
  await Promise.all(numbers(200, 5).map(work));
  expect(await transactionsOf()).toBe(10);
});

test('what concerns the whole transaction is done alone', async () => {
  const work = (n: number) =>
    store.transaction(async (tx) => {
      void tx.sql.query(`SET LOCAL banyan.mark = 'mine'`);
      await insert(tx, n);
    });
  await introduce(work);
  await Promise.all(numbers(100, 5).map(work));
  expect(await transactionsOf()).toBe(5);
});

test('what follows a commit follows it once for each', async () => {
  await introduce(write);
  const before = wakes;
  await Promise.all([101, 102].map(write));
  expect(wakes).toBe(before + 2);
});
