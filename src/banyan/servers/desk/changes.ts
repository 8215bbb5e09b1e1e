// What was done to stores, for who reads how things came to be (placement/history-admin.ts): who, from where to where, what it
// came to, the pause and the rows. Dry runs and comparisons moved nothing, and are not in it. It changes nothing.
import type { Past, StoreChange } from '../../placement/history-contract.ts';
import type { Sql } from '../../store/store.ts';

const MOST = 500;
const utc = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

export async function storeChanges(sql: Sql, { module, after, until }: Past): Promise<StoreChange[]> {
  const { rows } = await sql.query<StoreChange>(
    `SELECT module, task, source AS "from", target AS "to", walk ->> 'state' AS state, started_by AS by, walk ->> 'why' AS why,
       ${utc('started_at')} AS at, ${utc('ended_at')} AS "endedAt", (found -> 'numbers' ->> 'total')::float8 AS pause,
       coalesce((SELECT sum((one ->> 'rows')::float8) FROM jsonb_array_elements(found -> 'tables') AS one),
         (found -> 'rows' ->> 'copied')::float8) AS rows
     FROM store_move
     WHERE task NOT IN ('check', 'verify') AND ($1::text IS NULL OR module = $1)
       AND ($2::timestamptz IS NULL OR started_at > $2) AND ($3::timestamptz IS NULL OR started_at <= $3)
     ORDER BY store_move.started_at DESC LIMIT ${MOST}`,
    [module ?? null, after ?? null, until ?? null],
  );
  return rows;
}
