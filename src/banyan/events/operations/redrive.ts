// A delivery at rest is tried again, with its data as it came or with better data. Audit row and the original of what
// was edited commit with it; the key's own lock keeps the order, so that it takes its place before the events that
// wait behind it.
import type { Sql } from '../../store/store.ts';
import type { DeliveryState } from '../delivery.ts';
import { type ModuleEvents, nameOf } from '../module-events.ts';
import { checkOf, EventRefused } from '../publisher.ts';
import type { Reading } from '../reading.ts';
import { type Decided, lockResting, NotAtRest, outcome, type RestingRow } from './at-rest.ts';
import { audit } from './audit.ts';

type Unreadable = Extract<Reading, { kind: 'poison' }>;

/** Its attributes, which an edit does not touch, keep this consumer from handling it. */
export class NotRepairable extends Error {
  constructor(reading: Exclude<Reading, { kind: 'event' }>) {
    super('reason' in reading ? reading.reason : 'nobody here listens to it');
    this.name = 'NotRepairable';
  }
}

const redrivable: readonly DeliveryState[] = ['dead', 'unknown-version', 'early', 'waiting'];

/**
 * All or none. @param data replaces the event's data: throws EventRefused with the paths that are wrong.
 */
export async function redrive(
  of: ModuleEvents,
  ids: readonly string[],
  { by, data }: { by: string; data?: unknown },
): Promise<Decided[]> {
  const schema = nameOf(of);
  const decided = await of.store.transaction(async ({ sql }) => {
    const rows = await lockResting(sql, schema, ids, redrivable);
    const edited = data !== undefined;
    if (edited) for (const row of rows) await edit(of, sql, row, data);
    await audit(
      sql,
      schema,
      rows.map(({ id, state, reason, attempts, value }) => ({
        action: 'redrive',
        by,
        eventId: id,
        detail: { state, reason, attempts, edited },
        original: edited ? value : null,
      })),
    );
    await sql.query(
      `UPDATE ${schema}.event_delivery SET next_at = clock_timestamp() WHERE state = 'waiting' AND id = ANY ($1::uuid[])`,
      [ids],
    );
    await sql.query(
      `SELECT ${schema}.event_again(id) FROM unnest($1::uuid[]) WITH ORDINALITY AS o (id, n) ORDER BY n`,
      [rows.filter(({ state }) => state !== 'waiting').map(({ id }) => id)],
    );
    return outcome(sql, schema, ids);
  });
  of.wake();
  return decided;
}

/** Every dead letter of the module, key by key in their order; answers how many. */
export async function redriveAll(of: ModuleEvents, by: string): Promise<number> {
  const schema = nameOf(of);
  // Ids first: one that is dead again by the time the next ones are sent is not sent twice.
  const { rows } = await of.store.pool.query<{ id: string }>(
    `SELECT id FROM ${schema}.event_delivery WHERE state = 'dead' ORDER BY topic, key, sequence NULLS LAST, arrival`,
  );
  let redriven = 0;
  for (let first = 0; first < rows.length; first += PORTION) {
    const ids = rows.slice(first, first + PORTION).map(({ id }) => id);
    try {
      redriven += (await redrive(of, ids, { by })).length;
    } catch (error) {
      if (!(error instanceof NotAtRest)) throw error;
      // Somebody else decided about one of them meanwhile: one by one, without it.
      for (const id of ids) redriven += await oneOfMany(of, id, by);
    }
  }
  return redriven;
}

const PORTION = 200;

async function oneOfMany(of: ModuleEvents, id: string, by: string): Promise<number> {
  try {
    return (await redrive(of, [id], { by })).length;
  } catch (error) {
    if (error instanceof NotAtRest) return 0;
    throw error;
  }
}

/** Better data for one delivery: it must be what the consumer can handle, and of the same key. */
async function edit(of: ModuleEvents, sql: Sql, row: RestingRow, data: unknown): Promise<void> {
  const { id, topic, key, headers } = row;
  const value = Buffer.from(JSON.stringify(data));
  const reading = of.reader.read(topic, { key, headers: headers ?? {}, value }, id);
  if (reading.kind === 'poison' && !reading.attributes.wrong) refuse(of, reading, data);
  if (reading.kind !== 'event') throw new NotRepairable(reading);
  const field = reading.listener.event.key;
  if ((data as Record<string, unknown>)[field] !== key)
    throw new EventRefused('An edit keeps the key', [
      { path: `/${field}`, message: `must stay ${JSON.stringify(key)}: it is the key` },
    ]);
  await sql.query(`UPDATE ${nameOf(of)}.event_delivery SET value = $2::bytea WHERE id = $1::uuid`, [
    id,
    value,
  ]);
}

/** The consumer could read it but for its data. */
function refuse(of: ModuleEvents, { attributes, reason }: Unreadable, data: unknown): void {
  const listener = of.listeners.find(({ event }) => event.type === attributes.type);
  if (!listener) return;
  const errors = checkOf(listener.event).errors(data);
  throw new EventRefused(reason, errors.length > 0 ? errors : [{ path: '', message: reason }]);
}
