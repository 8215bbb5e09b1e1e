// Deliveries that wait for a person's decision: taken under the locks that the consumer takes, in the order of
// their keys, and told of as they are after it.
import type { Sql } from '../../store/store.ts';
import type { DeliveryState } from '../delivery.ts';

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

export interface RestingRow {
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

/** The rows in the order of their keys, locked before their keys are, as everywhere (tables/inbox.sql). */
export async function lockResting(
  sql: Sql,
  schema: string,
  ids: readonly string[],
  allowed: readonly DeliveryState[],
): Promise<RestingRow[]> {
  const { rows } = await sql.query<RestingRow>(
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

export async function outcome(sql: Sql, schema: string, ids: readonly string[]): Promise<Decided[]> {
  const { rows } = await sql.query<{ id: string; state: DeliveryState; behind: string | null }>(
    `SELECT d.id, d.state, CASE WHEN d.state = 'queued' THEN (
       SELECT h.id FROM ${schema}.event_delivery h
       WHERE h.topic = d.topic AND h.key = d.key AND ${schema}.event_is_open(h.state, h.holds)
       ORDER BY h.sequence NULLS LAST, h.arrival LIMIT 1
     ) END AS behind
     FROM ${schema}.event_delivery d WHERE d.id = ANY ($1::uuid[])
     ORDER BY d.topic, d.key, d.sequence NULLS LAST, d.arrival`,
    [ids],
  );
  return rows.map((row) => ({ module: schema, ...row }));
}
