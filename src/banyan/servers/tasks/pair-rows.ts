// What was last seen of the pairs that stand. Guarantees: one monolith looks at a pair, by a lease; what it sees is told once.
import type { Sql } from '../../store/store.ts';
import type { PairState } from './mechanics.ts';

export interface PairRow {
  readonly module: string;
  readonly state: PairState['state'];
  readonly lagBytes: number | null;
  readonly lagMs: number | null;
  /** Of the owner's log, for the one that follows. */
  readonly keptBytes: number | null;
  readonly reason: string | null;
  readonly lookedAt: string;
}

export interface PairRows {
  read(): Promise<PairRow[]>;
  /** Whether this one looks at it from now on, or still does; answers what was seen before, too. */
  claim(module: string, looker: string): Promise<{ readonly before: PairRow['state'] | null } | undefined>;
  /** @param on also the transaction in which it is told. */
  keep(module: string, looker: string, seen: PairState, on?: Sql): Promise<void>;
  /** There is no pair any more. */
  forget(modules: readonly string[]): Promise<void>;
}

const LEASE = `interval '6 s'`;

export function createPairRows(sql: Sql): PairRows {
  return {
    read: async () =>
      (
        await sql.query<PairRow>(
          `SELECT module, state, lag_bytes::float8 AS "lagBytes", lag_ms::float8 AS "lagMs", kept_bytes::float8 AS "keptBytes", reason,
             to_char(looked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "lookedAt"
           FROM store_pair WHERE state <> 'none' ORDER BY module`,
        )
      ).rows,

    claim: async (module, looker) =>
      (
        await sql.query<{ before: PairRow['state'] | null }>(
          `INSERT INTO store_pair AS p (module, state, looker, looker_until) VALUES ($1, 'none', $2, clock_timestamp() + ${LEASE})
           ON CONFLICT (module) DO UPDATE SET looker = $2, looker_until = clock_timestamp() + ${LEASE}
             WHERE p.looker = $2 OR p.looker IS NULL OR p.looker_until < clock_timestamp()
           RETURNING nullif(p.state, 'none') AS before`,
          [module, looker],
        )
      ).rows[0],

    keep: async (module, looker, { state, lagBytes, lagMs, keptBytes = 0, reason }, on = sql) => {
      await on.query(
        `UPDATE store_pair SET state = $3, lag_bytes = $4, lag_ms = $5, reason = $6, kept_bytes = $7, looked_at = clock_timestamp()
         WHERE module = $1 AND looker = $2`,
        // A broken pair has no lag: the one server does not follow any more.
        [
          module,
          looker,
          state,
          ...(state === 'broken' ? [null, null] : [whole(lagBytes), whole(lagMs)]),
          reason ?? null,
          whole(keptBytes),
        ],
      );
    },

    forget: async (modules) => {
      await sql.query('DELETE FROM store_pair WHERE module <> ALL ($1)', [modules]);
    },
  };
}

const whole = (n: number | null) => (n === null ? null : Math.round(n));
