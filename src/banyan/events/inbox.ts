// How events that come from the log get into a consumer's inbox: each is placed once, in the order of its key. What the
// statements guarantee is in tables/take.sql; here is only how they are called, with repeats of what the database
// itself asks to repeat. What is tried later is in waiting.ts.
import type { Pool } from 'pg';
import type { StoredRecord } from '../log/port.ts';
import type { Sql } from '../store/store.ts';
import { type Attributes, textual } from './cloudevents.ts';
import { type Failure, judge, repeated } from './failure.ts';

/** What became of an event that came from the log. */
export type Verdict = 'take' | 'duplicate' | 'queued' | 'early' | 'late';

/** An event that came from the log, to be taken with others. */
export interface Taking {
  readonly topic: string;
  readonly attributes: Attributes;
  readonly record: StoredRecord;
  readonly ignored: boolean;
}

/** Less than the second after which the database looks for deadlocks. */
const LOCK_MS = 250;

export class Inbox {
  readonly #schema: string;
  readonly #pool: Pool;
  readonly #host: string;

  constructor(schema: string, pool: Pool, host: string) {
    this.#schema = schema;
    this.#pool = pool;
    this.#host = host;
  }

  /** Notes since when this consumer knows the topics, and listens to the types. */
  async meet(topics: readonly string[], types: readonly string[]): Promise<void> {
    await this.#pool.query(
      `WITH met AS (
         INSERT INTO ${this.#schema}.event_source (topic) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING
       ), left_alone AS (
         DELETE FROM ${this.#schema}.event_listener WHERE type <> ALL ($2::text[])
       )
       INSERT INTO ${this.#schema}.event_listener (type) SELECT unnest($2::text[]) ON CONFLICT DO NOTHING`,
      [topics, types],
    );
  }

  /** In the transaction of the effect: whether it is this event's turn. */
  async take(sql: Sql, topic: string, of: Attributes, record: StoredRecord): Promise<Verdict> {
    const { rows } = await sql.query<{ verdict: Verdict }>(
      `SELECT ${this.#schema}.event_take($1::uuid, $2::text, $3::text, $4::bigint, $5::text, $6::timestamptz, $7::json,
         convert_to($8::text, 'UTF8')) AS verdict`,
      [
        of.id,
        topic,
        of.key,
        of.sequence,
        of.type,
        of.time,
        JSON.stringify(record.headers),
        record.value?.toString() ?? null,
      ],
    );
    return rows[0]!.verdict;
  }

  /**
   * The same for several events in one statement, in the order given within each key; `ignored` ones only move
   * their key on. Waiting for a lock ends after a while in an error: two such transactions may hold what the
   * other wants, and then it is better to go one by one than to wait for the database to see the deadlock.
   */
  async takeMany(sql: Sql, some: readonly Taking[]): Promise<readonly Verdict[]> {
    const events = some.map(({ topic, ignored, attributes: { id, key, sequence, type, time } }) => ({
      id,
      topic,
      key,
      sequence,
      type,
      time,
      state: ignored ? 'ignored' : 'done',
    }));
    const { rows } = await sql.query<{ n: number; verdict: Verdict }>(
      `SELECT n::int, verdict FROM ${this.#schema}.event_take_many($1::json, $2::text)`,
      [JSON.stringify(events), `${LOCK_MS}ms`],
    );
    const verdicts: Verdict[] = [];
    for (const { n, verdict } of rows) verdicts[n - 1] = verdict;
    const waiting = some.filter(
      ({ ignored }, n) => !ignored && verdicts[n] !== 'take' && verdicts[n] !== 'duplicate',
    );
    if (waiting.length > 0) {
      await sql.query(
        `UPDATE ${this.#schema}.event_delivery d SET headers = g.headers::json, value = g.value
         FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS g (id, headers, value)
         WHERE d.id = g.id AND d.state <> 'done'`,
        [
          waiting.map(({ attributes }) => attributes.id),
          waiting.map(({ record }) => textOf(record)),
          waiting.map(({ record }) => record.value),
        ],
      );
    }
    return verdicts;
  }

  /** What cannot be handled is written down as it came, raw bytes and all. */
  async hold(
    topic: string,
    of: Attributes,
    record: StoredRecord,
    state: 'dead' | 'unknown-version',
    reason: string,
    holds: boolean,
  ): Promise<Verdict> {
    return repeated(async () => {
      const { rows } = await this.#pool.query<{ verdict: Verdict }>(
        `SELECT ${this.#schema}.event_take($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS verdict`,
        [
          of.id,
          topic,
          of.key,
          of.sequence,
          of.type,
          of.time,
          textOf(record),
          record.value,
          state,
          textual(reason),
          holds,
        ],
      );
      return rows[0]!.verdict;
    });
  }

  /** The first attempt failed: the delivery waits (or is dead, if one attempt is all the policy gives). */
  async failFirst(topic: string, of: Attributes, record: StoredRecord, failure: Failure): Promise<void> {
    const { wait, holds, message, stack } = judge(failure);
    await repeated(() =>
      this.#pool.query(
        `WITH placed AS (
           SELECT ${this.#schema}.event_take($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12::float8 * interval '1 ms') AS verdict
         )
         INSERT INTO ${this.#schema}.event_attempt (delivery_id, attempt, host, error, stack, traceparent)
         SELECT $1, 1, $13, $10, $14, $15 FROM placed WHERE verdict = 'take'`,
        [
          of.id,
          topic,
          of.key,
          of.sequence,
          of.type,
          of.time,
          textOf(record),
          record.value,
          wait === null ? 'dead' : 'waiting',
          message,
          holds,
          wait,
          this.#host,
          stack,
          failure.traceparent,
        ],
      ),
    );
  }

  /** Events without a listener: one statement for all of a batch. */
  async pass(
    topic: string,
    some: readonly { attributes: Attributes; record: StoredRecord }[],
  ): Promise<void> {
    const events = some
      .filter(({ attributes }) => attributes.sequence !== null)
      .map(({ attributes: { id, key, sequence, type, time }, record: { headers } }) => ({
        id,
        key,
        sequence,
        type,
        time,
        headers,
      }));
    if (events.length === 0) return;
    await repeated(() =>
      this.#pool.query({
        name: 'event-pass',
        text: `SELECT ${this.#schema}.event_pass($1, $2::json)`,
        values: [topic, JSON.stringify(events)],
      }),
    );
  }
}

function textOf(record: StoredRecord): string {
  return JSON.stringify(record.headers);
}
