// What ends of pairs left behind, as rows: the schema of a module on a server that followed, until it is due to be dropped.
// Guarantee: one monolith at a time takes one that is due, and nobody for the next day.
import type { Sql } from '../../store/store.ts';

export interface LeftRow {
  readonly module: string;
  readonly server: string;
  /** Since then nobody should have read it. */
  readonly leftAt: string;
  readonly due: string;
}

export interface LeftRows {
  read(): Promise<LeftRow[]>;
  /** Between in the transaction that ends the pair. */
  leave(tx: Sql, module: string, server: string): Promise<void>;
  isDue(): Promise<LeftRow[]>;
  /** Whether it is this one's to drop; it is due again in a day. */
  take(row: LeftRow): Promise<boolean>;
  forget(module: string, server: string): Promise<void>;
}

const KEPT = `interval '7 days'`;
const AGAIN = `interval '1 day'`;
const utc = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
const COLUMNS = `module, server, ${utc('left_at')} AS "leftAt", ${utc('due')} AS due`;

export function createLeftRows(sql: Sql): LeftRows {
  const rows = async (where: string) =>
    (await sql.query<LeftRow>(`SELECT ${COLUMNS} FROM store_left ${where} ORDER BY module, server`)).rows;
  return {
    read: () => rows(''),
    isDue: () => rows('WHERE store_left.due <= clock_timestamp()'),
    leave: async (tx, module, server) => {
      await tx.query(
        `INSERT INTO store_left (module, server, due) VALUES ($1, $2, clock_timestamp() + ${KEPT})
         ON CONFLICT (module, server) DO UPDATE SET left_at = excluded.left_at, due = excluded.due`,
        [module, server],
      );
    },
    take: async ({ module, server, due }) =>
      (
        await sql.query(
          `UPDATE store_left SET due = clock_timestamp() + ${AGAIN} WHERE module = $1 AND server = $2 AND due = $3::timestamptz`,
          [module, server, due],
        )
      ).rowCount > 0,
    forget: async (module, server) => {
      await sql.query('DELETE FROM store_left WHERE module = $1 AND server = $2', [module, server]);
    },
  };
}
