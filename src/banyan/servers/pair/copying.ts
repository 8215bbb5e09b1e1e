// The first copy of a store, while it is under way: how far it is, and that it gets nowhere. The server does it by itself;
// who is killed while watching loses nothing.
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Moving } from './moving.ts';
import { type End, readSubscription } from './subscription.ts';
import { followedTables } from './tables-of.ts';

export interface Copied {
  readonly copied: number;
  /** As the source's statistics have it. */
  readonly total: number;
}

const LOOK_MS = 200;
/** The server tries a table again after 5 s. */
const MOST_FAILURES = 4;

/** Resolves when every table is copied and has caught up. */
export async function copyEnds(
  from: End,
  to: End,
  moving: Moving,
  name: string,
  onProgress: (copied: Copied) => void,
  signal?: AbortSignal,
): Promise<void> {
  let [failed, ready] = [-1, -1];
  for (;;) {
    signal?.throwIfAborted();
    const now = await look(to.client, name);
    onProgress(await copiedRows(from.client, to.client, moving, name));
    if (now.ready === now.all) return;
    // Failures that nothing came of; a server that was killed and is back counts for one.
    if (now.ready !== ready || failed < 0) [ready, failed] = [now.ready, now.failures];
    if (now.failures - failed >= MOST_FAILURES)
      throw new Error(
        `the copy of ${moving.module} to ${to.server.name} failed ${MOST_FAILURES} times: that server's log says why (its disk may be full)`,
      );
    await pause(LOOK_MS, undefined, { signal });
  }
}

async function look(
  client: pg.Client,
  name: string,
): Promise<{ all: number; ready: number; failures: number }> {
  const subscription = await readSubscription(client, name);
  if (!subscription) throw new Error(`the subscription ${name} was dropped while it copied`);
  const { rows } = await client.query<{ all: number; ready: number; failures: number }>(
    `SELECT count(*)::int AS "all", count(*) FILTER (WHERE srsubstate = 'r')::int AS ready,
       (SELECT coalesce(max(sync_error_count), 0)::int FROM pg_stat_subscription_stats WHERE subid = $1) AS failures
     FROM pg_subscription_rel WHERE srsubid = $1`,
    [subscription.oid],
  );
  return rows[0]!;
}

/** About so many: a table that is there counts as the source's statistics have it. */
export async function copiedRows(
  source: pg.Client,
  target: pg.Client,
  moving: Moving,
  name: string,
): Promise<Copied> {
  const tables = await followedTables(source, moving);
  const { rows } = await target.query<{ name: string; state: string; copying: number }>(
    `SELECT c.relname AS name, r.srsubstate AS state, coalesce(p.tuples_processed, 0)::float8 AS copying
     FROM pg_subscription s JOIN pg_subscription_rel r ON r.srsubid = s.oid JOIN pg_class c ON c.oid = r.srrelid
     LEFT JOIN pg_stat_progress_copy p ON p.relid = c.oid AND p.datname = current_database()
     WHERE s.subname = $1`,
    [name],
  );
  const at = new Map(rows.map((one) => [one.name, one]));
  let [copied, total] = [0, 0];
  for (const table of tables) {
    const now = at.get(table.name);
    total += table.rows;
    copied += now && /[fsr]/.test(now.state) ? table.rows : Math.min(now?.copying ?? 0, table.rows);
  }
  return { copied: Math.round(copied), total: Math.round(total) };
}
