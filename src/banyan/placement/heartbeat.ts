// A heartbeat of a host in the registry: what it counts and by which version it decides. Guarantees: it takes neither
// lock nor version unless what others route by (ready, draining, alive again) is another than before.
import type { Sql } from '../store/store.ts';
import type { Change } from './change.ts';
import { NotYours, serviceSql } from './entry.ts';
import type { Heartbeat } from './host.ts';
import { TAG_SQL } from './tables.ts';

/**
 * Answers the store's tag; undefined: the registry does not know this host.
 * @param service who says it, where that is a service: rejects with NotYours where the host is another's.
 */
export async function beat(
  sql: Sql,
  change: Change,
  heartbeat: Heartbeat,
  service?: string,
): Promise<string | undefined> {
  const { host, appliedVersion, inflight, busy, ready, draining, held = {}, speaks, stores = {} } = heartbeat;
  const { rows } = await sql.query<{ same: boolean; tag: string }>(
    `UPDATE host SET heartbeat_at = now(), applied_version = $2, inflight = $3, busy = $4,
       held = $7, speaks = coalesce($9, speaks), stores = $10 WHERE host = $1 AND ${isOf('$8')}
     RETURNING live AND ready = $5 AND draining = $6 AS same, ${TAG_SQL} AS tag`,
    [
      host,
      appliedVersion,
      JSON.stringify(inflight),
      JSON.stringify(busy),
      ready,
      draining,
      JSON.stringify(held),
      service ?? null,
      speaks ?? null,
      JSON.stringify(stores),
    ],
  );
  if (!rows[0] && service !== undefined) await refuseForeign(sql, host);
  if (!rows[0] || rows[0].same) return rows[0]?.tag;
  await changeState(change, heartbeat);
  return (await sql.query<{ tag: string }>(`SELECT ${TAG_SQL} AS tag`)).rows[0]!.tag;
}

/** The row is of that service; of anybody where none is given. */
export const isOf = (service: string) =>
  `(${service}::text IS NULL OR (role = 'service' AND ${serviceSql('id')} = ${service}))`;

/** Of a host that was not found for this service: rejects with NotYours where it is another's. */
export async function refuseForeign(sql: Sql, host: string): Promise<void> {
  const { rows } = await sql.query<{ id: string }>('SELECT id FROM host WHERE host = $1', [host]);
  if (rows[0]) throw new NotYours(host, rows[0].id);
}

async function changeState(change: Change, { host, ready, draining }: Heartbeat): Promise<void> {
  await change(async (tx) => {
    const { rowCount } = await tx.query(
      `UPDATE host SET live = true, ready = $2, draining = $3
       WHERE host = $1 AND NOT (live AND ready = $2 AND draining = $3)`,
      [host, ready, draining],
    );
    return rowCount > 0;
  });
}
