// The flag itself: one row per module, and an audit row per change. A placement becomes `service` only
// while a healthy instance is registered, decided in the transaction that writes it.

import type { Placement } from '../routing/snapshot.ts';
import type { Sql } from '../store/store.ts';
import type { Change } from './change.ts';
import { LIVE_MS } from './schema.ts';

export interface AuditRow {
  readonly version: number;
  readonly module: string;
  /** Null: the first placement that was stored. */
  readonly from: Placement | null;
  readonly to: Placement;
  readonly changedAt: string;
  readonly changedBy: string;
}

export type PlaceOutcome = 'changed' | 'same' | 'unknown-module' | 'no-healthy-instance';

export interface Flags {
  /** Stores a placement for every module that has none: `initial`'s, else in-process. */
  seed(modules: readonly string[], initial: Readonly<Record<string, Placement>>): Promise<void>;
  /** Changes the flag. `version` is the one that hosts have to apply for it to hold everywhere. */
  place(
    module: string,
    placement: Placement,
    by: string,
  ): Promise<{ readonly outcome: PlaceOutcome; readonly version: number }>;
  /** The changes of a module, newest first. */
  audit(module: string, limit?: number): Promise<AuditRow[]>;
}

/** SQL: a healthy instance of the module in parameter `$n` exists. The same rule as picture.ts/isHealthy. */
export const healthyInstance = (n: number) => `
  role = 'service' AND $${n} = ANY (modules) AND live AND ready AND NOT draining AND NOT retiring
  AND heartbeat_at > now() - interval '${LIVE_MS} ms'`;

export function createFlags(sql: Sql, change: Change): Flags {
  return {
    seed: async (modules, initial) => {
      const { rows } = await sql.query<{ module: string }>('SELECT module FROM placement');
      const stored = new Set(rows.map(({ module }) => module));
      const missing = modules.filter((module) => !stored.has(module));
      if (missing.length === 0) return;
      await change(async (tx, version) => {
        let added = false;
        for (const module of missing) {
          const placement = initial[module] ?? 'in-process';
          added =
            (await insert(tx, version, module, placement, initial[module] ? 'PLACEMENTS' : 'default')) ||
            added;
        }
        return added;
      });
    },

    place: async (module, placement, by) => {
      let outcome: PlaceOutcome = 'same';
      const version = await change(async (tx, next) => {
        const { rows } = await tx.query<{ placement: Placement }>(
          'SELECT placement FROM placement WHERE module = $1',
          [module],
        );
        const from = rows[0]?.placement;
        if (from === undefined) outcome = 'unknown-module';
        else if (placement === 'service' && !(await hasHealthyInstance(tx, module)))
          outcome = 'no-healthy-instance';
        else if (from !== placement) outcome = 'changed';
        if (outcome !== 'changed') return false;
        await update(tx, next, module, from!, placement, by);
        return true;
      });
      return { outcome, version };
    },

    audit: async (module, limit = 20) => {
      const { rows } = await sql.query<AuditRow>(
        `SELECT version::float8 AS version, module, from_placement AS "from", to_placement AS "to",
           changed_by AS "changedBy",
           to_char(changed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "changedAt"
         FROM placement_audit a WHERE module = $1 ORDER BY a.version DESC LIMIT $2`,
        [module, limit],
      );
      return rows;
    },
  };
}

async function hasHealthyInstance(tx: Sql, module: string): Promise<boolean> {
  const { rowCount } = await tx.query(`SELECT FROM host WHERE ${healthyInstance(1)} LIMIT 1`, [module]);
  return rowCount > 0;
}

const percentOf = (placement: Placement) => (placement === 'service' ? 100 : 0);

async function insert(tx: Sql, version: number, module: string, placement: Placement, by: string) {
  const { rowCount } = await tx.query(
    `INSERT INTO placement (module, placement, percent, changed_by) VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING`,
    [module, placement, percentOf(placement), by],
  );
  if (rowCount > 0) await writeAudit(tx, version, module, null, placement, by);
  return rowCount > 0;
}

async function update(tx: Sql, version: number, module: string, from: Placement, to: Placement, by: string) {
  await tx.query(
    `UPDATE placement SET placement = $2, percent = $3, changed_by = $4, changed_at = clock_timestamp()
     WHERE module = $1`,
    [module, to, percentOf(to), by],
  );
  await writeAudit(tx, version, module, from, to, by);
}

async function writeAudit(
  tx: Sql,
  version: number,
  module: string,
  from: Placement | null,
  to: Placement,
  by: string,
): Promise<void> {
  await tx.query(
    `INSERT INTO placement_audit (version, module, from_placement, to_placement, percent, changed_by, changed_at)
     VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp())`,
    [version, module, from, to, percentOf(to), by],
  );
}
