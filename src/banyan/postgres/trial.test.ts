// Whatever the work says of transactions, nothing of a trial commits, nobody else's connection is touched, and each
// connection comes back.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { runRolledBack } from '../store/rolled-back.ts';
import { createClient } from './connections.ts';
import { ModulePool } from './module-pool.ts';
import { type ThrowawayServer, throwawayServer } from './testing.ts';
import { Trial } from './trial.ts';
import { ESCAPED } from './trial-connection.ts';

let server: ThrowawayServer;
let [a, b] = ['', ''];
let pool: ModulePool;
let other: ModulePool;

const open = (connectionString: string, max = 2) => new ModulePool({ connectionString, max }, () => {});

beforeAll(async () => {
  server = await throwawayServer();
  [a, b] = [await server.database(), await server.database()];
}, 60_000);
afterAll(() => server?.stop());
beforeEach(async () => {
  [pool, other] = [open(a), open(b)];
  await pool.query('CREATE TABLE IF NOT EXISTS t (v text)');
  await pool.query('TRUNCATE t');
});
afterEach(() => Promise.all([pool.end(), other.end()]));

const patient = { budgetMs: 10_000 };
const put = "INSERT INTO t VALUES ('x')";
const count = async () => (await pool.query('SELECT count(*)::int AS n FROM t')).rows[0].n;
const none = () => {};

/** On one connection, one after the other; what fails is passed over, as a finally does. */
async function each(...asked: unknown[]) {
  const client = await pool.connect();
  for (const one of asked) await client.query(one as string).catch(none);
  client.release();
}

const meant: Record<string, () => Promise<unknown>> = {
  'the pool commits': async () => [await pool.query(put), await pool.query('COMMIT')],
  'the pool rolls back': async () => [await pool.query('ROLLBACK'), await pool.query(put)],
  'a second ROLLBACK': () => each('BEGIN', 'SELECT 1/0', 'ROLLBACK', 'ROLLBACK', put),
  'a comment before BEGIN': () => each('/* a */ BEGIN', put, 'COMMIT', put),
  'a comment before COMMIT': () => each('BEGIN', put, '-- a\nCOMMIT', put),
  'comments that nest': () => each('BEGIN', put, '/* /* */ */ -- a\rCOMMIT', put),
  'a semicolon before COMMIT': () => each({ text: ' ;COMMIT' }, put),
};

test.each(Object.entries(meant))('%s: as for real to the work, and nothing is left', async (_, work) => {
  const tried = await runRolledBack(async () => [await work(), await count()], patient);
  expect(tried.outcome).toHaveProperty('answer');
  expect(tried.disturbed).toBeUndefined();
  expect(await count()).toBe(0);
});

const refused = [
  `${put}; COMMIT`,
  `BEGIN; ${put}; COMMIT`,
  `COMMIT; ${put}`,
  'COMMIT AND CHAIN',
  "PREPARE TRANSACTION 'x'",
  'START /* a */ TRANSACTION',
  'SELECT 1; SELECT 2',
];

test.each(refused)('%s: refused by pool and client, and it proves nothing', async (text) => {
  const ways: (() => Promise<unknown>)[] = [
    () => pool.query(text),
    () => each(text, put),
    () => each('BEGIN', put, text, 'COMMIT'),
  ];
  for (const work of ways) {
    const tried = await runRolledBack(work, patient);
    expect(tried.disturbed).toMatch(/one command|multiple commands/);
    expect(await count()).toBe(0);
  }
});

