// How often a turn's writes become a system call, on a pool's own connection to a real server.
import { Socket } from 'node:net';
import type { Pool, PoolClient } from 'pg';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { openServer, type TestServer } from '../events/testing/server.ts';
import { createPool } from '../store/create.ts';
import { CorkedSocket } from './corked-socket.ts';
import { silent } from './testing.ts';

let server: TestServer;
let pool: Pool;
let client: PoolClient;

beforeAll(async () => {
  server = await openServer();
  pool = createPool(server.url, 'turns', silent);
  client = await pool.connect();
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  client.release();
  await pool.end();
  await server.stop();
});

/** Buffers per call of each `write` or `writev` that such a socket makes during the work. */
async function handedOver(work: () => Promise<unknown>): Promise<number[]> {
  const calls: number[] = [];
  const one = Socket.prototype._write;
  const many = Socket.prototype._writev!;
  vi.spyOn(Socket.prototype, '_write').mockImplementation(function (this: Socket, ...how) {
    if (this instanceof CorkedSocket) calls.push(1);
    return one.apply(this, how);
  });
  vi.spyOn(Socket.prototype, '_writev').mockImplementation(function (this: Socket, ...how) {
    if (this instanceof CorkedSocket) calls.push(how[0].length);
    return many.apply(this, how);
  });
  await work();
  return calls;
}

const select = () => client.query({ name: 'one', text: 'SELECT $1::int AS n', values: [1] });

test('the statements of one turn leave together', async () => {
  await select();
  const calls = await handedOver(() =>
    Promise.all([client.query('BEGIN'), select(), select(), client.query('COMMIT')]),
  );
  // BEGIN and COMMIT are a message each; a prepared statement is bound, described, executed and synchronised.
  expect(calls).toEqual([10]);
});

test('what follows from a promise that is kept already leaves with them', async () => {
  const calls = await handedOver(async () => {
    const first = select();
    await Promise.resolve();
    await Promise.all([first, select()]);
  });
  expect(calls).toEqual([8]);
});

test('the next turn does not wait for the one after it', async () => {
  const calls = await handedOver(async () => {
    await select();
    await select();
  });
  expect(calls).toEqual([4, 4]);
});
