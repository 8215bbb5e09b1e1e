// Where the stores of modules are: the rows that decide it, one a module. Guarantees: a store has one owner in each epoch,
// which this row alone says; it goes to another server only while its gate is held, so not after somebody else has opened it;
// a host counts as having done what it was asked when it says that it did it, and not when it has read it.
// Every change is part of one of the control store (change.ts): it takes a version and is told to all hosts.
// Its schema is named, since a start reads it before there is a control store. It must not know how a store is moved.
import type { ServerAddress } from '../postgres/server-address.ts';
import type { StorePlace } from '../routing/snapshot.ts';
import type { Sql } from '../store/store.ts';
import { SILENT_SQL } from './schema.ts';
import { FOLLOWS_STORES } from './words.ts';

/** The server that DATABASE_URL names, or the embedded one where nothing does. */
export const SHARED = 'shared';
/** An embedded one of the module's own. */
export const OWN = 'own';

export interface StoreRow extends StorePlace {
  readonly module: string;
  readonly pairedWith: string | null;
  /** RFC 3339. */
  readonly changedAt: string;
  readonly changedBy: string;
}

/** The owner that a module's store gets. */
export interface Owner {
  readonly server: string;
  /** Null: as DATABASE_URL says. */
  readonly address: ServerAddress | null;
  readonly pairedWith: string | null;
}

/** The gate is open, or the store is in another epoch: somebody else has decided meanwhile. */
export class NotHeld extends Error {
  constructor(module: string) {
    super(`the store of ${module} is not held any more, and stays where it is`);
    this.name = 'NotHeld';
  }
}

/** Of every module that has a row: all others are on the shared server and have never moved. */
export async function readPlaces(sql: Sql): Promise<StoreRow[]> {
  const { rows } = await sql.query<StoreRow & { epoch: string }>(
    `SELECT module, server, epoch, gate, address, next, paired_with AS "pairedWith", changed_by AS "changedBy",
       to_char(changed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "changedAt"
     FROM banyan_control.store ORDER BY module`,
  );
  return rows.map(({ epoch, address, next, ...row }) => ({
    ...row,
    epoch: Number(epoch),
    ...(address && { address }),
    ...(next && { next }),
  }));
}

/** Says where it may go soon, whose gate is open: hosts get ready for it. @param next null: as DATABASE_URL says. */
export async function announce(tx: Sql, module: string, next: ServerAddress | null): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE banyan_control.store SET next = $2 WHERE module = $1 AND gate = 'open'`,
    [module, JSON.stringify(next ?? {})],
  );
  return rowCount > 0;
}

/** Shuts the gate. Answers whether it was open. @param next where it is about to go, for whoever wants to be there early. */
export async function hold(
  tx: Sql,
  module: string,
  next: ServerAddress | null,
  by = 'store',
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `INSERT INTO banyan_control.store AS s (module, server, gate, next, changed_by) VALUES ($1, $2, 'held', $3, $4)
     ON CONFLICT (module) DO UPDATE SET gate = 'held', next = excluded.next, changed_at = clock_timestamp(),
       changed_by = excluded.changed_by
     WHERE s.gate <> 'held' OR s.next IS DISTINCT FROM excluded.next`,
    [module, SHARED, asJson(next), by],
  );
  return rowCount > 0;
}

/** Opens the gate, and nobody need be ready any more; the owner is as before. Answers whether that is new. */
export async function release(tx: Sql, module: string, by = 'store'): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE banyan_control.store SET gate = 'open', next = NULL, changed_at = clock_timestamp(), changed_by = $2
     WHERE module = $1 AND (gate <> 'open' OR next IS NOT NULL)`,
    [module, by],
  );
  return rowCount > 0;
}

/**
 * The moment at which the store is elsewhere: another owner, one epoch later, and the gate opens. Rejects with NotHeld where
 * it is not held, or not in the epoch that the caller knows.
 */
export async function own(
  tx: Sql,
  module: string,
  { server, address, pairedWith }: Owner,
  { by = 'store', epoch }: { readonly by?: string; readonly epoch?: number } = {},
): Promise<true> {
  const { rowCount } = await tx.query(
    `UPDATE banyan_control.store SET server = $2, address = $3, paired_with = $4, epoch = epoch + 1, gate = 'open', next = NULL,
       changed_at = clock_timestamp(), changed_by = $5
     WHERE module = $1 AND gate = 'held' AND ($6::bigint IS NULL OR epoch = $6)`,
    [module, server, asJson(address), pairedWith, by, epoch ?? null],
  );
  if (rowCount === 0) throw new NotHeld(module);
  return true;
}

