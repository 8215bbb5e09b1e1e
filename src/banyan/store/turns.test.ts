// Several pieces of work in one transaction: each of them as if it had been alone, or none of it.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { silent, type ThrowawayServer, throwawayServer } from '../postgres/testing.ts';
import { createStore, type OpenStore } from './create.ts';
import type { Sql } from './store.ts';
import { inTurn, OutOfTurn, Turn } from './turns.ts';

let server: ThrowawayServer;
let store: OpenStore<undefined>;

beforeAll(async () => {
  server = await throwawayServer();
  store = createStore({
    module: 'public',
    url: server.url,
    prisma: () => undefined,
    publisher: { check: () => ({ id: '', row: undefined }), write: () => [] },
    onCommit: () => {},
    strict: true,
    log: silent,
  });
  await store.pool.query('CREATE TABLE counter (n int NOT NULL)');
}, 60_000);
afterAll(async () => {
  await store.close();
  await server.stop();
});
beforeEach(() => store.pool.query('TRUNCATE counter; INSERT INTO counter VALUES (0)'));

const count = async () => (await store.pool.query('SELECT n FROM counter')).rows[0].n as number;
const up = (sql: Sql) => sql.query('UPDATE counter SET n = n + 1');

async function readAndWrite(sql: Sql): Promise<void> {
  const { rows } = await sql.query<{ n: number }>('SELECT n FROM counter FOR UPDATE');
  await sql.query('UPDATE counter SET n = $1', [rows[0]!.n + 1]);
}

function sideBySide(works: readonly ((sql: Sql) => Promise<unknown>)[]): Promise<Turn[]> {
  return store.transaction(async ({ sql }) => {
    const turns = works.map(() => new Turn(works.length > 1));
    const ended = await Promise.allSettled(works.map((work, n) => inTurn(turns[n]!, async () => work(sql))));
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
    return turns;
  });
}

test('pieces of one wave go side by side', async () => {
  const twice = (sql: Sql) => Promise.all([up(sql), up(sql)]);
  const turns = await sideBySide([up, twice, up]);
  expect(turns.map(({ waited }) => waited)).toEqual([false, false, false]);
  expect(await count()).toBe(4);
});

test('one that sends a second wave after somebody else has spoken is refused, and with it the transaction', async () => {
  await expect(sideBySide([readAndWrite, readAndWrite])).rejects.toThrow(OutOfTurn);
  expect(await count()).toBe(0);
});

test('one that is alone, or whose waves nobody came between, is let through, and seen to have waited', async () => {
  const [turn] = await sideBySide([readAndWrite]);
  expect(turn!.waited).toBe(true);
  const turns = await store.transaction(async ({ sql }) => {
    const both = [new Turn(true), new Turn(true)];
    for (const one of both) await inTurn(one, () => readAndWrite(sql));
    return both;
  });
  expect(turns.map(({ waited }) => waited)).toEqual([true, true]);
  expect(await count()).toBe(3);
});
