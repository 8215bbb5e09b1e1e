// The event log in PostgreSQL: the embedded default. Same promises as Kafka's adapter (port.ts).
// Waking is a hint (in the process, and a NOTIFY of its own statement for other processes, one at a time);
// what is read comes from the tables alone, and a poll finds what no hint told. Where no other process reads, none is
// sent: each wakes every session that listens to anything, several in a monolith, and one saga sends several.
import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { openPool } from '../postgres/connections.ts';
import { DatabaseSession } from './database-session.ts';
import { partitionOf } from './partitioner.ts';
import {
  type EventLog,
  type Lag,
  LOG_MS,
  type LogLogger,
  type LogRecord,
  type ReadOptions,
  type StoredRecord,
  type SubscribeOptions,
  type Subscription,
  UnknownTopic,
} from './port.ts';
import { GroupMember } from './postgres-group.ts';
import { readTopic, type TopicRow } from './postgres-read.ts';

export interface PostgresLogOptions {
  /** Connection URL of the role banyan_log. */
  readonly url: string;
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
const TRIM_EVERY_MS = 10 * 60_000;
const COUNT_EVERY_MS = 2_000;

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
  readonly #trimmer: NodeJS.Timeout;
  readonly #counter: NodeJS.Timeout;
  /** Other processes may read this log. One that begins to says so itself. */
  #others = true;
  #notifying: Promise<void> | undefined;

  constructor(options: PostgresLogOptions) {
    this.#options = {
      partitions: 6,
      retentionMs: LOG_MS,
      sessionMs: 6_000,
      pollMs: 1_000,
      ...options,
    };
    this.#pool = openPool(
      { connectionString: options.url, max: 4, application_name: 'banyan log' },
      (error) => options.log.debug({ err: error }, 'an idle connection of the log broke'),
    );
    this.#session = new DatabaseSession(
      { connectionString: options.url, application_name: 'banyan log session' },
      { channel: LOG_CHANNEL, onNotification: (payload) => this.#heard(payload), log: options.log },
    );
    this.#trimmer = setInterval(() => {
      this.trim().catch((error) => options.log.warn({ err: error }, 'the log could not be trimmed'));
    }, TRIM_EVERY_MS).unref();
    this.#counter = setInterval(() => void this.#count(), COUNT_EVERY_MS).unref();
  }

  async ensureTopics(topics: readonly string[]): Promise<void> {
    await this.#pool.query(
      'SELECT banyan_log.ensure_topic(name, $2) FROM unnest($1::text[]) AS name ORDER BY name',
      [topics, this.#options.partitions],
    );
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
    await this.#pool.query({
      name: 'log-append',
      text: 'SELECT banyan_log.append($1, $2::json)',
      values: [id, JSON.stringify(rows)],
    });
    const touched = new Set(rows.map(({ p }) => p));
    for (const member of this.#members) member.appended(topic, touched);
    if (this.#others) this.#notify(`topic:${topic}:${[...touched]}`);
  }

  async subscribe(subscription: SubscribeOptions): Promise<Subscription> {
    const member = new GroupMember({
      ...subscription,
      pool: this.#pool,
      session: this.#session,
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
    const { rows } = await this.#pool.query<{
      topic: string;
      partition: number;
      events: string;
      seconds: number;
      next: string;
    }>(
      `SELECT t.name AS topic, p.partition,
         p.next_offset - greatest(coalesce(c.committed, 0), coalesce(first."offset", p.next_offset)) AS events,
         greatest(coalesce(c.committed, 0), coalesce(first."offset", p.next_offset))::text AS next,
         coalesce(extract(epoch FROM clock_timestamp() - first.appended_at), 0)::float8 AS seconds
       FROM banyan_log.topic t
       JOIN banyan_log.partition p ON p.topic = t.id
       LEFT JOIN banyan_log.claim c ON c.group_name = $1 AND c.topic = p.topic AND c.partition = p.partition
       LEFT JOIN LATERAL (
         SELECT r."offset", r.appended_at FROM banyan_log.record r
         WHERE r.topic = p.topic AND r.partition = p.partition AND r."offset" >= coalesce(c.committed, 0)
         ORDER BY r."offset" LIMIT 1
       ) first ON true
       WHERE t.name = ANY ($2) ORDER BY 1, 2`,
      [group, topics],
    );
    return rows.map((row) => ({ ...row, events: Number(row.events) }));
  }

  async *read(topic: string, options: ReadOptions = {}): AsyncIterable<StoredRecord> {
    yield* readTopic(this.#pool, await this.#topic(topic), options, this.#options.pollMs);
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
    const { rows } = await this.#pool.query<TopicRow>(
      'SELECT id, name, partitions FROM banyan_log.topic WHERE name = $1',
      [name],
    );
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
        `SELECT EXISTS (SELECT FROM banyan_log.member WHERE expires_at > clock_timestamp()
           AND (pid, session_start) IS DISTINCT FROM ($1::integer, $2::timestamptz)) AS others`,
        [pid, start],
      );
      this.#others = rows[0]!.others;
    } catch {
      this.#others = true;
    }
  }

  #heard(payload: string): void {
    const [who, ...words] = payload.split(' ');
    if (who === this.#self) return;
    this.#others = true;
    for (const word of words) {
      // What this version does not understand is passed over: the reader looks by itself later.
      const [kind, name, touched] = word.split(':');
      for (const member of this.#members) {
        if (kind === 'group' && name) member.changed(name);
        if (kind === 'topic' && name && touched)
          member.appended(name, new Set(touched.split(',').map(Number)));
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
