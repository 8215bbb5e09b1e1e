// The outbox as a relay sees it: the lowest rows that wait, what each is in the log, and their removal once the log has
// them. It remembers below which position nothing can appear any more (lowwater.ts), as long as all that it claims is
// sent; it must not know when that is, nor who may claim.

import type { DatabaseSession } from '../log/database-session.ts';
import type { LogRecord } from '../log/port.ts';
import { toRecord } from './cloudevents.ts';
import { LowWater } from './lowwater.ts';

export interface OutboxRow {
  readonly position: string;
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  readonly sequence: string;
  readonly type: string;
  readonly data: string;
  readonly correlation_id: string;
  readonly causation_id: string | null;
  readonly traceparent: string | null;
  readonly instance: string | null;
  readonly time: string;
  readonly xmin: string;
  readonly own: string;
}

export class Outbox {
  readonly #module: string;
  readonly #session: DatabaseSession;
  readonly #batch: number;
  readonly #lowWater = new LowWater();
  readonly #sql: { claim: string; finish: string };

  /** @param batch rows per claim */
  constructor(module: string, session: DatabaseSession, batch: number) {
    this.#module = module;
    this.#session = session;
    this.#batch = batch;
    this.#sql = statements(module);
  }

  /** The lowest rows that are not in hand already. */
  async claim(inHand: readonly OutboxRow[]): Promise<readonly OutboxRow[]> {
    const { rows } = await this.#session.query<OutboxRow>(
      this.#sql.claim,
      [this.#lowWater.position, this.#batch, listOf(inHand)],
      'relay-claim',
    );
    return rows;
  }

  /** The log has them. */
  async finish(rows: readonly OutboxRow[]): Promise<void> {
    await this.#session.query(this.#sql.finish, [listOf(rows)], 'relay-finish');
  }

  /** They are removed; what lies below them may be settled. */
  sent(rows: readonly OutboxRow[]): void {
    this.#lowWater.sent(rows[0]!.xmin, rows[0]!.own, rows.at(-1)!.position);
  }

  /** Something was not sent, or another relay may have worked here: look at everything again. */
  lookAgain(): void {
    this.#lowWater.reset();
  }

  /** As the log takes it. */
  recordOf(row: OutboxRow): LogRecord {
    return toRecord({
      id: row.id,
      source: `/modules/${this.#module}`,
      type: row.type,
      subject: row.key,
      time: row.time,
      sequence: Number(row.sequence),
      correlationId: row.correlation_id,
      causationId: row.causation_id,
      traceparent: row.traceparent,
      instance: row.instance,
      data: row.data,
    });
  }
}

/** Positions as PostgreSQL writes an array. From an array the driver would quote a thousand numbers one by one. */
function listOf(rows: readonly OutboxRow[]): string {
  return `{${rows.map(({ position }) => position).join(',')}}`;
}

function statements(schema: string): { claim: string; finish: string } {
  return {
    claim: `
      SELECT position, id, topic, key, sequence, type, data::text AS data, correlation_id, causation_id, traceparent, instance,
        to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS time,
        pg_snapshot_xmin(pg_current_snapshot())::text AS xmin, pg_current_xact_id()::text AS own
      FROM ${schema}.event_outbox WHERE position > $1 AND position <> ALL ($3::bigint[]) ORDER BY position LIMIT $2`,
    finish: `
      WITH sent AS (DELETE FROM ${schema}.event_outbox WHERE position = ANY ($1::bigint[]) RETURNING id, key, sequence)
      INSERT INTO ${schema}.event_sent (id, key, sequence) SELECT id, key, sequence FROM sent ON CONFLICT DO NOTHING`,
  };
}
