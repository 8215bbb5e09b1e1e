// A delivery at rest is tried again, with its data as it came or with better data. Its audit row, with what an edit
// replaced and what it wrote, commits with it; the key's own lock keeps the order, so that it takes its place before
// the events that wait behind it. What must not be sent again of its headers is made new.
import type { Sql } from '../../store/store.ts';
import type { DeliveryState } from '../delivery.ts';
import { type ModuleEvents, nameOf } from '../module-events.ts';
import { type Decided, lockResting, NotAtRest, outcome, type RestingRow } from './at-rest.ts';
import { audit } from './audit.ts';
import { edited } from './edit.ts';
import { conditions, type Selection } from './selection.ts';
import { type ChangedHeader, madeNew } from './sent-again.ts';

const redrivable: readonly DeliveryState[] = ['dead', 'unknown-version', 'early', 'waiting'];

export interface Redrive {
  readonly by: string;
  /** Replaces the event's data: throws EventRefused with the paths that are wrong. */
  readonly data?: unknown;
  /** Not before these many milliseconds, and each of them so much later than the one before. Absent: at once. */
  readonly pace?: { readonly firstMs: number; readonly everyMs: number } | undefined;
}

/** All or none. */
export async function redrive(
  of: ModuleEvents,
  ids: readonly string[],
  { by, data, pace }: Redrive,
): Promise<Decided[]> {
  const schema = nameOf(of);
  const decided = await of.store.transaction(async ({ sql }) => {
    const rows = await lockResting(sql, schema, ids, redrivable);
    const written = new Map<string, Buffer>();
    if (data !== undefined)
      for (const row of rows) written.set(row.id, await replaceData(of, sql, row, data));
    const asleep = rows.filter(({ state }) => state !== 'waiting');
    const changed = await renewHeaders(sql, schema, asleep);
    await audit(
      sql,
      schema,
      rows.map(({ id, state, reason, attempts, value }) => ({
        action: 'redrive',
        by,
        eventId: id,
        detail: { state, reason, attempts, edited: data !== undefined, headers: changed.get(id) ?? [] },
        original: data === undefined ? null : value,
        replacement: written.get(id) ?? null,
      })),
    );
    await sql.query(
      `UPDATE ${schema}.event_delivery SET next_at = clock_timestamp() WHERE state = 'waiting' AND id = ANY ($1::uuid[])`,
      [ids],
    );
    await sql.query(
      `SELECT ${schema}.event_again(id) FROM unnest($1::uuid[]) WITH ORDINALITY AS o (id, n) ORDER BY n`,
      [asleep.map(({ id }) => id)],
    );
    if (pace) await oneAfterAnother(sql, schema, rows, pace);
    return outcome(sql, schema, ids);
  });
  of.wake();
  return decided;
}

/** A time before which each is not tried: in its row, so that it holds whoever tries it. */
async function oneAfterAnother(
  sql: Sql,
  schema: string,
  rows: readonly RestingRow[],
  { firstMs, everyMs }: NonNullable<Redrive['pace']>,
): Promise<void> {
  await sql.query(
    `UPDATE ${schema}.event_delivery d
     SET next_at = clock_timestamp() + ($2::float8 + (o.n - 1) * $3::float8) * interval '1 ms'
     FROM unnest($1::uuid[]) WITH ORDINALITY AS o (id, n) WHERE d.id = o.id AND d.state IN ('queued', 'waiting')`,
    [rows.map(({ id }) => id), firstMs, everyMs],
  );
}

async function renewHeaders(
  sql: Sql,
  schema: string,
  rows: readonly RestingRow[],
): Promise<ReadonlyMap<string, ChangedHeader[]>> {
  const known = rows.filter(({ headers }) => headers !== null);
  const renewed = known.map(({ id, headers }) => ({ id, ...madeNew(headers!) }));
  await sql.query(
    `UPDATE ${schema}.event_delivery d SET headers = g.headers::json
     FROM unnest($1::uuid[], $2::text[]) AS g (id, headers) WHERE d.id = g.id`,
    [renewed.map(({ id }) => id), renewed.map(({ headers }) => JSON.stringify(headers))],
  );
  return new Map(renewed.map(({ id, changed }) => [id, changed]));
}

async function replaceData(of: ModuleEvents, sql: Sql, row: RestingRow, data: unknown): Promise<Buffer> {
  const { value } = edited(of, row, data);
  await sql.query(`UPDATE ${nameOf(of)}.event_delivery SET value = $2::bytea WHERE id = $1::uuid`, [
    row.id,
    value,
  ]);
  return value;
}

/** The dead letters of a module that are meant, in the order of their keys. */
export async function selected(of: ModuleEvents, selection: Selection): Promise<string[]> {
  const { sql, values } = conditions(selection, 1);
  const { rows } = await of.store.pool.query<{ id: string }>(
    `SELECT id FROM ${nameOf(of)}.event_delivery d WHERE state = 'dead'${sql} ORDER BY topic, key, sequence NULLS LAST, arrival`,
    values,
  );
  return rows.map(({ id }) => id);
}

const PORTION = 200;

/** In portions, so that no transaction is long; where somebody else decided about one meanwhile, one by one without it. */
export async function inPortions(
  ids: readonly string[],
  decide: (some: readonly string[], before: number) => Promise<readonly Decided[]>,
): Promise<number> {
  let decided = 0;
  const one = async (id: string) => {
    try {
      return (await decide([id], decided)).length;
    } catch (error) {
      if (error instanceof NotAtRest) return 0;
      throw error;
    }
  };
  for (let first = 0; first < ids.length; first += PORTION) {
    const some = ids.slice(first, first + PORTION);
    try {
      decided += (await decide(some, decided)).length;
    } catch (error) {
      if (!(error instanceof NotAtRest)) throw error;
      for (const id of some) decided += await one(id);
    }
  }
  return decided;
}
