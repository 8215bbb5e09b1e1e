// A module's pool while it is held and when it is switched: what waits, what ends, and where everybody goes on. Two databases
// stand for two servers.
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { withFlow } from '../context/call.ts';
import { newTraceparent } from '../context/trace.ts';
import { toProblem } from '../http/problems.ts';
import { DatabaseSession } from '../log/database-session.ts';
import { MOST_WAIT_MS } from './gate.ts';
import { ModulePool } from './module-pool.ts';
import { query, silent, type ThrowawayServer, throwawayServer } from './testing.ts';

let server: ThrowawayServer;
let [here, there] = ['', ''];
let pool: ModulePool;

beforeAll(async () => {
  server = await throwawayServer();
  [here, there] = [await server.database(), await server.database()];
}, 60_000);
afterAll(() => server?.stop());
beforeEach(() => {
  pool = new ModulePool({ connectionString: here, max: 2, connectionTimeoutMillis: 10_000 }, () => {});
});
afterEach(() => pool.end());

const where = async () => (await pool.query('SELECT current_database() AS name')).rows[0].name as string;
const nameOf = (url: string) => new URL(url).pathname.slice(1);
/** What a promise has come to so far. */
const soFar = <T>(promise: Promise<T>) => Promise.race([promise, pause(30).then(() => 'waits' as const)]);

test('what is under way ends, and is counted down; what comes waits, and goes on when it is released', async () => {
  const client = await pool.connect();
  await client.query('BEGIN');
  const slow = pool.query('SELECT pg_sleep(0.05)');
  const held = pool.hold();
  expect(pool.open).toBe(2);
  await slow;
  const waits = where();
  expect(await soFar(held)).toBe('waits');
  expect([pool.open, pool.waiting]).toEqual([1, 1]);
  await client.query('COMMIT');
  client.release();
  expect(await held).toBe(true);
  expect(pool.open).toBe(0);
  expect(await soFar(waits)).toBe('waits');
  pool.release();
  expect(await waits).toBe(nameOf(here));
  expect(pool.held).toBe(false);
});

test('a hold that is given up answers so, and nobody has waited for nothing', async () => {
  const client = await pool.connect();
  const held = pool.hold();
  pool.release();
  expect(await held).toBe(false);
  client.release();
  expect(await where()).toBe(nameOf(here));
});

test('who waits hears 503 with the time to come again when its deadline has come, and five seconds are the most', async () => {
  await pool.hold();
  const flow = { deadline: Date.now() + 40, traceparent: newTraceparent() };
  const refused = await withFlow(flow, where).catch((error: unknown) => error);
  expect(String(refused)).toContain('held');
  expect(toProblem(refused)).toMatchObject({ status: 503, code: 'unavailable', retryAfter: 2 });
  expect(MOST_WAIT_MS).toBe(5_000);
  expect(pool.waiting).toBe(0);
  pool.release();
});

test('health never waits at the gate, nor behind those who have all connections', async () => {
  const clients = [await pool.connect(), await pool.connect()];
  await pool.ping();
  pool.hold();
  await pool.ping();
  for (const client of clients) client.release();
});

test('switched: who waits goes on there, what is under way ends on the old one, which ends when its work is done', async () => {
  const client = await pool.connect();
  const held = pool.hold();
  const waits = where();
  client.release();
  expect(await held).toBe(true);
  await pool.switchTo(there);
  expect(await soFar(waits)).toBe('waits');
  pool.release();
  expect(await waits).toBe(nameOf(there));
  expect([pool.epoch, await where()]).toEqual([1, nameOf(there)]);
});

test('switched without a hold: a transaction ends where it began, and so does who waits for a connection', async () => {
  const clients = [await pool.connect(), await pool.connect()];
  const queued = where();
  await pool.switchTo(there);
  expect(await where()).toBe(nameOf(there));
  const { rows } = await clients[0]!.query('SELECT current_database() AS name');
  expect(rows[0].name).toBe(nameOf(here));
  for (const client of clients) client.release();
  expect(await queued).toBe(nameOf(here));
});

