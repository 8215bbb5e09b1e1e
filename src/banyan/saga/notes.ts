// What happened to a saga, one row each (`saga_steps`): written with the event that tells of it, whoever published
// it. Moves of a driven saga note themselves (rows.ts); here only what its coordinator does not see (`always`).
// It knows no step.
import { currentFlow } from '../context/call.ts';
import type { Delivery } from '../events/envelope.ts';
import { atCommit } from '../store/asked.ts';
import type { Published, Sql, Transaction } from '../store/store.ts';
import { CURRENT_HOST_SQL } from './rows.ts';

export interface Noted {
  readonly step: string;
  readonly status: 'done' | 'failed';
  /** How often it was tried. Default 1. */
  readonly attempts?: number | undefined;
  readonly why?: string | null | undefined;
}

const COLUMNS = 'saga_id, id, step, status, instance, attempts, at, why, causation_id';
const undriven = (id: string) => `NOT EXISTS (SELECT FROM sagas WHERE id = ${id})`;

const NOTE_HEARD = `
  INSERT INTO saga_steps (${COLUMNS})
  SELECT $1::uuid, $2::uuid, $3, $4, $5, $6, $7, $8, $9 WHERE $10 OR ${undriven('$1')}
  ON CONFLICT DO NOTHING`;

const NOTE_OWN = `
  INSERT INTO saga_steps (${COLUMNS})
  SELECT $1::uuid, $2::uuid, $3, $4, ${CURRENT_HOST_SQL}, $5, now(), $6, $7 WHERE ${undriven('$1')}`;

/**
 * Notes an event that arrived. True: nobody drives the saga, and so nobody else acts on the event. False: a
 * coordinator drives it, or the event was noted before. `always`: for what a coordinator does not see.
 */
export async function note(
  sql: Sql,
  delivery: Delivery,
  sagaId: string,
  noted: Noted,
  always: boolean,
): Promise<boolean> {
  return (await sql.query(NOTE_HEARD, heard(delivery, sagaId, noted, always))).rowCount > 0;
}

/** The same with the commit, where nothing follows from the answer. */
export function noteAtCommit(tx: Transaction, delivery: Delivery, sagaId: string, noted: Noted): void {
  atCommit(tx, NOTE_HEARD, heard(delivery, sagaId, noted, false));
}

function heard({ envelope }: Delivery, sagaId: string, noted: Noted, always: boolean): unknown[] {
  const { step, status, attempts = 1, why = null } = noted;
  const { id, instance = null, time, causationId } = envelope;
  return [sagaId, id, step, status, instance, attempts, time, why, causationId, always];
}

/** Notes what the own module did in a saga and published, with the commit. */
export function noteDone(
  tx: Transaction,
  { id }: Published,
  sagaId: string,
  { step, status, attempts = 1, why = null }: Noted,
): void {
  const causationId = currentFlow()?.event?.id ?? null;
  atCommit(tx, NOTE_OWN, [sagaId, id, step, status, attempts, why, causationId]);
}
