// Deliveries that are not done, as a person sees them: what failed, why, how often, since when, what waits
// behind it. Reads only; cheap, since what is open stands in partial indexes.
import type { Pool } from 'pg';
import { type DeliveryState, deliveryStates } from '../delivery.ts';
import { conditions, type Selection } from './selection.ts';

export interface DeadLetter {
  readonly module: string;
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  readonly sequence: number | null;
  readonly type: string;
  readonly state: DeliveryState;
  readonly reason: string | null;
  /** Failed attempts in all, those before a redrive included. */
  readonly attempts: number;
  /** Later events of its key wait for it. */
  readonly holds: boolean;
  /** How many wait. */
  readonly behind: number;
  readonly receivedAt: string;
  readonly firstFailedAt: string | null;
  /** When it came into its state. */
  readonly since: string;
  /** Of a waiting one: when it is tried. */
  readonly nextAt: string | null;
}

export interface Attempted {
  readonly attempt: number;
  readonly host: string;
  readonly error: string;
  readonly stack: string | null;
  readonly at: string;
  /** Of its span; null when a host of the version before made it. */
  readonly traceparent: string | null;
}

export interface Audited {
  readonly at: string;
  readonly action: string;
  readonly by: string;
  readonly why: string | null;
  readonly detail: unknown;
  /** The value before an edit, as text; null when nothing was edited. */
  readonly original: string | null;
  /** What was written in its place; null also where a host of an older version wrote it. */
  readonly replacement: string | null;
}

export interface DeadLetterDetails extends DeadLetter {
  readonly meaning: string;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly value: Buffer | null;
  readonly history: readonly Attempted[];
  readonly audit: readonly Audited[];
}

/** The position after a dead letter: its time, exact to the microsecond, and its id. */
export type DeadLetterPosition = readonly [since: string, id: string];

interface AuditRow {
  readonly at: Date;
  readonly original: Buffer | null;
  readonly replacement: Buffer | null;
}

interface Row extends Omit<DeadLetter, 'sequence' | 'receivedAt' | 'firstFailedAt' | 'since' | 'nextAt'> {
  readonly sequence: string | null;
  readonly received_at: Date;
  readonly first_failed_at: Date | null;
  readonly settled_at: Date;
  readonly place: string;
  readonly next_at: Date | null;
  readonly headers: Record<string, string> | null;
  readonly value: Buffer | null;
}

/** In the statement itself, or the index of what is open could not be used. */
function literalOf(state: DeliveryState): string {
  if (!Object.hasOwn(deliveryStates, state)) throw new Error(`There is no state ${state}`);
  return `'${state}'`;
}

export interface DeadLetterQuery {
  readonly state: DeliveryState;
  readonly after?: DeadLetterPosition | undefined;
  readonly limit: number;
  readonly meant?: Selection;
}

/** Deliveries of one state, dead or otherwise open, those first that are in it longest. */
export async function listDeadLetters(
  pool: Pool,
  module: string,
  { state, after, limit, meant = {} }: DeadLetterQuery,
): Promise<{ letter: DeadLetter; place: DeadLetterPosition }[]> {
  const { sql, values } = conditions(meant, 4);
  const { rows } = await pool.query<Row>(
    `SELECT ${columns(module)} FROM ${module}.event_delivery d
     WHERE state = ${literalOf(state)} AND (settled_at, id) > ($1::timestamptz, $2::uuid)${sql}
     ORDER BY settled_at, id LIMIT $3`,
    [after?.[0] ?? '-infinity', after?.[1] ?? '00000000-0000-0000-0000-000000000000', limit, ...values],
  );
  return rows.map((row) => ({ letter: deadLetterOf(module, row), place: [row.place, row.id] }));
}

export async function countDeadLetters(
  pool: Pool,
  module: string,
  { state, meant = {} }: Pick<DeadLetterQuery, 'state' | 'meant'>,
): Promise<number> {
  const { sql, values } = conditions(meant, 1);
  const { rows } = await pool.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM ${module}.event_delivery d WHERE state = ${literalOf(state)}${sql}`,
    values,
  );
  return rows[0]!.n;
}

export async function readDeadLetter(
  pool: Pool,
  module: string,
  id: string,
): Promise<DeadLetterDetails | undefined> {
  const [{ rows }, { rows: history }, { rows: audit }] = await Promise.all([
    pool.query<Row>(
      `SELECT ${columns(module)}, headers, value FROM ${module}.event_delivery d WHERE id = $1`,
      [id],
    ),
    pool.query<Omit<Attempted, 'at'> & { at: Date }>(
      `SELECT attempt, host, error, stack, at, traceparent FROM ${module}.event_attempt WHERE delivery_id = $1 ORDER BY at, id`,
      [id],
    ),
    pool.query<Omit<Audited, 'at' | 'original' | 'replacement'> & AuditRow>(
      `SELECT at, action, by, why, detail, original, replacement FROM ${module}.event_audit WHERE event_id = $1 ORDER BY at, id`,
      [id],
    ),
  ]);
  const row = rows[0];
  if (!row) return undefined;
  return {
    ...deadLetterOf(module, row),
    meaning: deliveryStates[row.state],
    headers: row.headers,
    value: row.value,
    history: history.map((one) => ({ ...one, at: one.at.toISOString() })),
    audit: audit.map((one) => ({
      ...one,
      at: one.at.toISOString(),
      original: one.original?.toString() ?? null,
      replacement: one.replacement?.toString() ?? null,
    })),
  };
}

/** Events without a sequence come last, as they arrived (tables/inbox.sql). */
const LAST = '9223372036854775807';

function columns(schema: string): string {
  return `id, topic, key, sequence::text AS sequence, type, state, reason, next_at, received_at, settled_at,
    settled_at::text AS place, ${schema}.event_is_held(state, holds) AS holds,
    (SELECT count(*)::int FROM ${schema}.event_attempt a WHERE a.delivery_id = d.id) AS attempts,
    (SELECT min(at) FROM ${schema}.event_attempt a WHERE a.delivery_id = d.id) AS first_failed_at,
    CASE WHEN state = 'waiting' OR ${schema}.event_is_held(state, holds) THEN (
      SELECT count(*)::int FROM ${schema}.event_delivery q WHERE q.topic = d.topic AND q.key = d.key AND q.state = 'queued'
        AND (coalesce(q.sequence, ${LAST}), q.arrival) > (coalesce(d.sequence, ${LAST}), d.arrival)
    ) ELSE 0 END AS behind`;
}

function deadLetterOf(module: string, row: Row): DeadLetter {
  const { id, topic, key, type, state, reason, attempts, holds, behind } = row;
  return {
    module,
    id,
    topic,
    key,
    sequence: row.sequence === null ? null : Number(row.sequence),
    type,
    state,
    reason,
    attempts,
    holds,
    behind,
    receivedAt: row.received_at.toISOString(),
    firstFailedAt: row.first_failed_at?.toISOString() ?? null,
    since: row.settled_at.toISOString(),
    nextAt: row.next_at?.toISOString() ?? null,
  };
}
