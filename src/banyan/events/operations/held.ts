// Keys that do not go on by themselves, each with the delivery that holds it.
import type { Pool } from 'pg';
import type { DeliveryState } from '../delivery.ts';

export interface HeldKey {
  readonly module: string;
  readonly topic: string;
  readonly key: string;
  /** The delivery that holds it, or did before it was dropped. */
  readonly id: string;
  readonly type: string;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly since: string;
  /** Later deliveries of the key that wait for it. */
  readonly behind: number;
}

/** Keys, or the one given, that go on only when a person decides, a version is deployed or a missing event comes. */
export async function heldKeys(pool: Pool, module: string, limit: number, key?: string): Promise<HeldKey[]> {
  const { rows } = await pool.query<Omit<HeldKey, 'since'> & { since: Date }>(
    `SELECT heads.*,
       (SELECT count(*)::int FROM ${module}.event_delivery q
        WHERE q.topic = heads.topic AND q.key = heads.key AND q.id <> heads.id
          AND (q.state IN ('queued', 'early') OR ${module}.event_is_held(q.state, q.holds))) AS behind
     FROM (
       SELECT DISTINCT ON (topic, key) id, topic, key, type, state, reason, settled_at AS since
       FROM ${module}.event_delivery
       WHERE (${module}.event_is_held(state, holds) OR state = 'early') AND ($2::text IS NULL OR key = $2)
       ORDER BY topic, key, (state = 'early'), sequence NULLS LAST, arrival
     ) heads ORDER BY since, id LIMIT $1`,
    [limit, key ?? null],
  );
  return rows.map((row) => ({ ...row, module, since: row.since.toISOString() }));
}
