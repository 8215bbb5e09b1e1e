// The statements of a consumer's inbox. What they guarantee is in tables/inbox.ts; here is only how they are
// called, with retries of what the database itself asks to repeat.
import type { Pool } from 'pg';
import { waitAfter } from '../backoff.ts';
import type { RetryPolicy } from '../module.ts';
import type { Sql } from '../store/store.ts';
import { type Attributes, textual } from './cloudevents.ts';
import type { StoredRecord } from './log/port.ts';

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

export interface Failure {
  readonly attempt: number;
  readonly error: unknown;
  readonly policy: RetryPolicy;
}

/** A delivery that is due, as far as the last look could tell. */
export interface DueRow {
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  readonly sequence: string | null;
  readonly type: string;
  readonly attempts: number;
  readonly headers: Record<string, string> | null;
  readonly value: Buffer | null;
  readonly received_at: Date;
}

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
      'event-take',
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
      'event-take-many',
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
    return this.#repeat(async () => {
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
    await this.#repeat(() =>
      this.#pool.query(
        `WITH placed AS (
           SELECT ${this.#schema}.event_take($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12::float8 * interval '1 ms') AS verdict
         )
         INSERT INTO ${this.#schema}.event_attempt (delivery_id, attempt, host, error, stack)
         SELECT $1, 1, $13, $10, $14 FROM placed WHERE verdict = 'take'`,
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
        ],
      ),
    );
  }

  /** A later attempt failed. False when another host was first with it. */
  async failAgain(id: string, failure: Failure): Promise<boolean> {
    const { wait, holds, message, stack } = judge(failure);
    return this.#repeat(async () => {
      const { rows } = await this.#pool.query<{ mine: boolean }>(
        `SELECT ${this.#schema}.event_fail($1, $2, $3::float8 * interval '1 ms', $4, $5, $6, $7) AS mine`,
        [id, failure.attempt, wait, holds, this.#host, message, stack],
      );
      return rows[0]!.mine;
    });
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
    await this.#repeat(() =>
      this.#pool.query({
        name: 'event-pass',
        text: `SELECT ${this.#schema}.event_pass($1, $2::json)`,
        values: [topic, JSON.stringify(events)],
      }),
    );
  }

  /** Deliveries whose time has come, the longest due first, and the milliseconds until the next one is due. */
  async due(limit: number): Promise<{ ids: string[]; next: number | undefined }> {
    const { rows } = await this.#pool.query<{ id: string; ms: number }>(
      `SELECT id, (extract(epoch FROM next_at - clock_timestamp()) * 1000)::float8 AS ms
       FROM ${this.#schema}.event_delivery WHERE state = 'waiting' ORDER BY next_at LIMIT $1`,
      [limit],
    );
    const ids = rows.filter(({ ms }) => ms <= 0).map(({ id }) => id);
    return { ids, next: rows[ids.length]?.ms };
  }

  /** In the transaction of the effect: locks it; undefined when another host has it or it is no longer due. */
  async claim(sql: Sql, id: string): Promise<DueRow | undefined> {
    const { rows } = await sql.query<DueRow & Record<string, unknown>>(
      `SELECT id::text AS id, topic, key, sequence::text AS sequence, type, attempts, headers, value, received_at
       FROM ${this.#schema}.event_delivery
       WHERE id = $1::uuid AND state = 'waiting' AND next_at <= clock_timestamp() FOR UPDATE SKIP LOCKED`,
      [id],
    );
    return rows[0];
  }

  async settle(
    sql: Sql,
    id: string,
    state: 'done' | 'dead' | 'unknown-version',
    reason: string | null,
    holds = false,
  ): Promise<void> {
    await sql.query(`SELECT ${this.#schema}.event_settle($1::uuid, $2::text, $3::text, $4::boolean)`, [
      id,
      state,
      reason,
      holds,
    ]);
  }

  /** After an upgrade: what waited for a version that is now known is tried. Answers how many. */
  async versionsKnown(types: readonly string[]): Promise<number> {
    const { rows } = await this.#pool.query(
      `SELECT ${this.#schema}.event_again(id) FROM ${this.#schema}.event_delivery
       WHERE state = 'unknown-version' AND type = ANY ($1) ORDER BY topic, key, sequence`,
      [types],
    );
    return rows.length;
  }

  /** Keys whose first event the log no longer has are not waited for longer than this. */
  async releaseEarly(graceMs: number): Promise<number> {
    const { rows } = await this.#pool.query<{ n: number }>(
      `SELECT ${this.#schema}.event_release_early($1::float8 * interval '1 ms') AS n`,
      [graceMs],
    );
    return rows[0]!.n;
  }

  /** Deadlocks and serialization failures are the database's way to say "once more". */
  async #repeat<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (!isTransient(error) || attempt === 5) throw error;
      }
    }
  }
}

/** The database gave up this transaction for the sake of another; it says nothing about the event. */
export function isTransient(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === '40001' || code === '40P01' || code === 'P2034';
}

export const defaultPolicy: RetryPolicy = { attempts: 8, baseMs: 200, maxMs: 60_000, afterDeath: 'hold-key' };

function judge({ attempt, error, policy }: Failure) {
  const last = attempt >= policy.attempts;
  const known = error instanceof Error ? error : new Error(String(error));
  return {
    // Half of it by chance: 200 ms, then 400 … to a minute, each between 50 and 100 % of it.
    wait: last
      ? null
      : waitAfter(attempt, { firstMs: policy.baseMs, longestMs: policy.maxMs, between: [0.5, 1] }),
    holds: last && policy.afterDeath === 'hold-key',
    message: textual(known.message).slice(0, 2_000),
    stack: known.stack ? textual(known.stack).slice(0, 8_000) : null,
  };
}

function textOf(record: StoredRecord): string {
  return JSON.stringify(record.headers);
}
