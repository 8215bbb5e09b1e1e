// How a host enters the registry, or says anew what it is. Guarantees: two live services never share an id; the rows
// that a process left which went away, and may not be known to be dead, make room for the one after it.
import { audienceOf } from '../identity/internal-token.ts';
import type { Sql } from '../store/store.ts';
import { notedSql } from './ended.ts';
import type { HostReport, Registration } from './host.ts';
import { SILENT_SQL } from './schema.ts';

/** Another live process has this id. */
export class IdTaken extends Error {
  constructor(id: string, pid: number, url: string) {
    super(`the id ${id} is taken by the process ${pid} at ${url}; set another INSTANCE_ID, or stop that one`);
    this.name = 'IdTaken';
  }
}

/** A key that was replaced is for the processes that have it until they are replaced themselves. */
export class KeyReplaced extends Error {
  constructor(id: string) {
    super(
      `the key of ${id} was replaced, and no process enters the registry by it any more; start it with the present one`,
    );
    this.name = 'KeyReplaced';
  }
}

/** So many processes of one name are there already. */
export class TooMany extends Error {
  constructor(name: string) {
    super(
      `${MAX_OF_ONE_NAME} processes of ${name} are registered, and no more are let in; stop some. Did nobody start so many? ` +
        `Then somebody has the key of ${name}: npx banyan keys`,
    );
    this.name = 'TooMany';
  }
}

/** Of one service name, living or remembered: each costs every host room in its picture. */
const MAX_OF_ONE_NAME = 64;

/** What is said of a host is said by the key of another service. */
export class NotYours extends Error {
  constructor(host: string, id: string) {
    super(`the host ${host} is ${id}, which another key than that of this token speaks for`);
    this.name = 'NotYours';
  }
}

/** Of which service an id is, in SQL; `parcels-2` is of `parcels`. */
export const serviceSql = (id: string) => `regexp_replace(${id}, '-[0-9]+$', '')`;

/** In a change: what a host says of itself is what others route by. Rejects with IdTaken, TooMany, KeyReplaced, or NotYours. */
export async function enter(tx: Sql, host: Registration, report: HostReport): Promise<void> {
  if (host.role === 'service') {
    await refuseReplaced(tx, host);
    await makeRoom(tx, host);
    await refuseCrowd(tx, host);
  }
  await upsert(tx, host, report);
}

// The process before it may be dead and not yet known to be: silent, or it had the address that is ours now.
// One that drains, or is offered for replacement, keeps its row until it leaves, and the id is free.
async function makeRoom(tx: Sql, { host, id, url }: Registration): Promise<void> {
  await tx.query(
    `WITH removed AS (
       DELETE FROM host
       WHERE id = $1 AND role = 'service' AND host <> $2 AND (NOT live OR url = $3 OR ${SILENT_SQL}) RETURNING *
     ), gone AS (SELECT * FROM removed WHERE live), ${notedSql('url <> $3')} SELECT FROM gone`,
    [id, host, url],
  );
  const { rows } = await tx.query<{ pid: number; url: string }>(
    `SELECT pid, url FROM host WHERE id = $1 AND role = 'service' AND host <> $2 AND NOT (draining OR retiring OR replaceable)`,
    [id, host],
  );
  if (rows[0]) throw new IdTaken(id, rows[0].pid, rows[0].url);
}

// Else whoever copied a key could take the id of a process that is being replaced, and keep the old key alive by it.
async function refuseReplaced(tx: Sql, { host, id, kid }: Registration): Promise<void> {
  const { rowCount } = await tx.query(
    `SELECT FROM key WHERE kid = $1 AND retired_at IS NOT NULL AND NOT EXISTS (SELECT FROM host WHERE host = $2)`,
    [kid ?? null, host],
  );
  if (rowCount > 0) throw new KeyReplaced(id);
}

// One that a monolith wants under this id is never too many: whoever fills the places keeps nobody from being started.
async function refuseCrowd(tx: Sql, { host, id }: Registration): Promise<void> {
  const others = `role = 'service' AND ${serviceSql('id')} = ${serviceSql('$1::text')} AND host <> $2
    AND NOT EXISTS (SELECT FROM service WHERE wanted AND module || '-' || number IN (host.id, $1))`;
  const isFull = async () =>
    (await tx.query(`SELECT FROM host WHERE ${others} LIMIT ${MAX_OF_ONE_NAME}`, [id, host])).rowCount ===
    MAX_OF_ONE_NAME;
  if (!(await isFull())) return;
  await tx.query(`DELETE FROM host WHERE ${others} AND (NOT live OR ${SILENT_SQL})`, [id, host]);
  if (await isFull()) throw new TooMany(audienceOf(id));
}

// A process keeps its host's uuid, and a service its name: a row is nobody else's to change.
async function upsert(tx: Sql, host: Registration, report: HostReport): Promise<void> {
  const { rowCount } = await tx.query(
    `INSERT INTO host (host, id, role, modules, url, public_url, pid, machine, started, doors, contracts,
       differences, ready, draining, inflight, busy, kid, speaks, release)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
     ON CONFLICT (host) DO UPDATE SET id = excluded.id, modules = excluded.modules, url = excluded.url,
       public_url = excluded.public_url, doors = excluded.doors, contracts = excluded.contracts,
       differences = excluded.differences, live = true, ready = excluded.ready, draining = excluded.draining,
       inflight = excluded.inflight, busy = excluded.busy, kid = excluded.kid, speaks = excluded.speaks,
       release = excluded.release, heartbeat_at = now()
     WHERE host.role = excluded.role
       AND (host.role <> 'service' OR ${serviceSql('host.id')} = ${serviceSql('excluded.id')})`,
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
      host.kid ?? null,
      host.speaks ?? [],
      host.release ?? null,
    ],
  );
  if (rowCount === 0) throw new NotYours(host.host, 'of another service');
}
