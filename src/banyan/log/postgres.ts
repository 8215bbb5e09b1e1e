// The event log in PostgreSQL: the embedded default. Same promises as Kafka's adapter (port.ts).
// Waking is a hint (in the process, and a NOTIFY of its own statement for other processes, one at a time);
// what is read comes from the tables alone, and a poll finds what no hint told. Where no other process reads, none is
// sent: each wakes every session that listens to anything, several in a monolith, and one saga sends several.
import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { openPool } from '../postgres/connections.ts';
import { runtimeRole } from '../postgres/roles.ts';
import { DatabaseSession } from './database-session.ts';
import { partitionOf } from './partitioner.ts';
import {
  type EventLog,
  type Lag,
  LOG_MS,
  type LogLogger,
  type LogRecord,
  type LogState,
  type LogUse,
  type ReadOptions,
  type StoredRecord,
  type SubscribeOptions,
  type Subscription,
  UnknownTopic,
} from './port.ts';
import { GroupMember } from './postgres-group.ts';
import { readTopic, type TopicRow } from './postgres-read.ts';
import { refusalTold } from './postgres-refusal.ts';

export interface PostgresLogOptions {
  /** Connection URL of the role banyan_log; or of a module's, which may do what `allow` said, as that module alone. */
  readonly url: string;
  /** The URL is that of the role banyan_log, which also removes what is older than the retention. Default true. */
  readonly whole?: boolean;
  readonly log: LogLogger;
  /** Of new topics. Default 6. */
  readonly partitions?: number;
  /** How long records are kept, in milliseconds. Default LOG_MS; outboxes and inboxes remember longer. */
  readonly retentionMs?: number;
  /** A member of a group whose process hangs loses its partitions after this. Default 6000. */
  readonly sessionMs?: number;
  /** How often a reader looks when nothing woke it. Default 1000. */
  readonly pollMs?: number;
}

export const LOG_CHANNEL = 'banyan_log';
/** Connections of one client of the log, beside the one that listens. */
const LOG_POOL = 4;
/** Who waits for a connection, and what a statement may take: to remove what is old takes longest. */
const BOUNDS = { connectionTimeoutMillis: 10_000, statement_timeout: 30_000 };
const TRIM_EVERY_MS = 10 * 60_000;
const COUNT_EVERY_MS = 2_000;
/** Characters. */
const LONGEST_HINT = 2_000;

export function createPostgresLog(options: PostgresLogOptions): EventLog {
  return new PostgresLog(options);
}

class PostgresLog implements EventLog {
  readonly kind = 'postgres';
  // An append is a transaction, and each of its readers needs another one (ADR 43).
  readonly appendEveryMs = 30;
  readonly #options: Required<PostgresLogOptions>;
  readonly #pool: Pool;
  readonly #session: DatabaseSession;
  readonly #self = uuidv7();
  readonly #topics = new Map<string, TopicRow>();
  readonly #members = new Set<GroupMember>();
  readonly #toTell = new Set<string>();
  readonly #trimmer: NodeJS.Timeout | undefined;
  readonly #counter: NodeJS.Timeout;
  /** Other processes may read this log. One that begins to says so itself. */
  #others = true;
  #notifying: Promise<void> | undefined;

