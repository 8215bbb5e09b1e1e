// What the stores say, for verification: the owner's ledger and outbox, a consumer's inbox. Each answer comes
// from one statement, so from one moment: an event is in the outbox or in the ledger, never in neither.
import type { Pool } from 'pg';
import type { DeliveryState } from '../delivery.ts';

export interface LedgerRow {
  readonly id: string;
  readonly key: string;
  readonly sequence: number;
  /** Null: still in the outbox. */
  readonly sentAt: Date | null;
}

export interface Ledger {
  readonly rows: readonly LedgerRow[];
  /** Sequence numbers that were drawn and of which neither outbox nor ledger knows an event. */
  readonly missing: number;
}

export async function countSent(pool: Pool, schema: string, from: Date, until: Date): Promise<number> {
  const { rows } = await pool.query<{ n: string }>(
    `SELECT count(*) AS n FROM ${schema}.event_sent WHERE sent_at BETWEEN $1 AND $2`,
    [from, until],
  );
  return Number(rows[0]!.n);
}

/** What was sent in the span, and all that waits. */
export async function ledgerOf(pool: Pool, schema: string, from: Date, until: Date): Promise<Ledger> {
  const { rows } = await pool.query<{ events: LedgerJson[] | null; missing: string | null }>(
    `WITH own AS MATERIALIZED (
       SELECT id, key, sequence, sent_at FROM ${schema}.event_sent WHERE sent_at >= $1
       UNION ALL SELECT id, key, sequence, NULL FROM ${schema}.event_outbox
     ), steps AS (
       SELECT sequence, lag(sequence) OVER (PARTITION BY key ORDER BY sequence) AS before FROM own
     ), ends AS (
       SELECT k.sequence, max(own.sequence) AS last FROM ${schema}.event_key k LEFT JOIN own ON own.key = k.key
       WHERE k.updated_at >= $1 GROUP BY k.key
     )
     SELECT
       (SELECT json_agg(json_build_array(id, key, sequence, sent_at)) FROM own WHERE sent_at IS NULL OR sent_at <= $2) AS events,
       coalesce((SELECT sum(sequence - before - 1) FROM steps WHERE sequence > before + 1), 0)
         + coalesce((SELECT sum(sequence - coalesce(last, sequence - 1)) FROM ends WHERE last IS DISTINCT FROM sequence), 0) AS missing`,
    [from, until],
  );
  const { events, missing } = rows[0]!;
  return {
    rows: (events ?? []).map(([id, key, sequence, at]) => ({
      id,
      key,
      sequence,
      sentAt: at ? new Date(at) : null,
    })),
    missing: Number(missing),
  };
}

type LedgerJson = [id: string, key: string, sequence: number, sentAt: string | null];

/** Which of these ids the owner knows, sent or waiting. */
export async function knownIds(pool: Pool, schema: string, ids: readonly string[]): Promise<Set<string>> {
  const known = new Set<string>();
  for (const some of portions(ids)) {
    const { rows } = await pool.query<{ id: string }>(
      `SELECT id FROM ${schema}.event_sent WHERE id = ANY ($1::uuid[])
       UNION ALL SELECT o.id FROM ${schema}.event_outbox o JOIN unnest($1::uuid[]) AS wanted (id) ON wanted.id = o.id`,
      [some],
    );
    for (const { id } of rows) known.add(id);
  }
  return known;
}

/** The last number that was drawn for each of these keys; a key that the owner does not know is left out. */
export async function drawnNumbers(
  pool: Pool,
  schema: string,
  keys: readonly string[],
): Promise<Map<string, number>> {
  const drawn = new Map<string, number>();
  for (const some of portions([...new Set(keys)])) {
    const { rows } = await pool.query<{ key: string; sequence: string }>(
      `SELECT key, sequence FROM ${schema}.event_key WHERE key = ANY ($1::text[])`,
      [some],
    );
    for (const { key, sequence } of rows) drawn.set(key, Number(sequence));
  }
  return drawn;
}

export async function statesOf(
  pool: Pool,
  schema: string,
  ids: readonly string[],
): Promise<Map<string, DeliveryState>> {
  const states = new Map<string, DeliveryState>();
  for (const some of portions(ids)) {
    const { rows } = await pool.query<{ id: string; state: DeliveryState }>(
      `SELECT id, state FROM ${schema}.event_delivery WHERE id = ANY ($1::uuid[])`,
      [some],
    );
    for (const { id, state } of rows) states.set(id, state);
  }
  return states;
}

export interface Disorder {
  readonly id: string;
  readonly key: string;
  readonly sequence: number;
  /** Two effects for one sequence number of a key; else an effect after that of a later one. */
  readonly doubled: boolean;
}

/** Effects since `from` that are out of order or doubled. What a person redrove is not counted. */
export async function disorder(pool: Pool, schema: string, topic: string, from: Date): Promise<Disorder[]> {
  const { rows } = await pool.query<{ id: string; key: string; sequence: string; doubled: boolean }>(
    `SELECT id, key, sequence, same > 1 AS doubled FROM (
       SELECT d.*, row_number() OVER (PARTITION BY key, sequence ORDER BY settled_at, arrival) AS same,
         max(sequence) OVER (PARTITION BY key ORDER BY settled_at, arrival ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
       FROM ${schema}.event_delivery d
       WHERE topic = $1 AND state = 'done' AND sequence IS NOT NULL AND settled_at >= $2
         AND NOT EXISTS (SELECT FROM ${schema}.event_audit a WHERE a.event_id = d.id AND a.action = 'redrive')
     ) o WHERE sequence < before OR same > 1`,
    [topic, from],
  );
  return rows.map((row) => ({ ...row, sequence: Number(row.sequence) }));
}

/** Since when the consumer listens to each type: what came before was none of its business. */
export async function listensSince(pool: Pool, schema: string): Promise<Map<string, Date>> {
  const { rows } = await pool.query<{ type: string; since: Date }>(
    `SELECT type, since FROM ${schema}.event_listener`,
  );
  return new Map(rows.map(({ type, since }) => [type, since]));
}

function* portions(ids: readonly string[]): Iterable<readonly string[]> {
  for (let first = 0; first < ids.length; first += 5_000) yield ids.slice(first, first + 5_000);
}
