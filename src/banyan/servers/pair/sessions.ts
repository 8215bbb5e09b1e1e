// Sessions of the administrator on the servers that a store is moved between. Guarantees: whatever happens all are ended; where
// somebody says how long, a server that hangs costs no more; an error names the server and never its password. It must not know what is asked.
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { createClient } from '../../postgres/connections.ts';
import type { ServerAt } from './moving.ts';

/** A server that is there lets us in by then. */
const CONNECT_MS = 5_000;

/** @param withinMs so long each of its statements may take; 0: as long as it takes. */
export async function openSession(
  { name, adminUrl }: ServerAt,
  purpose: string,
  withinMs = 0,
): Promise<pg.Client> {
  const client = createClient({
    connectionString: adminUrl,
    application_name: `banyan ${purpose}`,
    connectionTimeoutMillis: Math.min(CONNECT_MS, withinMs || CONNECT_MS),
  });
  try {
    await client.connect();
    // The administrator's role may have times of its own; a copy takes as long as it takes.
    await client.query(
      `SET statement_timeout = ${withinMs}; SET idle_in_transaction_session_timeout = 0; SET client_min_messages = error`,
    );
    return client;
  } catch (error) {
    endSoon(client);
    throw new Error(`the server ${name} does not let us in (${(error as Error).message})`, { cause: error });
  }
}

/** @param withinMs rejects when it is over, and the server gives up what it was asked. */
export async function withSession<T>(
  server: ServerAt,
  purpose: string,
  work: (client: pg.Client) => Promise<T>,
  withinMs?: number,
): Promise<T> {
  const opening = openSession(server, purpose, withinMs);
  const client = await (withinMs === undefined ? opening : within(withinMs, server, opening));
  try {
    const working = work(client);
    return await (withinMs === undefined ? working : within(withinMs, server, working));
  } finally {
    endSoon(client);
  }
}

async function within<T>(ms: number, { name }: ServerAt, work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const over = pause(ms, undefined, { signal: timer.signal }).then(
    () => Promise.reject(new Error(`the server ${name} did not do what it was asked within ${ms} ms`)),
    () => undefined as never,
  );
  work.catch(() => {});
  try {
    return await Promise.race([work, over]);
  } finally {
    timer.abort();
  }
}

/** One on each of the two. */
export async function withBoth<T>(
  one: ServerAt,
  other: ServerAt,
  purpose: string,
  work: (ofOne: pg.Client, ofOther: pg.Client) => Promise<T>,
): Promise<T> {
  return withSession(one, purpose, (ofOne) => withSession(other, purpose, (ofOther) => work(ofOne, ofOther)));
}

/** Nobody waits: a server that does not answer does not say goodbye either. */
export function endSoon(client: pg.Client): void {
  client.end().catch(() => {});
}
