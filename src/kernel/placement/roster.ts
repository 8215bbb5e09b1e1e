// The roster: every process that runs modules, what it says of itself, and who has fallen silent.
// Guarantees: two live services never share an id; what hosts route by (live, ready, draining, retiring)
// changes only with a version. Ages are by the database's clock alone.
import type { Sql } from '../store/store.ts';
import type { Change } from './change.ts';
import type { Heartbeat, HostReport, Registration } from './host.ts';
import type { ProcessIdentity } from './process.ts';
import { liveMs } from './schema.ts';
import { tagSql } from './tables.ts';

export interface Roster {
  /** Adds the host, or what it says anew. Rejects with IdTaken. Answers the version. */
  register(host: Registration, report: HostReport): Promise<number>;
  /** Answers the store's tag; undefined: the roster does not know this host, let it register. */
  beat(heartbeat: Heartbeat): Promise<string | undefined>;
  /** A host that stops says so itself. */
  leave(host: string): Promise<void>;
  /** Takes an instance out of rotation (or back) before it is told to stop. Answers the version. */
  retire(host: string, retiring: boolean): Promise<number>;
  /** Lets another process take the id; this one stays in rotation until that one is healthy. */
  offer(host: string): Promise<void>;
  /** Live hosts that were silent for 3 s, and all that run on this machine (their process can be looked at). */
  suspects(machine: string): Promise<Suspect[]>;
  /** These are gone: services stay listed as not healthy (for a minute), others leave the roster. */
  bury(hosts: readonly string[]): Promise<void>;
  /** The same for the host of one process, when the supervisor saw it end. */
  buryProcess(process: ProcessIdentity): Promise<void>;
  /** The ids of the live hosts that have not applied the version. */
  lagging(version: number): Promise<string[]>;
  /** How many requests to the service side of a module are not finished, by what live hosts last said. */
  load(module: string): Promise<{ readonly inflight: number; readonly busy: number }>;
}

export interface Suspect {
  readonly host: string;
  readonly id: string;
  readonly silent: boolean;
  readonly process: ProcessIdentity;
}

/** Another live process has this id. */
export class IdTaken extends Error {
  constructor(id: string, pid: number, url: string) {
    super(`the id ${id} is taken by the process ${pid} at ${url}; set another INSTANCE_ID, or stop that one`);
    this.name = 'IdTaken';
  }
}

const silent = `heartbeat_at < now() - interval '${liveMs} ms'`;
const isLiveSql = `live AND NOT (${silent})`;