  constructor(options: PostgresLogOptions) {
    this.#options = {
      whole: true,
      partitions: 6,
      retentionMs: LOG_MS,
      sessionMs: 6_000,
      pollMs: 1_000,
      ...options,
    };
    this.#pool = openPool(
      // The statements of a module's role are planned without their values; these are not all alike.
      {
        connectionString: options.url,
        max: LOG_POOL,
        ...BOUNDS,
        application_name: 'banyan log',
        options: '-c plan_cache_mode=auto',
      },
      (error) => options.log.debug({ err: error }, 'an idle connection of the log broke'),
    );
    this.#session = new DatabaseSession(
      { connectionString: options.url, application_name: 'banyan log session' },
      { channel: LOG_CHANNEL, onNotification: (payload) => this.#heard(payload), log: options.log },
    );
    if (this.#options.whole)
      this.#trimmer = setInterval(() => {
        this.trim().catch((error) => options.log.warn({ err: error }, 'the log could not be trimmed'));
      }, TRIM_EVERY_MS).unref();
    this.#counter = setInterval(() => void this.#count(), COUNT_EVERY_MS).unref();
  }

  async ensureTopics(topics: readonly string[]): Promise<void> {
    await this.#pool
      .query('SELECT banyan_log.make_topics($1, $2)', [topics, this.#options.partitions])
      .catch(refusalTold);
  }

  async allow(uses: readonly LogUse[]): Promise<void> {
    const roles = uses.map(({ module, topic, reads }) => ({
      role: runtimeRole(module),
      group: module,
      appends: topic === undefined ? [] : [topic],
      reads,
    }));
    await this.#pool.query('SELECT banyan_log.set_rights($1::json, $2)', [
      JSON.stringify(roles),
      this.#options.partitions,
    ]);
  }

  async append(topic: string, records: readonly LogRecord[]): Promise<void> {
    if (records.length === 0) return;
    const { id, partitions } = await this.#topic(topic);
    const rows = records.map(({ key, headers, value }) => ({
      p: partitionOf(key, partitions),
      k: key,
      h: headers,
      ...valueColumns(value),
    }));
    await this.#pool
      .query({
        name: 'log-append',
        text: 'SELECT banyan_log.append_to($1, $2::json)',
        values: [id, JSON.stringify(rows)],
      })
      .catch(refusalTold);
    const touched = new Set(rows.map(({ p }) => p));
    for (const member of this.#members) member.appended(topic, touched);
    if (this.#others) this.#notify(`topic:${topic}:${[...touched]}`);
  }

  async subscribe(subscription: SubscribeOptions): Promise<Subscription> {
    const member = new GroupMember({
      ...subscription,
      pool: this.#pool,
      session: this.#session,
      whole: this.#options.whole,
      notify: () => this.#notify(`group:${subscription.group}`),
      sessionMs: this.#options.sessionMs,
      pollMs: this.#options.pollMs,
      log: this.#options.log,
    });
    await member.start();
    this.#members.add(member);
    this.#notify(`group:${subscription.group}`);
    return {
      close: async () => {
        this.#members.delete(member);
        await member.close();
      },
    };
  }

  async lag(group: string, topics: readonly string[]): Promise<Lag[]> {
    const { rows } = await this.#pool
      .query<Lag & { events: string }>('SELECT * FROM banyan_log.lag_of($1, $2)', [group, topics])
      .catch(refusalTold);
    return rows.map((row) => ({ ...row, events: Number(row.events) }));
  }

  /** By the role banyan_log, whose tables these are. */
  async inspect(topics: readonly string[]): Promise<LogState> {
    const { partitions, retentionMs } = this.#options;
    const { rows } = await this.#pool.query<{
      topic: string;
      partitions: number;
      oldestSeconds: number | null;
    }>(
      // The first record of a partition is its oldest: found by the primary key, not by reading them all.
      `SELECT t.name AS topic, t.partitions, (
         SELECT max(extract(epoch FROM clock_timestamp() - r.appended_at))::float8
         FROM banyan_log.partition p CROSS JOIN LATERAL (
           SELECT appended_at FROM banyan_log.record WHERE topic = p.topic AND partition = p.partition ORDER BY "offset" LIMIT 1
         ) r WHERE p.topic = t.id
       ) AS "oldestSeconds"
       FROM banyan_log.topic t WHERE t.name = ANY ($1) ORDER BY t.name`,
      [topics],
    );
    return { wanted: { partitions, retentionMs }, topics: rows.map((row) => ({ ...row, retentionMs })) };
  }

  async *read(topic: string, options: ReadOptions = {}): AsyncIterable<StoredRecord> {
    try {
      yield* readTopic(this.#pool, await this.#topic(topic), options, this.#options.pollMs);
    } catch (error) {
      refusalTold(error);
    }
  }

  /** Removes what is older than the retention, a few thousand rows at a time. */
  async trim(): Promise<number> {
    let removed = 0;
    for (;;) {
      const { rowCount } = await this.#pool.query(
        `DELETE FROM banyan_log.record WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM banyan_log.record WHERE appended_at < clock_timestamp() - $1::float8 * interval '1 ms' LIMIT 5000
         ))`,
        [this.#options.retentionMs],
      );
      removed += rowCount ?? 0;
      if ((rowCount ?? 0) < 5_000) return removed;
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#trimmer);
    clearInterval(this.#counter);
    await Promise.all([...this.#members].map((member) => member.close()));
    await this.#notifying;
    await this.#session.close();
    await this.#pool.end();
  }

  async #topic(name: string): Promise<TopicRow> {
    const known = this.#topics.get(name);
    if (known) return known;
    const { rows } = await this.#pool
      .query<TopicRow>('SELECT * FROM banyan_log.topic_named($1)', [name])
      .catch(refusalTold);
    if (!rows[0]) throw new UnknownTopic(name);
    this.#topics.set(name, rows[0]);
    return rows[0];
  }

  /** Whether any member of any group is another process. As long as nobody knows, there is one. */
  async #count(): Promise<void> {
    // Without members nothing is heard of other processes: there may be some.
    if (this.#members.size === 0) return;
    try {
      const { pid, start } = await this.#session.identity();
      const { rows } = await this.#session.query<{ others: boolean }>(
        'SELECT banyan_log.read_by_others($1, $2) AS others',
        [pid, start],
      );
      this.#others = rows[0]!.others;
    } catch {
      this.#others = true;
    }
  }

  #heard(payload: string): void {
    if (payload.startsWith(this.#self)) return;
    this.#others = true;
    // Of what is longer than our own words are, nothing is believed but that there may be news.
    if (payload.length > LONGEST_HINT) {
      for (const member of this.#members) member.hinted();
      return;
    }
    for (const word of payload.split(' ').slice(1)) {
      // What this version does not understand is passed over: the reader looks by itself later.
      const [kind, name, touched] = word.split(':');
      const partitions = new Set(touched?.split(',').map(Number));
      for (const member of this.#members) {
        if (kind === 'group' && name) member.changed(name);
        if (kind === 'topic' && name) member.hinted(name, partitions);
      }
    }
  }

  /** One NOTIFY at a time; what comes meanwhile goes out together in the next. */
  #notify(word: string): void {
    this.#toTell.add(word);
    this.#notifying ??= (async () => {
      while (this.#toTell.size > 0) {
        const words = [...this.#toTell];
        this.#toTell.clear();
        await this.#pool
          .query('SELECT pg_notify($1, $2)', [LOG_CHANNEL, [this.#self, ...words].join(' ')])
          .catch((error) => this.#options.log.debug({ err: error }, 'a notification was not sent'));
      }
      this.#notifying = undefined;
    })();
  }
}

/** Text goes into a text column; what Postgres cannot hold as text (not UTF-8, or with NUL) goes as bytes. */
function valueColumns(value: string | Buffer | null): { v?: string; r?: string } {
  if (value === null) return {};
  if (typeof value === 'string' && !value.includes('\u0000')) return { v: value.toWellFormed() };
  const bytes = Buffer.from(value as string);
  return { r: bytes.toString('base64') };
}
