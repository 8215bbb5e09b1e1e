// Processes of services that ended without a drain, or fell silent, written down in the change that takes them out of the registry: the
// process after them has the same id within a second, and nobody would know. Who leaves by itself is not among them.
import type { Sql } from '../store/store.ts';

/** Whether a row of `host` was one that nobody had told to go. */
export const UNTOLD_SQL = `role = 'service' AND NOT (draining OR retiring OR replaceable)`;

/**
 * SQL: from a common table expression `gone` with rows of `host`, into the list. For a statement that begins with it.
 * @param silent SQL of such a row: it was only not heard of, and may live.
 */
export const notedSql = (silent: string) => `noted AS (
  INSERT INTO ended (host, id, modules, silent) SELECT host, id, modules, ${silent} FROM gone WHERE ${UNTOLD_SQL}
  ON CONFLICT (host) DO UPDATE SET at = clock_timestamp(), silent = excluded.silent)`;

/** What is older is of no use to anybody. */
export async function forgetEnded(tx: Sql): Promise<void> {
  await tx.query(`DELETE FROM ended WHERE at < now() - interval '1 day'`);
}
