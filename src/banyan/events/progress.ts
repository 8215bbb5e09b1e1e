// How a module's background work with events went since it was last asked: what it handled, how many attempts failed, and for
// how long the oldest event has waited to be sent. For whoever compares two places where it runs; cheap enough for every
// second: it reads indexes from where it was, never the rows before.
import type { Pool } from 'pg';

/** Up to where was read. */
export interface ProgressMark {
  readonly attempt: number;
  /** RFC 3339, by the database's clock. */
  readonly at: string;
}

export interface Progress {
  readonly mark: ProgressMark;
  /** Since the mark that was given; without one nothing. */
  readonly handled: number;
  readonly failed: number;
  readonly outboxSeconds: number;
}

export async function readProgress(module: string, pool: Pool, since?: ProgressMark): Promise<Progress> {
  const { rows } = await pool.query<{
    at: string;
    attempt: number;
    handled: number;
    failed: number;
    oldest: number | null;
  }>(
    `SELECT now()::text AS at,
       (SELECT coalesce(max(id), 0)::float8 FROM ${module}.event_attempt) AS attempt,
       (SELECT count(*)::int FROM ${module}.event_delivery
        WHERE state IN ('done', 'dropped') AND settled_at > $1 AND settled_at <= now()) AS handled,
       (SELECT count(*)::int FROM ${module}.event_attempt WHERE id > $2) AS failed,
       (SELECT extract(epoch FROM clock_timestamp() - created_at)::float8 FROM ${module}.event_outbox
        ORDER BY position LIMIT 1) AS oldest`,
    [since?.at ?? 'infinity', since?.attempt ?? Number.MAX_SAFE_INTEGER],
  );
  const { at, attempt, handled, failed, oldest } = rows[0]!;
  return {
    mark: { attempt: Math.max(attempt, since?.attempt ?? 0), at },
    handled,
    failed,
    outboxSeconds: oldest ?? 0,
  };
}
