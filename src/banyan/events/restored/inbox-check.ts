// One consumer's inbox held against a page of the log: what it lacks is put into it, and what its owner never committed is
// dropped. A page is one transaction. Repeatable: what was done is found done. It must not know who published what.
import type { StoredRecord } from '../../log/port.ts';
import type { Sql } from '../../store/store.ts';
import type { Attributes } from '../cloudevents.ts';
import type { DeliveryState } from '../delivery.ts';
import { type ModuleEvents, nameOf } from '../module-events.ts';
import { statesOf } from '../operations/verify-store.ts';
import type { ConsumerReport } from './report.ts';

/** An event of the log with a number; `ghost`: its owner's store does not know it. */
export interface Logged {
  readonly record: StoredRecord;
  readonly attributes: Attributes & { readonly sequence: number };
  readonly ghost: boolean;
}

const GONE = 'its transaction is not in the store of its owner, which was restored or lost commits';

export class InboxCheck {
  readonly #consumer: ModuleEvents;
  readonly #topic: string;
  readonly #schema: string;
  #dropped = 0;
  #tookEffect = 0;
  #again = 0;

  constructor(consumer: ModuleEvents, topic: string) {
    this.#consumer = consumer;
    this.#topic = topic;
    this.#schema = nameOf(consumer);
  }

  get report(): ConsumerReport {
    return {
      module: this.#schema,
      dropped: this.#dropped,
      tookEffect: this.#tookEffect,
      again: this.#again,
    };
  }

  /** @param page in the order of the log. Answers which ghosts had their effect here. */
  async take(page: readonly Logged[]): Promise<readonly string[]> {
    const { pool } = this.#consumer.store;
    const states = await statesOf(
      pool,
      this.#schema,
      page.map(({ attributes: { id } }) => id),
    );
    const received = await this.#received(page.map(({ attributes: { key } }) => key));
    const lacking = page.filter(({ attributes: { id, key, sequence }, ghost }) => {
      const state = states.get(id);
      return ghost ? !isOver(state) : state === undefined && sequence > (received.get(key) ?? 0);
    });
    const took = page.filter(({ attributes, ghost }) => ghost && states.get(attributes.id) === 'done');
    if (lacking.length > 0) await this.#place(lacking, states);
    this.#tookEffect += took.length;
    return took.map(({ attributes }) => attributes.id);
  }

  async #place(lacking: readonly Logged[], states: ReadonlyMap<string, DeliveryState>): Promise<void> {
    let [dropped, again] = [0, 0];
    await this.#consumer.store.alone(async (tx) => {
      [dropped, again] = [0, 0];
      for (const one of lacking) {
        const { kind } = this.#consumer.reader.read(this.#topic, one.record, placeOf(one.record));
        if (kind === 'ignored') await this.#put(tx.sql, one, 'ignored');
        else if (one.ghost) {
          if (!states.has(one.attributes.id)) await this.#put(tx.sql, one, 'dropped', GONE);
          await this.#drop(tx.sql, one.attributes.id);
          dropped += 1;
        } else {
          await this.#put(tx.sql, one, 'waiting');
          again += 1;
        }
      }
    });
    this.#dropped += dropped;
    this.#again += again;
  }

  /** In its turn: what waits is tried by whoever runs the consumer, behind earlier ones of its key. */
  async #put(
    sql: Sql,
    { record, attributes: { id, key, sequence, type, time } }: Logged,
    state: 'ignored' | 'dropped' | 'waiting',
    reason: string | null = null,
  ): Promise<void> {
    await sql.query(
      `SELECT ${this.#schema}.event_take($1::uuid, $2::text, $3::text, $4::bigint, $5::text, $6::timestamptz, $7::json, $8::bytea,
         $9::text, $10::text)`,
      [
        id,
        this.#topic,
        key,
        sequence,
        type,
        time,
        JSON.stringify(record.headers),
        record.value,
        state,
        reason,
      ],
    );
  }

  /** Also where it was placed behind others, or waited there before. */
  async #drop(sql: Sql, id: string): Promise<void> {
    await sql.query(
      `SELECT ${this.#schema}.event_settle(id, 'dropped', $2::text) FROM ${this.#schema}.event_delivery
       WHERE id = $1::uuid AND state <> 'dropped'`,
      [id, GONE],
    );
  }

  /** How far each key has come here. */
  async #received(keys: readonly string[]): Promise<Map<string, number>> {
    const { rows } = await this.#consumer.store.pool.query<{ key: string; received: string }>(
      `SELECT key, received FROM ${this.#schema}.event_stream WHERE topic = $1 AND key = ANY ($2::text[])`,
      [this.#topic, [...new Set(keys)]],
    );
    return new Map(rows.map((row) => [row.key, Number(row.received)]));
  }
}

function isOver(state: DeliveryState | undefined): boolean {
  return state === 'done' || state === 'dropped';
}

export function placeOf({ topic, partition, offset }: StoredRecord): string {
  return `${topic}/${partition}/${offset}`;
}
