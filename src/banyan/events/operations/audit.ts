// Rows of the audit table, written in the transaction of what they tell about.
import { v7 as uuidv7 } from 'uuid';
import type { Sql } from '../../store/store.ts';

/** What a person may decide; the table refuses others (tables/audit.sql). */
export const auditActions = {
  redrive: 'A delivery was put back into the queue of its key, perhaps with other data.',
  drop: 'A delivery was given up: it has no effect.',
  replay: 'Past events were given to this consumer once more.',
  publish: 'An event was published by hand.',
  skip: 'A part of the log that cannot be read was passed over.',
} as const;

export type AuditAction = keyof typeof auditActions;

export interface AuditEntry {
  readonly action: AuditAction;
  /** Who: the operator or user whose token it was, with what the caller said of himself beside it. */
  readonly by: string;
  readonly eventId?: string;
  readonly why?: string;
  readonly detail?: object;
  /** What an edit replaced. */
  readonly original?: Buffer | null;
  /** What an edit wrote. */
  readonly replacement?: Buffer | null;
}

export async function audit(sql: Sql, schema: string, entries: readonly AuditEntry[]): Promise<void> {
  const column = <T>(of: (entry: AuditEntry) => T) => entries.map(of);
  await sql.query(
    `INSERT INTO ${schema}.event_audit (id, action, by, event_id, why, detail, original, replacement)
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::json[], $7::bytea[], $8::bytea[])`,
    [
      column(() => uuidv7()),
      column(({ action }) => action),
      column(({ by }) => by),
      column(({ eventId }) => eventId ?? null),
      column(({ why }) => why ?? null),
      column(({ detail }) => (detail ? JSON.stringify(detail) : null)),
      column(({ original }) => original ?? null),
      column(({ replacement }) => replacement ?? null),
    ],
  );
}
