// What the timeline of a choreographed order is made of: one row for each event that tells of it, with where it
// was published and what caused it. Orders' own are written with the event itself, others' when they arrive.
import type { Delivery } from '../../../kernel/events/envelope.ts';
import type { Transaction } from '../../../kernel/store/store.ts';

export interface Noted {
  readonly step: string;
  readonly status: 'done' | 'failed';
  readonly attempts: number;
  readonly why: string | null;
}

/** The host of this database session. */
export const here = `nullif(split_part(current_setting('application_name', true), '@', 2), '')`;

/** Begins a statement whose first eight values are an event's: notes that event as well. */
export function noteWith(orderId: string, noted: Noted) {
  return {
    text: `
      WITH noted AS (
        INSERT INTO saga_steps (saga_id, id, step, status, instance, attempts, at, why, causation_id)
        VALUES ($9, $1, $10, $11, ${here}, $12, now(), $13, $7)
      )
      `,
    values: [orderId, noted.step, noted.status, noted.attempts, noted.why] as const,
  };
}

/**
 * Notes an event that arrived. True: the order is choreographed, and nobody else acts on it; false: a coordinator
 * drives it (which notes its steps itself), or there is no such order. `always`: for what a coordinator does not see.
 */
export async function note(
  tx: Transaction,
  { envelope }: Delivery,
  orderId: string,
  { step, status, attempts, why }: Noted,
  always = false,
): Promise<boolean> {
  const { rowCount } = await tx.sql.query(
    `INSERT INTO saga_steps (saga_id, id, step, status, instance, attempts, at, why, causation_id)
     SELECT id, $2, $3, $4, $5, $6, $7, $8, $9 FROM orders WHERE id = $1 AND ($10 OR saga = 'choreography')
     ON CONFLICT DO NOTHING`,
    [
      orderId,
      envelope.id,
      step,
      status,
      envelope.instance ?? null,
      attempts,
      envelope.time,
      why,
      envelope.causationId,
      always,
    ],
    'saga-note',
  );
  return rowCount > 0;
}
