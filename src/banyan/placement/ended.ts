// Processes of services that ended without a drain, or fell silent, written down in the change that takes them out of the registry: the
// process after them has the same id within a second, and nobody would know. Who leaves by itself is not among them.
import type { ProcessIdentity } from '../context/process.ts';
import type { Sql } from '../store/store.ts';
import type { End, Past } from './history-contract.ts';

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

/** How that process ended, from who saw it: whoever else found it gone may have written it down before. */
export async function sayHow(
  tx: Sql,
  { machine, pid, started }: ProcessIdentity,
  how: string,
): Promise<void> {
  await tx.query(
    `UPDATE ended SET how = $4 FROM host WHERE ended.host = host.host AND machine = $1 AND pid = $2 AND started = $3`,
    [machine, pid, started, how],
  );
}

const MOST = 500;
const AT = `to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Newest first, for who reads how things came to be. */
export async function endsIn(sql: Sql, { module, after, until }: Past): Promise<End[]> {
  const { rows } = await sql.query<End>(
    `SELECT one AS module, id, ${AT} AS at, how, silent FROM ended, unnest(modules) AS one
     WHERE ($1::text IS NULL OR one = $1) AND ($2::timestamptz IS NULL OR ended.at > $2)
       AND ($3::timestamptz IS NULL OR ended.at <= $3)
     ORDER BY ended.at DESC, id, one LIMIT ${MOST}`,
    [module ?? null, after ?? null, until ?? null],
  );
  return rows;
}
