// What a consumer cannot read, in its store: so that every host shows the same, and an operator's decision reaches
// whoever runs the consumer. The decision is the row of the audit: it holds for this place for as long as that is kept.
import type { Pool } from 'pg';
import type { Obstacle } from '../log/port.ts';
import { textual } from './cloudevents.ts';

export interface StandingObstacle extends Obstacle {
  readonly host: string;
  readonly since: string;
}

const SEEN_WITHIN = "interval '1 minute'";

/** Writes down that the consumer stands there; answers whether an operator has decided to pass it over. */
export async function noteObstacle(
  pool: Pool,
  schema: string,
  host: string,
  { topic, partition, offset, last, reason, remedy }: Obstacle,
): Promise<'wait' | 'pass'> {
  const { rows } = await pool.query<{ passed: boolean }>(
    `INSERT INTO ${schema}.event_obstacle AS o (topic, partition, "offset", last, reason, remedy, host)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (topic, partition) DO UPDATE SET
       since = CASE WHEN o."offset" = excluded."offset" THEN o.since ELSE clock_timestamp() END,
       "offset" = excluded."offset", last = excluded.last, reason = excluded.reason, remedy = excluded.remedy,
       host = excluded.host, seen_at = clock_timestamp()
     RETURNING EXISTS (
       SELECT FROM ${schema}.event_audit
       WHERE action = 'skip' AND detail->>'topic' = $1 AND detail->>'partition' = $2::text AND detail->>'offset' = $3::text
     ) AS passed`,
    [topic, partition, offset, last, textual(reason).slice(0, 1_000), textual(remedy), host],
  );
  return rows[0]!.passed ? 'pass' : 'wait';
}

export async function forgetObstacle(
  pool: Pool,
  schema: string,
  { topic, partition }: Obstacle,
): Promise<void> {
  await pool.query(`DELETE FROM ${schema}.event_obstacle WHERE topic = $1 AND partition = $2`, [
    topic,
    partition,
  ]);
}

export async function standingObstacles(pool: Pool, schema: string): Promise<StandingObstacle[]> {
  const { rows } = await pool.query<Omit<StandingObstacle, 'since'> & { since: Date }>(
    `SELECT topic, partition, "offset"::text, last::text, reason, remedy, host, since FROM ${schema}.event_obstacle
     WHERE seen_at > clock_timestamp() - ${SEEN_WITHIN} ORDER BY topic, partition`,
  );
  return rows.map((row) => ({ ...row, since: row.since.toISOString() }));
}
