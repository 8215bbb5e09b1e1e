// The registry: every process that runs modules, what it says of itself, and who has fallen silent.
// Guarantees: two live services never share an id; what hosts route by (live, ready, draining, retiring)
// changes only with a version. Ages are by the database's clock alone. What a service says is told apart from what
// monoliths, gateways and the processes that a monolith keeps say; what to make of it is flip.ts.

import type { ProcessIdentity } from '../context/process.ts';
import type { Sql } from '../store/store.ts';
import type { Change } from './change.ts';
import { forgetEnded, notedSql, sayHow } from './ended.ts';
import { enter } from './entry.ts';
import { beat, isOf, refuseForeign } from './heartbeat.ts';
import type { Heartbeat, HostReport, Registration } from './host.ts';
import { SILENT_SQL } from './schema.ts';

export interface Registry {
  /** Adds the host, or what it says anew. Rejects with IdTaken. Answers the version. */
  register(host: Registration, report: HostReport): Promise<number>;
  /** Answers the store's tag; undefined: the registry does not know this host, let it register. @param service as of `leave`. */
  beat(heartbeat: Heartbeat, service?: string): Promise<string | undefined>;
  /** A host that stops says so itself. @param service who says it, where it is a service: NotYours where the host is another's. */
  leave(host: string, service?: string): Promise<void>;
  /** Takes an instance out of rotation (or back) before it is told to stop. Answers the version. */
  retire(host: string, retiring: boolean): Promise<number>;
  /**
   * A supervisor is about to end that process on purpose: it leaves rotation, and its end is none without a drain. For its
   * successor, which needs the time of a start, that moment is kept as its last sign of life.
   */
  ending(process: ProcessIdentity): Promise<void>;
  /** Lets another process take the id (or no more); this one stays in rotation until that one is healthy. */
  offer(host: string, replaceable?: boolean): Promise<void>;
  /** Live hosts that were silent for 3 s, and all that run on this machine (their process can be looked at). */
  suspects(machine: string): Promise<Suspect[]>;
  /**
   * These are gone: services stay listed as not healthy (for at least a minute), others leave the registry.
   * @param silent those of them that were only not heard of
   */
  markGone(hosts: readonly string[], silent?: readonly string[]): Promise<void>;
  /** The same for the host of one process, when the supervisor saw it end. @param how in words, where it knows */
  markProcessGone(process: ProcessIdentity, how?: string): Promise<void>;
  /** The ids of the live hosts that have not applied the version. Absent: of all. */
  lagging(version: number, of?: Concerned): Promise<string[]>;
  /** How many requests to the service side of a module are not finished, by what live hosts last said. */
  load(module: string): Promise<Load>;
}

/** Of services, those alone that run one of these modules or call it. Monoliths and gateways decide for all of them. */
export type Concerned = readonly string[];

export interface Load {
  /** On their way, as monoliths and gateways say. */
  readonly inflight: number;
  /** Being served by the processes of the module that a monolith keeps. */
  readonly busy: number;
  /** What other services say, each for itself: nobody here can look whether it is so. */
  readonly claimed: readonly { readonly id: string; readonly inflight: number; readonly busy: number }[];
}

export interface Suspect {
  readonly host: string;
  readonly id: string;
  readonly silent: boolean;
  readonly process: ProcessIdentity;
}

const LIVE_SQL = `live AND NOT (${SILENT_SQL})`;

const CONCERNED_SQL = `(role <> 'service' OR modules && $2
  OR modules && (SELECT coalesce(array_agg(name), '{}') FROM module WHERE uses && $2))`;

/** A monolith started this very process for a number of the module in $1. */
const KEPT_SQL = `EXISTS (SELECT FROM service s WHERE s.module = $1 AND host.id = $1 || '-' || s.number
  AND s.machine = host.machine AND s.pid = host.pid AND s.started = host.started)`;

