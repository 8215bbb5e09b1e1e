// A person's decision about deliveries that are at rest: again, with the data as it came or with better data,
// or given up. Decision, audit row and the original of what was edited commit together; the key's own lock
// keeps the order, so that what is redriven takes its place before the events that wait behind it.
import type { Sql } from '../../store/store.ts';
import { textual } from '../cloudevents.ts';
import type { DeliveryState } from '../delivery.ts';
import { checkOf, EventRefused } from '../publisher.ts';
import type { Reading } from '../reading.ts';
import { audit } from './audit.ts';
import { type ModuleEvents, nameOf } from './parts.ts';

export interface Decided {
  readonly module: string;
  readonly id: string;
  readonly state: DeliveryState;
  /** The earlier event of its key that it waits for; null when it is tried at once. */
  readonly behind: string | null;
}

/** Nothing of this id is in a state in which the decision can be taken. `state` undefined: unknown here. */
export class NotAtRest extends Error {
  readonly id: string;
  readonly state: DeliveryState | undefined;
  constructor(module: string, id: string, state: DeliveryState | undefined) {
    super(state ? `${id} is ${state} at ${module}` : `${module} has no delivery ${id}`);
    this.name = 'NotAtRest';
    this.id = id;
    this.state = state;
  }
}

type Unreadable = Extract<Reading, { kind: 'poison' }>;

/** Its attributes, which an edit does not touch, keep this consumer from handling it. */
export class NotRepairable extends Error {
  constructor(reading: Exclude<Reading, { kind: 'event' }>) {
    super('reason' in reading ? reading.reason : 'nobody here listens to it');
    this.name = 'NotRepairable';
  }
}

const redrivable: readonly DeliveryState[] = ['dead', 'unknown-version', 'early', 'waiting'];
const droppable: readonly DeliveryState[] = ['dead', 'unknown-version'];

interface Row {
  readonly [column: string]: unknown;
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly attempts: number;
  readonly headers: Record<string, string> | null;
  readonly value: Buffer | null;
}

/**
 * All or none. @param data replaces the event's data: throws EventRefused with the paths that are wrong.
 */
export async function redrive(
  of: ModuleEvents,
  ids: readonly string[],
  { by, data }: { by: string; data?: unknown },
): Promise<Decided[]> {
  const schema = nameOf(of);
  const decided = await of.store.rawTransaction(async ({ sql }) => {
    const rows = await lock(sql, schema, ids, redrivable);
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

/** Gives deliveries up; later events of their keys go on. */
export async function drop(
  of: ModuleEvents,
  ids: readonly string[],
  { by, why }: { by: string; why: string },
): Promise<Decided[]> {
  const schema = nameOf(of);
  const decided = await of.store.rawTransaction(async ({ sql }) => {
    const rows = await lock(sql, schema, ids, droppable);
    await audit(
      sql,
      schema,
      rows.map(({ id, state, reason, attempts }) => ({
        action: 'drop',
        by,
        eventId: id,
        why,
        detail: { state, reason, attempts },
      })),
    );
    for (const { id } of rows) {
      await sql.query(`SELECT ${schema}.event_settle($1::uuid, 'dropped', $2::text)`, [
        id,
        textual(`dropped: ${why}`),
      ]);
    }
    return outcome(sql, schema, ids);
  });
  of.wake();
  return decided;
}

/** The rows in the order of their keys, locked before their keys are, as everywhere (tables/inbox.ts). */
async function lock(
  sql: Sql,
  schema: string,
  ids: readonly string[],
  allowed: readonly DeliveryState[],
): Promise<Row[]> {
  const { rows } = await sql.query<Row>(
    `SELECT id, topic, key, state, reason, attempts, headers, value FROM ${schema}.event_delivery
     WHERE id = ANY ($1::uuid[]) ORDER BY topic, key, sequence NULLS LAST, arrival FOR UPDATE`,
    [ids],
  );
  for (const id of ids) {
    const state = rows.find((row) => row.id === id.toLowerCase())?.state;
    if (!state || !allowed.includes(state)) throw new NotAtRest(schema, id, state);
  }
  return rows;
}

/** Better data for one delivery: it must be what the consumer can handle, and of the same key. */
async function edit(of: ModuleEvents, sql: Sql, row: Row, data: unknown): Promise<void> {
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

async function outcome(sql: Sql, schema: string, ids: readonly string[]): Promise<Decided[]> {
  const { rows } = await sql.query<{ id: string; state: DeliveryState; behind: string | null }>(
    `SELECT d.id, d.state, CASE WHEN d.state = 'queued' THEN (
       SELECT h.id FROM ${schema}.event_delivery h
       WHERE h.topic = d.topic AND h.key = d.key
         AND (h.state IN ('waiting', 'queued', 'unknown-version') OR (h.state = 'dead' AND h.holds))
       ORDER BY h.sequence NULLS LAST, h.arrival LIMIT 1
     ) END AS behind
     FROM ${schema}.event_delivery d WHERE d.id = ANY ($1::uuid[])
     ORDER BY d.topic, d.key, d.sequence NULLS LAST, d.arrival`,
    [ids],
  );
  return rows.map((row) => ({ module: schema, ...row }));
}
