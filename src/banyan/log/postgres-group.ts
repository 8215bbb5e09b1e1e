// One member of a consumer group on the Postgres log: which partitions it has, what it reads of them, how far
// it got. Membership is a row that expires; dealing out the partitions is one SQL function (`group_beat`) that every
// member calls, under a lock of the group, so no member leads.
// A member that lost a partition without knowing may still handle its old batch: the inbox makes that harmless.
import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { onHint } from '../postgres/hint.ts';
import type { DatabaseSession } from './database-session.ts';
import { type LogLogger, LogRefused, type StoredRecord, type SubscribeOptions } from './port.ts';
import { type RecordRow, storedRecord } from './postgres-read.ts';
import { refusalTold } from './postgres-refusal.ts';
import { pollInterval, Signal } from './signal.ts';

export interface GroupMemberOptions extends SubscribeOptions {
  readonly pool: Pool;
  readonly session: DatabaseSession;
  /** Tells the other processes that this group changed. */
  readonly notify: () => void;
  /** It is the log's own role: what it reads comes from the tables, a third faster than through the function. */
  readonly whole: boolean;
  readonly sessionMs: number;
  readonly pollMs: number;
  readonly log: LogLogger;
}

interface Owned {
  readonly topic: string;
  readonly topicId: number;
  readonly partition: number;
  /** The offset to read next. */
  position: bigint;
  committed: bigint;
  surplus: boolean;
  /** There may be records that were not looked for yet. */
  news: boolean;
  busy: Promise<void> | undefined;
  readonly lost: AbortController;
}

interface BeatRow {
  readonly topic: string;
  readonly topic_id: number;
  readonly partition: number;
  readonly committed: string;
  readonly surplus: boolean;
}

/** What fetch_records (postgres-log-doors.sql) does, for who may read the table. */
const FETCH = `SELECT r.topic, r.partition, r."offset", r.key, r.headers, r.value, r.raw, (extract(epoch FROM r.appended_at) * 1000)::float8 AS at
  FROM json_to_recordset($1::json) AS w (t integer, p integer, o bigint)
  CROSS JOIN LATERAL (
    SELECT * FROM banyan_log.record WHERE topic = w.t AND partition = w.p AND "offset" >= w.o
    ORDER BY "offset" LIMIT $2
  ) r`;
const BATCH = 200;
const COMMIT_EVERY_MS = 500;
/** As often at most it looks because other processes say so. */
const FETCH_HINT_MS = 15;
const BEAT_HINT_MS = 100;

export class GroupMember {
  readonly #options: GroupMemberOptions;
  readonly #id = uuidv7();
  readonly #owned = new Map<string, Owned>();
  readonly #fetch = new Signal();
  readonly #beat = new Signal();
  /** Of which partitions others said that there is news; looked at together. */
  readonly #hintedAt = new Set<string>();
  readonly #hintedFetch = onHint(FETCH_HINT_MS, () => this.#follow());
  readonly #hintedBeat = onHint(BEAT_HINT_MS, () => this.#beat.raise());
  #closing = false;
  #loops: Promise<unknown> = Promise.resolve();
  #committer: NodeJS.Timeout | undefined;

  constructor(options: GroupMemberOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#beatOnce();
    this.#committer = setInterval(() => void this.#commit(), COMMIT_EVERY_MS);
    this.#loops = Promise.all([this.#beatLoop(), this.#fetchLoop()]);
  }