export function createRegistry(sql: Sql, change: Change): Registry {
  return {
    register: (host, report) =>
      change(async (tx) => {
        await enter(tx, host, report);
        return true;
      }),

    beat: (heartbeat, service) => beat(sql, change, heartbeat, service),

    leave: async (host, service) => {
      await change(async (tx) => {
        const left = await tx.query(`DELETE FROM host WHERE host = $1 AND ${isOf('$2')}`, [
          host,
          service ?? null,
        ]);
        if (left.rowCount === 0 && service !== undefined) await refuseForeign(tx, host);
        return left.rowCount > 0;
      });
    },

    retire: (host, retiring) =>
      change(async (tx) => {
        const { rowCount } = await tx.query(
          'UPDATE host SET retiring = $2 WHERE host = $1 AND retiring <> $2',
          [host, retiring],
        );
        return rowCount > 0;
      }),

    ending: async ({ machine, pid, started }) => {
      await change(async (tx) => {
        const { rowCount } = await tx.query(
          `UPDATE host SET retiring = true, heartbeat_at = now()
           WHERE live AND machine = $1 AND pid = $2 AND started = $3`,
          [machine, pid, started],
        );
        return rowCount > 0;
      });
    },

    offer: async (host, replaceable = true) => {
      await change(async (tx) => {
        const { rowCount } = await tx.query('UPDATE host SET replaceable = $2 WHERE host = $1', [
          host,
          replaceable,
        ]);
        return rowCount > 0;
      });
    },

    suspects: (machine) => suspectsOn(sql, machine),

    markGone: (hosts, silent = []) =>
      markGone(change, 'host = ANY ($1::uuid[])', [hosts, silent], 'host = ANY ($2::uuid[])'),

    markProcessGone: async (process, how) => {
      const { machine, pid, started } = process;
      await markGone(change, 'machine = $1 AND pid = $2 AND started = $3', [machine, pid, started]);
      if (how !== undefined) await sayHow(sql, process, how);
    },

    lagging: async (version, of) => {
      const { rows } = await sql.query<{ id: string }>(
        `SELECT id FROM host WHERE ${LIVE_SQL} AND applied_version < $1 AND ($2::text[] IS NULL OR ${CONCERNED_SQL})
         ORDER BY id`,
        [version, of ?? null],
      );
      return rows.map(({ id }) => id);
    },

    load: (module) => loadOf(sql, module),
  };
}

async function loadOf(sql: Sql, module: string): Promise<Load> {
  const { rows } = await sql.query<{
    id: string;
    decides: boolean;
    kept: boolean;
    inflight: number;
    busy: number;
  }>(
    `SELECT id, role <> 'service' AS decides, role = 'service' AND ${KEPT_SQL} AS kept,
       coalesce((inflight ->> $1::text)::int, 0) AS inflight, coalesce((busy ->> $1)::int, 0) AS busy
     FROM host WHERE ${LIVE_SQL} AND (inflight ? $1 OR busy ? $1)`,
    [module],
  );
  let [inflight, busy] = [0, 0];
  const claimed: { id: string; inflight: number; busy: number }[] = [];
  for (const one of rows) {
    // What a monolith serves itself is no request to the service side.
    if (one.decides) inflight += one.inflight;
    else {
      if (one.kept) busy += one.busy;
      const said = { id: one.id, inflight: one.inflight, busy: one.kept ? 0 : one.busy };
      if (said.inflight + said.busy > 0) claimed.push(said);
    }
  }
  return { inflight, busy, claimed };
}

/** Whoever is meant by the condition is gone. */
async function markGone(
  change: Change,
  where: string,
  values: readonly unknown[],
  silent = 'false',
): Promise<void> {
  await change(async (tx) => {
    const { rows } = await tx.query<{ n: number }>(
      `WITH gone AS (UPDATE host SET live = false WHERE live AND ${where} RETURNING *), ${notedSql(silent)}
       SELECT count(*)::int AS n FROM gone`,
      values,
    );
    if (rows[0]!.n === 0) return false;
    await forgetEnded(tx);
    await tx.query(
      `DELETE FROM host WHERE NOT live AND (role <> 'service' OR heartbeat_at < now() - interval '60 s')`,
    );
    return true;
  });
}

async function suspectsOn(sql: Sql, machine: string): Promise<Suspect[]> {
  const { rows } = await sql.query<ProcessIdentity & { host: string; id: string; silent: boolean }>(
    `SELECT host, id, ${SILENT_SQL} AS silent, machine, pid, started FROM host
     WHERE live AND (machine = $1 OR ${SILENT_SQL})`,
    [machine],
  );
  return rows.map(({ host, id, silent, machine, pid, started }) => ({
    host,
    id,
    silent,
    process: { machine, pid, started },
  }));
}
