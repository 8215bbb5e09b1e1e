// What the event tables forget, and when. The order of the times is what matters, and retention.test.ts tries it:
//
//   the log keeps events           LOG_DAYS (log/port.ts)
//   a key may start again at 1     RESTART_DAYS after its last event, never sooner
//   sent ids, done deliveries      sentDays
//   keys without events            keyDays, on both sides
//   what people decided            auditDays
//
// So what the log can still bring is always recognised, and a key that starts again meets nothing of its past.
// Rows go a few thousand at a time, skipping what others hold, so any number of hosts may do it at once and no
// transaction is long enough to hold up vacuum.
import type { Pool } from 'pg';

/** A key whose last event at a consumer is older may start again at 1. tables/take.sql says the same. */
export const RESTART_DAYS = 10;

export interface Retention {
  readonly sentDays: number;
  readonly keyDays: number;
  readonly auditDays: number;
}

export const defaultRetention: Retention = { sentDays: 14, keyDays: 60, auditDays: 365 };

const CHUNK = 5_000;

/** Answers how many rows went. */
export async function forget(pool: Pool, schema: string, days: Partial<Retention> = {}): Promise<number> {
  const { sentDays, keyDays, auditDays } = { ...defaultRetention, ...days };
  const old: readonly [table: string, where: string, days: number][] = [
    ['event_sent', "sent_at < clock_timestamp() - $1::float8 * interval '1 day'", sentDays],
    [
      'event_delivery',
      "state IN ('done', 'dropped') AND settled_at < clock_timestamp() - $1::float8 * interval '1 day'",
      sentDays,
    ],
    [
      'event_attempt',
      `at < clock_timestamp() - $1::float8 * interval '1 day'
       AND NOT EXISTS (SELECT FROM ${schema}.event_delivery d WHERE d.id = delivery_id AND d.state NOT IN ('done', 'dropped'))`,
      sentDays,
    ],
    [
      'event_key',
      `updated_at < clock_timestamp() - $1::float8 * interval '1 day'
       AND NOT EXISTS (SELECT FROM ${schema}.event_outbox o WHERE o.key = event_key.key)`,
      keyDays,
    ],
    [
      'event_stream',
      "open = 0 AND early = 0 AND last_at < clock_timestamp() - $1::float8 * interval '1 day'",
      keyDays,
    ],
    ['event_obstacle', "seen_at < clock_timestamp() - $1::float8 * interval '1 day'", 1],
    ['event_refusal', "seen_at < clock_timestamp() - $1::float8 * interval '1 day'", 1],
    ['event_audit', "at < clock_timestamp() - $1::float8 * interval '1 day'", auditDays],
  ];
  let removed = 0;
  for (const [table, where, days] of old) {
    for (;;) {
      const { rowCount } = await pool.query(
        `DELETE FROM ${schema}.${table} WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM ${schema}.${table} WHERE ${where} LIMIT ${CHUNK} FOR UPDATE SKIP LOCKED))`,
        [days],
      );
      removed += rowCount ?? 0;
      if ((rowCount ?? 0) < CHUNK) break;
    }
  }
  return removed;
}