test('where its transaction was ended all the same it is an error, loudly, and nothing more is sent', async () => {
  // What no text can do: by the driver's own connection, behind the trial's back.
  const end = async () => {
    const client = await pool.connect();
    client.release();
    return client;
  };
  const real = await end();
  const commits = () => Object.getPrototypeOf(real).query.call(real, 'COMMIT');
  const early = await runRolledBack(async () => {
    await pool.query(put);
    await commits();
    await pool.query(put).catch(none);
    await pool.query(put).catch(none);
  }, patient);
  expect(early).toMatchObject({ outcome: { error: expect.any(Error) }, disturbed: expect.any(String) });
  expect(await count()).toBe(1);

  const again = await end();
  const late = await runRolledBack(async () => {
    await pool.query(put);
    await Object.getPrototypeOf(again).query.call(again, 'COMMIT');
  }, patient);
  expect(late).toMatchObject({ outcome: { error: { message: ESCAPED } }, disturbed: ESCAPED });
});

test('its limits stay, whatever is set', async () => {
  const lock = async () => (await pool.query('SHOW lock_timeout')).rows[0].lock_timeout;
  const tried = await runRolledBack(async () => {
    await pool.query('SET lock_timeout = 0');
    const client = await pool.connect();
    await client.query("BEGIN; SET LOCAL lock_timeout = '9s'");
    const begun = (await client.query('SHOW lock_timeout')).rows[0].lock_timeout;
    await client.query("SELECT set_config('lock_timeout', '9s', true)");
    const within = (await client.query('SHOW lock_timeout')).rows[0].lock_timeout;
    await client.query('COMMIT');
    client.release();
    return [begun, within, await lock()];
  }, patient);
  expect(tried.outcome).toEqual({ answer: ['50ms', '50ms', '50ms'] });
});

const moments: Record<string, string[]> = {
  'it had begun': [],
  'a statement had failed': ['SELECT 1/0'],
  'a piece of it had failed': ['SAVEPOINT piece', 'SELECT 1/0'],
  'a piece that failed was taken back': ['SAVEPOINT piece', 'SELECT 1/0', 'ROLLBACK TO piece'],
};

test.each(Object.entries(moments))(
  'of a process that froze when %s the server ends the transaction',
  async (_, asked) => {
    const client = createClient({ connectionString: a });
    await client.connect();
    const ended = new Promise((resolve) => client.once('end', resolve));
    // Its own clock is not asked: nothing of the process runs any more.
    const trial = new Trial(20);
    await trial.connection({}, async () => Object.assign(client, { release: none }) as never);
    for (const one of asked) await client.query(one).catch(none);
    await ended;
  },
  5_000,
);

test('given up, it keeps no connection on which its begin was not answered', async () => {
  const released = Promise.withResolvers<unknown>();
  const client = { query: () => new Promise(none), release: released.resolve };
  const trial = new Trial(1_000);
  trial.connection({}, async () => client as never).catch(none);
  await pause(0);
  const why = new Error('over');
  trial.giveUp(why);
  expect(await released.promise).toBe(why);
});

test('given up, it does not touch a connection that it has given back', async () => {
  const small = open(a, 1);
  const slow = new ModulePool({ connectionString: b }, none, {
    before: 'SELECT 1 AS mark',
    after: 'SELECT pg_sleep(10)::text, $1::int',
  });
  const trial = runRolledBack(() => Promise.all([small.query('SELECT 1'), slow.query('SELECT 1')]), {
    budgetMs: 300,
  });
  await pause(0);
  // It gets it from the trial, which still reads from the slow one.
  const client = await small.connect();
  await client.query('BEGIN');
  await client.query(put);
  expect((await trial).disturbed).toContain('300 ms');
  await client.query('COMMIT');
  client.release();
  expect(await count()).toBe(1);
  await Promise.all([small.end(), slow.end()]);
});

test('what it left running and came to another pool while it ended gives its connection back', async () => {
  for (let n = 0; n < 20; n += 1)
    await runRolledBack(async () => {
      const slow = pool.query('SELECT pg_sleep(0.003)');
      slow.catch(none);
      void pause(n % 4)
        .then(() => other.query('SELECT 1'))
        .catch(none);
    }, patient);
  expect(await Promise.all([pool.hold(), other.hold()])).toEqual([true, true]);
  pool.release();
  other.release();
});
