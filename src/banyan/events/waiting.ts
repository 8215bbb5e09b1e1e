// Deliveries that wait in a consumer's inbox: which of them may be tried now, whose attempt it is, and what became of
// it. Any number of hosts may ask at once: a delivery is claimed with SKIP LOCKED in the transaction of its effect.
// What the functions guarantee is in tables/settle.sql, when one is due in tables/turn.sql.
import type { Pool } from 'pg';
import type { Sql } from '../store/store.ts';
import { type Failure, judge, repeated } from './failure.ts';

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

export class Waiting {
  readonly #schema: string;
  readonly #pool: Pool;
  readonly #host: string;

  constructor(schema: string, pool: Pool, host: string) {
    this.#schema = schema;
    this.#pool = pool;
    this.#host = host;
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

  /** A first look, so that nobody opens a transaction for what is not due; `claim` decides. */
  async look(id: string): Promise<DueRow | undefined> {
    const { rows } = await this.#pool.query<DueRow>(this.#due, [id]);
    return rows[0];
  }

  /** In the transaction of the effect: locks it; undefined when another host has it or it is no longer due. */
  async claim(sql: Sql, id: string): Promise<DueRow | undefined> {
    const { rows } = await sql.query<DueRow & Record<string, unknown>>(
      `${this.#due} FOR UPDATE SKIP LOCKED`,
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

  /** A later attempt failed. False when another host was first with it. */
  async failAgain(id: string, failure: Failure): Promise<boolean> {
    const { wait, holds, message, stack } = judge(failure);
    return repeated(async () => {
      const { rows } = await this.#pool.query<{ mine: boolean }>(
        `SELECT ${this.#schema}.event_failed($1, $2, $3::float8 * interval '1 ms', $4, $5, $6, $7, $8) AS mine`,
        [id, failure.attempt, wait, holds, this.#host, message, stack, failure.traceparent],
      );
      return rows[0]!.mine;
    });
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

  get #due(): string {
    return `SELECT id::text AS id, topic, key, sequence::text AS sequence, type, attempts, headers, value, received_at
       FROM ${this.#schema}.event_delivery WHERE id = $1::uuid AND ${this.#schema}.event_is_due(state, next_at)`;
  }
}
