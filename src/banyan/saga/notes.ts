// What happened to a saga, one row each (`saga_steps`): written with the event that tells of it, whoever published
// it. Moves of a driven saga note themselves (rows.ts); here only what its coordinator does not see (`always`).
// It knows no step.
import type { Delivery } from '../events/envelope.ts';
import type { EventArguments } from '../events/publisher.ts';
import type { Sql, Transaction } from '../store/store.ts';
import { here } from './rows.ts';

export interface Noted {
  readonly step: string;
  readonly status: 'done' | 'failed';
  /** How often it was tried. Default 1. */
  readonly attempts?: number | undefined;
  readonly why?: string | null | undefined;
}

const columns = 'saga_id, id, step, status, instance, attempts, at, why, causation_id';
const undriven = (id: string) => `NOT EXISTS (SELECT FROM sagas WHERE id = ${id})`;

const noteHeard = `
  INSERT INTO saga_steps (${columns})
  SELECT $1::uuid, $2::uuid, $3, $4, $5, $6, $7, $8, $9 WHERE $10 OR ${undriven('$1')}
  ON CONFLICT DO NOTHING`;

/** The event's own id and cause are those of its note. */
const noteAndEmit = `
  WITH noted AS (
    INSERT INTO saga_steps (${columns})
    SELECT $9::uuid, $1, $10, $11, ${here}, $12, now(), $13, $7 WHERE ${undriven('$9')}
  )
  SELECT emit_event($1::uuid, $2, $3, $4, $5::json, $6, $7, $8)`;

/**
 * Notes an event that arrived. True: nobody drives the saga, and so nobody else acts on the event. False: a
 * coordinator drives it, or the event was noted before. `always`: for what a coordinator does not see.
 */
export async function note(
  sql: Sql,
  { envelope }: Delivery,
  sagaId: string,
  { step, status, attempts = 1, why = null }: Noted,
  always: boolean,
): Promise<boolean> {
  const { id, instance = null, time, causationId } = envelope;
  const values = [sagaId, id, step, status, instance, attempts, time, why, causationId, always];
  return (await sql.query(noteHeard, values, 'saga-note')).rowCount > 0;
}

/** Publishes an event that tells what the own module did in a saga, and notes it, in one statement. */
export async function publishNoted(
  tx: Pick<Transaction, 'sql' | 'emitted'>,
  event: EventArguments,
  sagaId: string,
  { step, status, attempts = 1, why = null }: Noted,
): Promise<void> {
  await tx.sql.query(noteAndEmit, [...event, sagaId, step, status, attempts, why], 'saga-note-and-emit');
  tx.emitted();
}
