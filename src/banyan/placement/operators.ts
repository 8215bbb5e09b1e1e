// The operators as rows of the control store. Guarantees: a change of them takes a version, so that every host hears of
// it as of a flip; a name belongs to one token at a time; no token is stored.
import { firstOperator } from '../context/principal.ts';
import { type Scope, scopes } from '../context/scopes.ts';
import { fitsSlowHash, slowHash } from '../identity/operator-token.ts';
import type { Sql } from '../store/store.ts';
import { type Act, writeAct } from './act-rows.ts';
import type { Change } from './change.ts';

export interface OperatorRow {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** RFC 3339. */
  readonly madeAt: string;
  readonly madeBy: string;
  readonly revokedAt: string | null;
  readonly revokedBy: string | null;
}

export interface Operators {
  /** By name, those that were revoked among them. */
  list(): Promise<OperatorRow[]>;
  /** A name that is in use is refused; one that was revoked may be given again. */
  add(
    name: string,
    granted: readonly Scope[],
    hash: string,
    by: string,
  ): Promise<{ readonly outcome: 'added' | 'exists'; readonly version: number }>;
  /** Once revoked it stays so, and is so again. `already`: it was before. */
  revoke(
    name: string,
    by: string,
  ): Promise<{
    readonly found: OperatorRow | undefined;
    readonly already: boolean;
    readonly version: number;
  }>;
  /** Whether they know an ADMIN_TOKEN, be it this one or one before. */
  hasFirst(): Promise<boolean>;
  /** Has the other hosts know ADMIN_TOKEN, by a hash. Answers whether they knew another one, or none. */
  keepFirst(adminToken: string): Promise<boolean>;
}

const at = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const COLUMNS = `name, scopes, ${at('made_at')} AS "madeAt", made_by AS "madeBy", ${at('revoked_at')} AS "revokedAt",
  revoked_by AS "revokedBy"`;

export function createOperators(sql: Sql, change: Change): Operators {
  return {
    list: async () => (await sql.query<OperatorRow>(`SELECT ${COLUMNS} FROM operator ORDER BY name`)).rows,

    add: async (name, granted, hash, by) => {
      let outcome: 'added' | 'exists' = 'exists';
      const version = await change(async (tx) => {
        const { rowCount } = await tx.query(
          `INSERT INTO operator AS o (name, scopes, hash, made_by) VALUES ($1, $2, $3, $4)
           ON CONFLICT (name) DO UPDATE SET scopes = $2, hash = $3, made_by = $4, made_at = now(),
             revoked_at = NULL, revoked_by = NULL
           WHERE o.revoked_at IS NOT NULL`,
          [name, granted, hash, by],
        );
        if (rowCount === 0) return false;
        outcome = 'added';
        await writeAct(tx, added(name, granted, by));
        return true;
      });
      return { outcome, version };
    },

    revoke: async (name, by) => {
      let found: OperatorRow | undefined;
      let already = false;
      const version = await change(async (tx) => {
        const { rowCount } = await tx.query(
          'UPDATE operator SET revoked_at = now(), revoked_by = $2 WHERE name = $1 AND revoked_at IS NULL',
          [name, by],
        );
        found = (await tx.query<OperatorRow>(`SELECT ${COLUMNS} FROM operator WHERE name = $1`, [name]))
          .rows[0];
        already = rowCount === 0;
        if (already) return false;
        await writeAct(tx, { source: 'operator', by, what: `revoked the operator ${name}` });
        return true;
      });
      return { found, already, version };
    },

    hasFirst: async () =>
      (await sql.query('SELECT FROM operator WHERE name = $1', [firstOperator.name])).rowCount > 0,

    keepFirst: async (adminToken) => {
      const { name } = firstOperator;
      const { rows } = await sql.query<{ hash: string }>('SELECT hash FROM operator WHERE name = $1', [name]);
      if (rows[0] && (await fitsSlowHash(adminToken, rows[0].hash))) return false;
      const hash = await slowHash(adminToken);
      await change(async (tx) => {
        await tx.query(
          `INSERT INTO operator (name, scopes, hash, made_by) VALUES ($1, $2, $3, 'ADMIN_TOKEN')
           ON CONFLICT (name) DO UPDATE SET scopes = $2, hash = $3, made_at = now(), revoked_at = NULL, revoked_by = NULL`,
          [name, scopes, hash],
        );
        await writeAct(tx, added(name, scopes, 'ADMIN_TOKEN'));
        return true;
      });
      return true;
    },
  };
}

const added = (name: string, granted: readonly Scope[], by: string): Act => ({
  source: 'operator',
  by,
  what: `added the operator ${name}`,
  detail: { scopes: granted },
});
