// The registry: every process that runs modules, what it says of itself, and who has fallen silent.
// Guarantees: two live services never share an id; what hosts route by (live, ready, draining, retiring)
// changes only with a version. Ages are by the database's clock alone.

import type { ProcessIdentity } from '../context/process.ts';
import type { Sql } from '../store/store.ts';
import type { Change } from './change.ts';
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
  /** Lets another process take the id (or no more); this one stays in rotation until that one is healthy. */
  offer(host: string, replaceable?: boolean): Promise<void>;
  /** Live hosts that were silent for 3 s, and all that run on this machine (their process can be looked at). */
  suspects(machine: string): Promise<Suspect[]>;
  /** These are gone: services stay listed as not healthy (for at least a minute), others leave the registry. */
  markGone(hosts: readonly string[]): Promise<void>;
  /** The same for the host of one process, when the supervisor saw it end. */
  markProcessGone(process: ProcessIdentity): Promise<void>;
  /** The ids of the live hosts that have not applied the version. @param services whether those of services, too. Default true. */
  lagging(version: number, services?: boolean): Promise<string[]>;
  /** How many requests to the service side of a module are not finished, by what live hosts last said. */
  load(module: string): Promise<{ readonly inflight: number; readonly busy: number }>;
}

export interface Suspect {
  readonly host: string;
  readonly id: string;
  readonly silent: boolean;
  readonly process: ProcessIdentity;
}

const LIVE_SQL = `live AND NOT (${SILENT_SQL})`;

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

    markGone: (hosts) => markGone(change, 'host = ANY ($1::uuid[])', [hosts]),

    markProcessGone: ({ machine, pid, started }) =>
      markGone(change, 'machine = $1 AND pid = $2 AND started = $3', [machine, pid, started]),

    lagging: async (version, services = true) => {
      const { rows } = await sql.query<{ id: string }>(
        `SELECT id FROM host WHERE ${LIVE_SQL} AND applied_version < $1 AND ($2 OR role <> 'service') ORDER BY id`,
        [version, services],
      );
      return rows.map(({ id }) => id);
    },

    load: async (module) => {
      const { rows } = await sql.query<{ inflight: number; busy: number }>(
        `SELECT coalesce(sum((inflight ->> $1)::int), 0)::int AS inflight,
           coalesce(sum((busy ->> $1)::int) FILTER (WHERE role = 'service'), 0)::int AS busy
         FROM host WHERE ${LIVE_SQL}`,
        [module],
      );
      return rows[0]!;
    },
  };
}

/** Whoever is meant by the condition is gone. */
async function markGone(change: Change, where: string, values: readonly unknown[]): Promise<void> {
  await change(async (tx) => {
    const ended = await tx.query(`UPDATE host SET live = false WHERE live AND ${where}`, values);
    if (ended.rowCount === 0) return false;
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