  /** Another process says that somebody joined the group, or left it. */
  changed(group: string): void {
    if (group === this.#options.group) this.#hintedBeat();
  }

  /** Another process says that records were appended to these partitions; undefined: it does not say to which. */
  hinted(topic?: string, partitions?: ReadonlySet<number>): void {
    for (const [key, one] of this.#owned) {
      if (topic !== undefined && (one.topic !== topic || !partitions?.has(one.partition))) continue;
      this.#hintedAt.add(key);
    }
    if (this.#hintedAt.size > 0) this.#hintedFetch();
  }

  /** Records were appended to these partitions by this process. */
  appended(topic: string, partitions: ReadonlySet<number>): void {
    for (const one of this.#owned.values()) {
      if (one.topic !== topic || !partitions.has(one.partition)) continue;
      one.news = true;
      if (!one.busy) this.#fetch.raise();
    }
  }

  #follow(): void {
    for (const key of this.#hintedAt) {
      const one = this.#owned.get(key);
      if (!one) continue;
      one.news = true;
      if (!one.busy) this.#fetch.raise();
    }
    this.#hintedAt.clear();
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    clearInterval(this.#committer);
    this.#beat.raise();
    this.#fetch.raise();
    await this.#loops;
    for (const one of this.#owned.values()) one.lost.abort();
    await Promise.all([...this.#owned.values()].map((one) => one.busy));
    await this.#commit(true);
    await this.#options.session
      .query('SELECT banyan_log.group_leave($1, $2)', [this.#options.group, this.#id])
      .catch(() => {});
    this.#options.notify();
  }

  async #beatLoop(): Promise<void> {
    const every = this.#options.sessionMs / 4;
    while (!this.#closing) {
      await this.#beat.wait(every);
      if (this.#closing) return;
      await this.#beatOnce().catch((error) => this.#failed(error, 'the log does not answer; trying again'));
    }
  }

  async #beatOnce(): Promise<void> {
    const { session, group, topics, sessionMs } = this.#options;
    const { pid, start } = await session.identity();
    const { rows } = await session
      .query<BeatRow>(
        `SELECT * FROM banyan_log.group_beat($1, $2, $3, $4, $5, $6::float8 * interval '1 ms')`,
        [group, this.#id, pid, start, topics, sessionMs],
      )
      .catch(refusalTold);
    const mine = new Set(rows.map(keyOf));
    for (const [key, one] of this.#owned) {
      if (mine.has(key)) continue;
      one.lost.abort();
      this.#owned.delete(key);
    }
    let changed = false;
    for (const row of rows) {
      const key = keyOf(row);
      const known = this.#owned.get(key);
      if (known) {
        changed ||= known.surplus !== row.surplus;
        known.surplus = row.surplus;
        continue;
      }
      changed = true;
      this.#owned.set(key, {
        topic: row.topic,
        topicId: row.topic_id,
        partition: row.partition,
        position: BigInt(row.committed),
        committed: BigInt(row.committed),
        surplus: row.surplus,
        news: true,
        busy: undefined,
        lost: new AbortController(),
      });
    }
    if (changed) this.#fetch.raise();
    if (rows.some((row) => row.surplus)) await this.#giveBack();
    else if (rows.length === 0) this.#options.notify();
  }

  /** What the others should have goes to them as soon as its batch is done. */
  async #giveBack(): Promise<void> {
    const free = [...this.#owned.values()].filter((one) => one.surplus && !one.busy);
    if (free.length === 0) return;
    for (const one of free) this.#owned.delete(keyOf({ topic_id: one.topicId, partition: one.partition }));
    await this.#write(free, true);
    this.#options.notify();
  }

  /** Reads partitions that have news. When none came for a while it reads all, less often each time in vain. */
  async #fetchLoop(): Promise<void> {
    let vain = 0;
    while (!this.#closing) {
      const some = this.#readable();
      const read = some.length > 0 ? await this.#fetchOnce(some) : 0;
      if (read === undefined) await this.#fetch.wait(this.#options.pollMs);
      else if (this.#readable().length === 0 && !this.#closing) {
        vain = read > 0 || !this.#options.session.open ? 0 : vain;
        if (await this.#fetch.wait(pollInterval(this.#options.pollMs, vain))) continue;
        vain += 1;
        for (const one of this.#owned.values()) one.news = true;
      }
    }
  }

  #readable(): Owned[] {
    return [...this.#owned.values()].filter((one) => one.news && !one.busy && !one.surplus);
  }

  /** Answers how many records it got; undefined when the log could not be read. */
  async #fetchOnce(some: readonly Owned[]): Promise<number | undefined> {
    // Before the look, not after it: what is appended meanwhile is news again.
    for (const one of some) one.news = false;
    try {
      const { pool, whole } = this.#options;
      const wanted = some.map((one) => ({ t: one.topicId, p: one.partition, o: String(one.position) }));
      const { rows } = await pool
        .query<RecordRow & { topic: number }>({
          name: 'log-fetch',
          text: whole ? FETCH : 'SELECT * FROM banyan_log.fetch_records($1::json, $2)',
          values: [JSON.stringify(wanted), BATCH],
        })
        .catch(refusalTold);
      for (const one of some) {
        const records = rows.filter((row) => row.topic === one.topicId && row.partition === one.partition);
        if (records.length === BATCH) one.news = true;
        if (records.length > 0)
          this.#handle(
            one,
            records.map((row) => storedRecord(one.topic, row)),
          );
      }
      return rows.length;
    } catch (error) {
      for (const one of some) one.news = true;
      this.#failed(error, 'the log could not be read; trying again');
      return undefined;
    }
  }

  #failed(error: unknown, what: string): void {
    const { log, group, onRefused } = this.#options;
    log[error instanceof LogRefused ? 'error' : 'warn']({ err: error, group }, what);
    if (error instanceof LogRefused) onRefused?.(error);
  }

  #handle(one: Owned, records: readonly StoredRecord[]): void {
    const { onBatch, log, group } = this.#options;
    const { topic, partition, lost } = one;
    one.busy = (async () => {
      try {
        await onBatch({ topic, partition, records, signal: lost.signal });
        one.position = BigInt(records.at(-1)!.offset) + 1n;
      } catch (error) {
        if (lost.signal.aborted) return;
        log.warn({ err: error, group, topic, partition }, 'a batch was not taken; it is given again');
        one.news = true;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    })().finally(() => {
      one.busy = undefined;
      if (one.surplus) this.#beat.raise();
      if (one.news) this.#fetch.raise();
    });
  }

  async #commit(release = false): Promise<void> {
    const dirty = [...this.#owned.values()].filter((one) => release || one.position > one.committed);
    if (dirty.length > 0) await this.#write(dirty, release);
  }

  async #write(some: readonly Owned[], release: boolean): Promise<void> {
    const offsets = some.map((one) => ({
      t: one.topicId,
      p: one.partition,
      o: String(one.position),
      release,
    }));
    const reached = some.map((one) => one.position);
    try {
      await this.#options.onCommit?.('before');
      await this.#options.session.query('SELECT banyan_log.group_commit($1, $2, $3::json)', [
        this.#options.group,
        this.#id,
        JSON.stringify(offsets),
      ]);
      some.forEach((one, n) => {
        one.committed = reached[n]!;
      });
      await this.#options.onCommit?.('after');
    } catch (error) {
      this.#options.log.warn(
        { err: error, group: this.#options.group },
        'offsets were not committed; events may come again',
      );
    }
  }
}

function keyOf(row: { topic_id: number; partition: number }): string {
  return `${row.topic_id}/${row.partition}`;
}
