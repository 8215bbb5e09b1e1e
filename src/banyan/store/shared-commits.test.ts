// Writes that share a commit: each gets its own answer, as if it had been alone.
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { isOutage } from '../context/outage.ts';
import { silent, type ThrowawayServer, throwawayServer } from '../postgres/testing.ts';
import { createPool } from './create.ts';
import { sharedCommits } from './shared-commits.ts';
import type { Sql } from './store.ts';

let server: ThrowawayServer;
let pool: pg.Pool;
let writes: Sql;

beforeAll(async () => {
  server = await throwawayServer();
  pool = createPool(server.url, 'test', silent);
  writes = sharedCommits(pool, 'durable');
  await pool.query('CREATE TABLE note (n int PRIMARY KEY, times int NOT NULL DEFAULT 1)');
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});
beforeEach(() => pool.query('TRUNCATE note'));

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const add = (n: number) =>
  writes.query<{ n: number }>(
    'INSERT INTO note (n) VALUES ($1) ON CONFLICT (n) DO UPDATE SET times = note.times + 1 RETURNING n',
    [n],
  );
const stored = async () =>
  (await pool.query('SELECT n, times, xmin::text AS transaction FROM note ORDER BY n')).rows;

test('what comes together is one transaction, and each has its own answer', async () => {
  const answers = await Promise.all(numbers(30).map(add));
  expect(answers.map(({ rows, rowCount }) => [rows[0]!.n, rowCount])).toEqual(numbers(30).map((n) => [n, 1]));
  const rows = await stored();
  expect(rows.map(({ times }) => times)).toEqual(numbers(30).map(() => 1));
  expect(new Set(rows.map(({ transaction }) => transaction)).size).toBe(1);
});

test('one that fails takes no other with it, and none is run twice', async () => {
  const broken = writes.query('INSERT INTO note (n, times) VALUES ($1, NULL)', [1000]);
  const refused = expect(broken).rejects.toThrow(/null value in column "times"/);
  const answers = await Promise.all(numbers(30).map(add));
  await refused;
  expect(answers).toHaveLength(30);
  expect((await stored()).map(({ times }) => times)).toEqual(numbers(30).map(() => 1));
  // The connections know which statements they have prepared.
  await Promise.all(numbers(30).map(add));
  expect((await stored()).map(({ times }) => times)).toEqual(numbers(30).map(() => 2));
});

test('a statement of which the database knows nothing fails alone', async () => {
  const [broken, ...fine] = await Promise.allSettled([writes.query('SELECT nonsense'), add(1), add(2)]);
  expect(broken).toMatchObject({ status: 'rejected', reason: { code: '42703' } });
  expect(fine.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
});

test('two that want the same rows in opposite orders both get them', async () => {
  await Promise.all([add(1), add(2)]);
  const other = new pg.Client({ connectionString: server.url });
  await other.connect();
  await other.query('BEGIN');
  await other.query('UPDATE note SET times = times + 9 WHERE n = 2');
  const both = Promise.all([add(1), add(2)]);
  // It holds 1 and waits for 2, or has given up waiting and does them alone: 1 at once then, and 2 when it can.
  await expect
    .poll(
      async () => (await pool.query(`SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted`)).rows[0].n,
    )
    .toBeGreaterThan(0);
  await other.query('UPDATE note SET times = times + 9 WHERE n = 1');
  await other.query('COMMIT');
  await both;
  await other.end();
  expect((await stored()).map(({ times }) => times)).toEqual([11, 11]);
});

test.each(['durable', 'async'] as const)('what is alone waits for a lock, however long: %s', async (how) => {
  await add(1);
  const other = new pg.Client({ connectionString: server.url });
  await other.connect();
  await other.query('BEGIN');
  await other.query('UPDATE note SET times = 10 WHERE n = 1');
  const waiting = sharedCommits(pool, how).query('UPDATE note SET times = times + 1 WHERE n = 1');
  const since = `SELECT extract(epoch FROM clock_timestamp() - min(query_start))::float8 AS seconds
    FROM pg_stat_activity WHERE wait_event_type = 'Lock'`;
  await expect
    .poll(async () => (await pool.query(since)).rows[0].seconds, { timeout: 5_000 })
    .toBeGreaterThan(0.4);
  await other.query('COMMIT');
  await other.end();
  expect(await waiting).toMatchObject({ rowCount: 1 });
  expect((await stored()).map(({ times }) => times)).toEqual([11]);
});

test('an asynchronous commit does not wait for the disk, and what comes after it on that connection does', async () => {
  const asyncCommit = sharedCommits(pool, 'async');
  const setting = `SELECT current_setting('synchronous_commit') AS value`;
  const answers = await Promise.all([1, 2, 3].map(() => asyncCommit.query(setting)));
  expect(answers.map(({ rows }) => rows[0]!.value)).toEqual(['off', 'off', 'off']);
  expect((await asyncCommit.query(setting)).rows[0]!.value).toBe('off');
  expect((await pool.query(setting)).rows[0].value).toBe('on');
});

test('a connection that is lost fails all of them, and nothing is run again', async () => {
  const lost = await Promise.allSettled([
    add(1),
    writes.query('SELECT pg_terminate_backend(pg_backend_pid())'),
    add(2),
  ]);
  expect(lost.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(await stored()).toEqual([]);
  await add(3);
  expect((await stored()).map(({ n }) => n)).toEqual([3]);
});

test('two that wait for a lock do not keep the others waiting', async () => {
  await Promise.all([1, 2].map(add));
  const other = new pg.Client({ connectionString: server.url });
  await other.connect();
  await other.query('BEGIN');
  await other.query('UPDATE note SET times = 10');
  const turn = () => new Promise(setImmediate);
  const blocked: Promise<unknown>[] = [];
  for (const n of [1, 2]) {
    blocked.push(add(n));
    await turn();
  }
  // Resolves, or this test never ends: the lock is given back after it.
  await Promise.all([3, 4, 5].map(add));
  await other.query('COMMIT');
  await other.end();
  await Promise.all(blocked);
  expect((await stored()).map(({ times }) => times)).toEqual([11, 11, 1, 1, 1]);
});

test('what was not begun in time is an error, and is never done', async () => {
  const narrow = createPool(server.url, 'narrow', silent, 1);
  const taken = await narrow.connect();
  const patient = sharedCommits(narrow, 'durable', undefined, 300);
  const write = (n: number) => patient.query('INSERT INTO note (n) VALUES ($1)', [n]);
  const turn = () => new Promise(setImmediate);
  const begun = [write(1), write(2)];
  await turn();
  begun.push(write(3), write(4));
  await turn();
  const error = await write(5).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ message: 'The database took no write for 0.3 s' });
  expect(isOutage(error), 'a client hears 503').toBe(true);
  taken.release();
  await Promise.all(begun);
  await write(6);
  expect((await stored()).map(({ n }) => n)).toEqual([1, 2, 3, 4, 6]);
  await narrow.end();
});
