// A marker: a number that one server writes for another to see. Transactions are applied in the order of their commits, so
// whoever sees it has everything that was committed on that server before it; no arithmetic on positions of a log tells
// as much. Both servers' rows are made before anything is copied: from then on a marker is an update.
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Moving, ServerAt } from './moving.ts';
import { withSession } from './sessions.ts';
import { MARKER_TABLE } from './tables.ts';

const LOOK_MS = 2;

function tableOf({ schema }: Moving): string {
  return `${pg.escapeIdentifier(schema)}.${MARKER_TABLE}`;
}

/** The rows that markers are later written in. On the source alone, before the copy. */
export async function layMarkers(
  client: pg.Client,
  moving: Moving,
  servers: readonly ServerAt[],
): Promise<void> {
  await client.query(
    `INSERT INTO ${tableOf(moving)} (server, n, at) SELECT name, 0, clock_timestamp() FROM unnest($1::text[]) AS name ON CONFLICT DO NOTHING`,
    [servers.map(({ name }) => name)],
  );
}

/** Writes the next marker of this server; answers its number. */
export async function mark(client: pg.Client, moving: Moving, { name }: ServerAt): Promise<string> {
  const { rows } = await client.query<{ n: string }>(
    `INSERT INTO ${tableOf(moving)} AS m (server, n, at) VALUES ($1, 1, clock_timestamp())
     ON CONFLICT (server) DO UPDATE SET n = m.n + 1, at = clock_timestamp() RETURNING n`,
    [name],
  );
  return rows[0]!.n;
}

/** Answers whether the other server's marker was seen here in time. */
export async function seen(
  client: pg.Client,
  moving: Moving,
  from: ServerAt,
  n: string,
  withinMs: number,
): Promise<boolean> {
  const end = performance.now() + withinMs;
  for (;;) {
    const { rowCount } = await client.query(
      `SELECT FROM ${tableOf(moving)} WHERE server = $1 AND n >= $2::bigint`,
      [from.name, n],
    );
    if (rowCount! > 0) return true;
    if (performance.now() >= end) return false;
    await pause(LOOK_MS);
  }
}

/** A sign of life for the other server, now and then: by its time is told what would be lost (lost.ts). */
export async function beat(owner: ServerAt, moving: Moving): Promise<void> {
  await withSession(owner, `store ${moving.module}`, (client) => mark(client, moving, owner));
}

/** When the last marker of a server that was seen here was written. */
export async function lastSeen(
  client: pg.Client,
  moving: Moving,
  from: ServerAt,
): Promise<{ at: Date; secondsAgo: number } | undefined> {
  const { rows } = await client.query<{ at: Date; secondsAgo: number }>(
    `SELECT at, extract(epoch FROM clock_timestamp() - at)::float8 AS "secondsAgo" FROM ${tableOf(moving)} WHERE server = $1 AND n > 0`,
    [from.name],
  );
  return rows[0];
}