export function createRoster(sql: Sql, change: Change): Roster {
  const bury = (where: string, values: readonly unknown[]) =>
    change(async (tx) => {
      const ended = await tx.query(`UPDATE host SET live = false WHERE live AND ${where}`, values);
      if (ended.rowCount === 0) return false;
      await tx.query(
        `DELETE FROM host WHERE NOT live AND (role <> 'service' OR heartbeat_at < now() - interval '60 s')`,
      );
      return true;
    });

  return {
    register: (host, report) =>
      change(async (tx) => {
        if (host.role === 'service') await makeRoom(tx, host);
        await upsert(tx, host, report);
        return true;
      }),

    beat: async ({ host, appliedVersion, inflight, busy, ready, draining, held = {} }) => {
      const { rows } = await sql.query<{ same: boolean; tag: string }>(
        `UPDATE host SET heartbeat_at = now(), applied_version = $2, inflight = $3, busy = $4,
           held = $7 WHERE host = $1
         RETURNING live AND ready = $5 AND draining = $6 AS same, ${tagSql} AS tag`,
        [
          host,
          appliedVersion,
          JSON.stringify(inflight),
          JSON.stringify(busy),
          ready,
          draining,
          JSON.stringify(held),
        ],
      );
      if (rows[0] && !rows[0].same) {
        await change(async (tx) => {
          const { rowCount } = await tx.query(
            `UPDATE host SET live = true, ready = $2, draining = $3
             WHERE host = $1 AND NOT (live AND ready = $2 AND draining = $3)`,
            [host, ready, draining],
          );
          return rowCount > 0;
        });
        return (await sql.query<{ tag: string }>(`SELECT ${tagSql} AS tag`)).rows[0]!.tag;
      }
      return rows[0]?.tag;
    },

    leave: async (host) => {
      await change(async (tx) => (await tx.query('DELETE FROM host WHERE host = $1', [host])).rowCount > 0);
    },

    retire: (host, retiring) =>
      change(async (tx) => {
        const { rowCount } = await tx.query(
          'UPDATE host SET retiring = $2 WHERE host = $1 AND retiring <> $2',
          [host, retiring],
        );
        return rowCount > 0;
      }),

    offer: async (host) => {
      await change(async (tx) => {
        const { rowCount } = await tx.query('UPDATE host SET replaceable = true WHERE host = $1', [host]);
        return rowCount > 0;
      });
    },

    suspects: async (machine) => {
      const { rows } = await sql.query<ProcessIdentity & { host: string; id: string; silent: boolean }>(
        `SELECT host, id, ${silent} AS silent, machine, pid, started FROM host
         WHERE live AND (machine = $1 OR ${silent})`,
        [machine],
      );
      return rows.map(({ host, id, silent, machine, pid, started }) => ({
        host,
        id,
        silent,
        process: { machine, pid, started },
      }));
    },

    bury: async (hosts) => {
      await bury('host = ANY ($1::uuid[])', [hosts]);
    },

    buryProcess: async ({ machine, pid, started }) => {
      await bury('machine = $1 AND pid = $2 AND started = $3', [machine, pid, started]);
    },

    lagging: async (version) => {
      const { rows } = await sql.query<{ id: string }>(
        `SELECT id FROM host WHERE ${isLiveSql} AND applied_version < $1 ORDER BY id`,
        [version],
      );
      return rows.map(({ id }) => id);
    },

    load: async (module) => {
      const { rows } = await sql.query<{ inflight: number; busy: number }>(
        `SELECT coalesce(sum((inflight ->> $1)::int), 0)::int AS inflight,
           coalesce(sum((busy ->> $1)::int) FILTER (WHERE role = 'service'), 0)::int AS busy
         FROM host WHERE ${isLiveSql}`,
        [module],
      );
      return rows[0]!;
    },
  };
}

// The process before it may be dead and not yet known to be: silent, or it had the address that is ours now.
// One that drains, or is offered for replacement, keeps its row until it leaves, and the id is free.
async function makeRoom(tx: Sql, { host, id, url }: Registration): Promise<void> {
  await tx.query(
    `DELETE FROM host WHERE id = $1 AND role = 'service' AND host <> $2 AND (NOT live OR url = $3 OR ${silent})`,
    [id, host, url],
  );
  const { rows } = await tx.query<{ pid: number; url: string }>(
    `SELECT pid, url FROM host WHERE id = $1 AND role = 'service' AND host <> $2 AND NOT (draining OR retiring OR replaceable)`,
    [id, host],
  );
  if (rows[0]) throw new IdTaken(id, rows[0].pid, rows[0].url);
}

async function upsert(tx: Sql, host: Registration, report: HostReport): Promise<void> {
  await tx.query(
    `INSERT INTO host (host, id, role, modules, url, public_url, pid, machine, started, doors, contracts,
       differences, ready, draining, inflight, busy)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
     ON CONFLICT (host) DO UPDATE SET id = excluded.id, modules = excluded.modules, url = excluded.url,
       public_url = excluded.public_url, doors = excluded.doors, contracts = excluded.contracts,
       differences = excluded.differences, live = true, ready = excluded.ready, draining = excluded.draining,
       inflight = excluded.inflight, busy = excluded.busy, heartbeat_at = now()`,
    [
      host.host,
      host.id,
      host.role,
      host.modules,
      host.url,
      host.publicUrl ?? null,
      host.process.pid,
      host.process.machine,
      host.process.started,
      host.doors,
      JSON.stringify(host.contracts),
      JSON.stringify(host.differences ?? []),
      report.ready,
      report.draining,
      JSON.stringify(report.inflight),
      JSON.stringify(report.busy),
    ],
  );
}
