// How this code connects to PostgreSQL: every pool and every client is made here, because a connection may be lost at
// any moment (a restart, a failover, an operator), and a client without a listener for that would end the process.
// Whoever uses a connection learns of its loss by the statement that fails, also where the server is gone without a word
// (silence.ts).
// It must not know what is asked.
import pg from 'pg';
import { endWhenSilent, probed } from './silence.ts';

/** Pools are small: twelve of pg's default size would pass a server's limit. */
export const POOL_SIZE = 5;

/** @param onIdleLost hears of a connection that nobody was using; the pool has dropped it already. */
export function openPool(config: pg.PoolConfig, onIdleLost: (error: Error) => void = () => {}): pg.Pool {
  const pool = new pg.Pool({ ...probed, ...config });
  pool.on('error', onIdleLost);
  // The pool listens only while nobody uses a connection, or for the first of its errors: a server that says goodbye
  // (FATAL) and a write that was under way (EPIPE) are two.
  pool.on('connect', (client) => {
    client.on('error', ignore);
    endWhenSilent(client, config);
  });
  return pool;
}

/** Not connected yet. */
export function createClient(config: pg.ClientConfig): pg.Client {
  const client = new pg.Client({ ...probed, ...config });
  client.on('error', ignore);
  client.once('connect', () => endWhenSilent(client, config));
  return client;
}

function ignore(): void {}