test('a server that does not let it in changes nothing', async () => {
  const nowhere = new URL(there);
  nowhere.pathname = '/nowhere';
  await expect(pool.switchTo(nowhere.href)).rejects.toThrow('nowhere');
  expect([pool.epoch, await where()]).toEqual([0, nameOf(here)]);
});

test('a session beside the pool is held and counted with it, and connects to where the pool is', async () => {
  const session = new DatabaseSession(() => ({ ...pool.options }), {
    log: silent,
    through: (work) => pool.beside(work),
  });
  pool.onSwitch(() => void session.drop());
  const asks = async () =>
    (await session.query<{ name: string }>('SELECT current_database() AS name')).rows[0]!.name;
  expect(await asks()).toBe(nameOf(here));
  const slow = session.query('SELECT pg_sleep(0.05)');
  const held = pool.hold();
  expect(pool.open).toBe(1);
  await slow;
  expect(await held).toBe(true);
  const waits = asks();
  expect(await soFar(waits)).toBe('waits');
  await pool.switchTo(there);
  pool.release();
  expect(await waits).toBe(nameOf(there));
  await session.close();
});

test('prepared: the switch waits for no connection, and one that was prepared in vain is gone when it is released', async () => {
  const connections = async (url: string) =>
    (
      await query<{ n: number }>(here, 'SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = $1', [
        nameOf(url),
      ])
    )[0]!.n;
  await pool.prepare(there);
  expect(await connections(there)).toBe(1);
  pool.release();
  await expect.poll(() => connections(there)).toBe(0);
  await pool.prepare(there);
  await pool.switchTo(there);
  expect(await where()).toBe(nameOf(there));
  expect(await connections(there)).toBe(1);
});

test('refused where the store was, asked once more where it is; elsewhere it is a 503, and what was never moved is itself', async () => {
  await query(there, 'CREATE TABLE IF NOT EXISTS parcel (n int)');
  const count = () => pool.query('SELECT count(*)::int AS n FROM parcel').then(({ rows }) => rows[0].n);
  let looks = 0;
  let moved = true;
  const goes = { to: there };
  pool.looksBy(async () => {
    looks += 1;
    if (moved) await pool.switchTo(goes.to);
    return moved;
  });
  moved = false;
  await expect(count()).rejects.toMatchObject({ code: '42P01' });
  moved = true;
  expect(await count()).toBe(0);
  expect(looks).toBe(2);
  // A piece of work of which nothing took effect.
  await pool.switchTo(here);
  let runs = 0;
  const inTransaction = () =>
    pool.again(async () => {
      runs += 1;
      const client = await pool.connect();
      try {
        return (await client.query('SELECT count(*)::int AS n FROM parcel')).rows[0].n;
      } finally {
        client.release();
      }
    });
  expect([await inTransaction(), runs]).toEqual([0, 2]);
  // Nowhere: the look leads to where it is not either.
  await pool.switchTo(here);
  goes.to = here;
  const nowhere = await count().catch((error: unknown) => error);
  expect(toProblem(nowhere)).toMatchObject({ status: 503, retryAfter: 2 });
});

test('a server that was cut off is found again by health as soon as it answers anybody', async () => {
  const port = Number(new URL(here).port);
  const open: Socket[] = [];
  const relay = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    near.pipe(far).pipe(near);
    open.push(near, far);
    for (const one of [near, far]) one.on('error', () => {});
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const url = new URL(here);
  url.port = String((relay.address() as { port: number }).port);
  url.searchParams.delete('host');
  const apart = new ModulePool({ connectionString: url.href, max: 1, pipeline: true } as object, () => {});
  try {
    await apart.ping();
    // Those that are open are cut off for ever, as by a path that is gone; a new one gets through.
    for (const one of open) one.unpipe().pause();
    await expect(apart.ping()).rejects.toThrow();
    await apart.ping();
  } finally {
    for (const one of open) one.destroy();
    await apart.end();
    await new Promise((resolve) => relay.close(resolve));
  }
});