/** Says which server follows the store; null: none. The owner stays. Answers whether that is new. */
export async function pairWith(
  tx: Sql,
  module: string,
  server: string | null,
  by = 'store',
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `INSERT INTO banyan_control.store AS s (module, server, paired_with, changed_by) SELECT $1, $2, $3, $4 WHERE $3::text IS NOT NULL OR
       EXISTS (SELECT FROM banyan_control.store WHERE module = $1)
     ON CONFLICT (module) DO UPDATE SET paired_with = excluded.paired_with, changed_at = clock_timestamp(),
       changed_by = excluded.changed_by
     WHERE s.paired_with IS DISTINCT FROM excluded.paired_with`,
    [module, SHARED, server, by],
  );
  return rowCount > 0;
}

/** The same server under another address: an embedded one started on another port. Answers whether it was another. */
export async function readdress(
  tx: Sql,
  module: string,
  server: string,
  address: ServerAddress,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE banyan_control.store SET address = $3, changed_at = clock_timestamp()
     WHERE module = $1 AND server = $2 AND address IS DISTINCT FROM $3::jsonb`,
    [module, server, asJson(address)],
  );
  return rowCount > 0;
}

/** A store that is made there at the first start, and was nowhere before. Answers whether there was no row. */
export async function makeAt(
  tx: Sql,
  module: string,
  server: string,
  address: ServerAddress,
  by = 'STORES',
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `INSERT INTO banyan_control.store (module, server, epoch, address, changed_by) VALUES ($1, $2, 1, $3, $4) ON CONFLICT DO NOTHING`,
    [module, server, asJson(address), by],
  );
  return rowCount > 0;
}

const RUNS_SQL = `live AND NOT (${SILENT_SQL}) AND $1 = ANY (modules)`;

/** The ids of live hosts that run the module and have not said of this epoch that it is held, and nothing under way. */
export function notHeld(sql: Sql, module: string, epoch: number): Promise<string[]> {
  return idsOf(
    sql,
    `NOT (stores -> $1 @> jsonb_build_object('epoch', $2::bigint, 'held', true, 'open', 0))`,
    module,
    epoch,
  );
}

/** The ids of live hosts that run the module and have not said that they are ready to go where it may go soon. */
export function notReady(sql: Sql, module: string): Promise<string[]> {
  return idsOf(sql, `NOT (stores -> $1 @> '{"ready": true}' AND $2::bigint IS NOT NULL)`, module, 0);
}

/** The ids of live hosts that run the module and have not said that they are at the place of this epoch, or a later one. */
export function notOn(sql: Sql, module: string, epoch: number): Promise<string[]> {
  return idsOf(sql, `(stores -> $1 ->> 'epoch')::bigint < $2::bigint`, module, epoch);
}

/** The ids of live hosts that run the module and have sent no heartbeat for so long: stopped, frozen, or much too busy to hold. */
export async function unheard(sql: Sql, module: string, ms: number): Promise<string[]> {
  const { rows } = await sql.query<{ id: string }>(
    `SELECT id FROM host WHERE ${RUNS_SQL} AND heartbeat_at < clock_timestamp() - $2::float8 * interval '1 ms' ORDER BY id`,
    [module, ms],
  );
  return rows.map(({ id }) => id);
}

/** The ids of live hosts, whatever they run, that know nothing of stores that move. */
export async function ignorantOfStores(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query<{ id: string }>(
    `SELECT id FROM host WHERE live AND NOT (${SILENT_SQL}) AND $1 <> ALL (speaks) ORDER BY id`,
    [FOLLOWS_STORES],
  );
  return rows.map(({ id }) => id);
}

/** What a host has never said is not so. */
async function idsOf(sql: Sql, condition: string, module: string, epoch: number): Promise<string[]> {
  const { rows } = await sql.query<{ id: string }>(
    `SELECT id FROM host WHERE ${RUNS_SQL} AND coalesce(${condition}, true) ORDER BY id`,
    [module, epoch],
  );
  return rows.map(({ id }) => id);
}

const asJson = (address: ServerAddress | null) => (address === null ? null : JSON.stringify(address));
