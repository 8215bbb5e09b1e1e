// The event log on Kafka, through kafkajs. Same promises as the Postgres adapter (port.ts); it relies on the
// inbox and never on Kafka's transactions.
import type { Admin, Kafka } from 'kafkajs';
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
} from '../port.ts';
import { createClient } from './client.ts';
import { warnOfCodecs } from './compression.ts';
import { inspectTopics } from './inspect.ts';
import { lagOf } from './lag.ts';
import { Member } from './member.ts';
import { READ_GROUPS, readTopic } from './read.ts';
import { refusalOf } from './refusal.ts';
import { Rights } from './rights.ts';
import { MAX_BATCH_BYTES, Sender } from './sender.ts';
import { createTopics, untilUsable } from './topics.ts';
import { parseBrokerUrl } from './url.ts';

export interface KafkaLogOptions {
  /** url.ts says what it looks like. */
  readonly url: string;
  /** The users on the broker of modules whose services have one of their own, by module. Default: none has. */
  readonly users?: Readonly<Record<string, string>>;
  readonly clientId: string;
  readonly log: LogLogger;
  /** Of new topics. Default 6. */
  readonly partitions?: number;
  /** Of new topics. Default: the broker's. */
  readonly replicationFactor?: number;
  /** Of new topics, in milliseconds. Default LOG_MS; outboxes and inboxes remember longer. */
  readonly retentionMs?: number;
  /** Tests: how often what cannot be read is tried again. Default 5 s. */
  readonly lookAgainMs?: number;
  /** Put before the name of every consumer group, so that products can share a broker. Default `banyan.`. */
  readonly groupPrefix?: string;
}

export function createKafkaLog(options: KafkaLogOptions): EventLog {
  return new KafkaLog(options);
}

class KafkaLog implements EventLog {
  readonly kind = 'kafka';
  readonly appendEveryMs = 0;
  readonly #options: KafkaLogOptions;
  readonly #kafka: Kafka;
  readonly #rights: Rights;
  /** As whom the broker knows this host, for a person. */
  readonly #who: string;
  readonly #senders = new Map<string, Sender>();
  readonly #members = new Set<Member>();
  /** Topics that were seen to answer. */
  readonly #usable = new Set<string>();
  #admin: Promise<Admin> | undefined;

  constructor(options: KafkaLogOptions) {
    this.#options = options;
    this.#kafka = createClient(options.url, options.clientId, options.log);
    const { user } = parseBrokerUrl(options.url);
    this.#who = user === undefined ? 'a host without a user' : `the user "${user}"`;
    const { users = {}, log } = options;
    const groups = { of: (module: string) => this.#group(module), prefixes: [this.#group(''), READ_GROUPS] };
    this.#rights = new Rights({ own: user, modules: users, groups }, log);
  }

  async allow(uses: readonly LogUse[]): Promise<void> {
    await this.#administer('make ACLs', (admin) => this.#rights.give(admin, uses));
  }

  async ensureTopics(topics: readonly string[]): Promise<void> {
    await this.#administer(`find or make ${named(topics)}`, async (admin) => {
      const known = await admin.listTopics();
      const missing = topics.filter((topic) => !known.includes(topic));
      for (const topic of missing) this.#usable.delete(topic);
      await createTopics(admin, missing, this.#newTopics);
      const fresh = topics.filter((topic) => !this.#usable.has(topic));
      await Promise.all(fresh.map((topic) => untilUsable(admin, topic)));
      for (const topic of fresh) this.#usable.add(topic);
      await warnOfCodecs(admin, fresh, this.#options.log);
    });
  }

  async append(topic: string, records: readonly LogRecord[]): Promise<void> {
    if (records.length === 0) return;
    let sender = this.#senders.get(topic);
    if (!sender) {
      sender = new Sender(this.#kafka);
      this.#senders.set(topic, sender);
    }
    await sender.send(topic, records).catch((error: unknown) => {
      throw this.#told(error, `write to ${named([topic])}`);
    });
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    const member = new Member({
      ...options,
      group: this.#group(options.group),
      kafka: this.#kafka,
      makeTopics: () => this.ensureTopics(options.topics),
      lowest: (topic) => this.#lowest(topic),
      lookAgainMs: this.#options.lookAgainMs,
      log: this.#options.log,
      told: (error) => this.#told(error, `read ${named(options.topics)} as ${this.#group(options.group)}`),
    });
    await member.start();
    this.#members.add(member);
    return {
      close: async () => {
        this.#members.delete(member);
        await member.close();
      },
    };
  }

  lag(group: string, topics: readonly string[]): Promise<Lag[]> {
    const what = `look at ${named(topics)} and at the group ${this.#group(group)}`;
    return this.#administer(what, (admin) => lagOf(admin, this.#group(group), topics));
  }

  async inspect(topics: readonly string[]): Promise<LogState> {
    const { partitions, retentionMs } = this.#newTopics;
    const wanted = { partitions, retentionMs, maxBytes: MAX_BATCH_BYTES };
    const what = `look at ${named(topics)} and at their configuration`;
    return { wanted, ...(await this.#administer(what, (admin) => inspectTopics(admin, topics))) };
  }

  async *read(topic: string, options: ReadOptions = {}): AsyncIterable<StoredRecord> {
    try {
      yield* readTopic(this.#kafka, await this.#connectedAdmin(), topic, options);
    } catch (error) {
      throw this.#told(error, `read ${named([topic])} in a group ${READ_GROUPS}…`);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#members].map((member) => member.close()));
    await Promise.all([...this.#senders.values()].map((sender) => sender.close()));
    await this.#admin?.then((admin) => admin.disconnect()).catch(() => {});
    this.#admin = undefined;
  }

  get #newTopics() {
    const { partitions = 6, replicationFactor = -1, retentionMs = LOG_MS } = this.#options;
    return { partitions, replicationFactor, retentionMs };
  }

  #told(error: unknown, what: string): unknown {
    return refusalOf(error, this.#who, what);
  }

  #lowest(topic: string): Promise<Map<number, bigint>> {
    return this.#administer(`look at ${named([topic])}`, async (admin) => {
      const offsets = await admin.fetchTopicOffsets(topic);
      return new Map(offsets.map(({ partition, low }) => [partition, BigInt(low)]));
    });
  }

  #group(name: string): string {
    return `${this.#options.groupPrefix ?? 'banyan.'}${name}`;
  }

  async #administer<T>(what: string, work: (admin: Admin) => Promise<T>): Promise<T> {
    const mine = this.#connectedAdmin();
    try {
      return await work(await mine);
    } catch (error) {
      if (this.#admin === mine) this.#admin = undefined;
      void mine.then((admin) => admin.disconnect()).catch(() => {});
      throw this.#told(error, what);
    }
  }

  #connectedAdmin(): Promise<Admin> {
    if (!this.#admin) {
      const mine = (async () => {
        const admin = this.#kafka.admin({ retry: { retries: 3 } });
        await admin.connect();
        return admin;
      })();
      this.#admin = mine;
      mine.catch(() => {
        if (this.#admin === mine) this.#admin = undefined;
      });
    }
    return this.#admin;
  }
}

function named(topics: readonly string[]): string {
  return `the topic${topics.length === 1 ? '' : 's'} ${topics.join(', ')}`;
}
