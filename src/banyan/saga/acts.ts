// What people did to sagas, for the audit: a row in the transaction of the act itself. It must not know what a saga is about.
import type { Sql } from '../store/store.ts';

/** What a person may do to one saga, in the past tense. */
export type Help = 'retried' | 'cancelled';

/** @param sql of the transaction in which it is done. */
export async function writeHelp(sql: Sql, help: Help, id: string, by: string): Promise<void> {
  await sql.query('INSERT INTO saga_act (by, what, saga_id) VALUES ($1, $2, $3)', [
    by,
    `${help} the saga of ${id}`,
    id,
  ]);
}
