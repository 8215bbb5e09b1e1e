// The event log on Kafka, through kafkajs. Same promises as the Postgres adapter (port.ts); it relies on the
// inbox and never on Kafka's transactions.
import type { Admin, Kafka } from 'kafkajs';
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
} from '../port.ts';
import { createClient } from './client.ts';
import { warnOfCodecs } from './compression.ts';
import { lagOf } from './lag.ts';
import { Member } from './member.ts';
import { readTopic } from './read.ts';
import { MAX_BATCH_BYTES, Sender } from './sender.ts';

export interface KafkaLogOptions {
  /** `kafka[s]://[user:pass@]h1:9092,h2:9092` */
  readonly url: string;
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
  readonly #senders = new Map<string, Sender>();
  readonly #members = new Set<Member>();
  /** Topics that were seen to answer. */
  readonly #usable = new Set<string>();
  #admin: Promise<Admin> | undefined;

  constructor(options: KafkaLogOptions) {
    this.#options = options;
    this.#kafka = createClient(options.url, options.clientId, options.log);
  }

  async ensureTopics(topics: readonly string[]): Promise<void> {
    await this.#administer(async (admin) => {
      const known = await admin.listTopics();
      const missing = topics.filter((topic) => !known.includes(topic));
      for (const topic of missing) this.#usable.delete(topic);
      await this.#create(admin, missing);
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
    await sender.send(topic, records);
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
    return this.#administer((admin) => lagOf(admin, this.#group(group), topics));
  }

  async *read(topic: string, options: ReadOptions = {}): AsyncIterable<StoredRecord> {
    yield* readTopic(this.#kafka, await this.#connectedAdmin(), topic, options);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#members].map((member) => member.close()));
    await Promise.all([...this.#senders.values()].map((sender) => sender.close()));
    await this.#admin?.then((admin) => admin.disconnect()).catch(() => {});
    this.#admin = undefined;
  }

  async #create(admin: Admin, topics: readonly string[]): Promise<void> {
    const { partitions = 6, replicationFactor = -1, retentionMs = LOG_MS } = this.#options;
    if (topics.length === 0) return;
    await admin.createTopics({
      waitForLeaders: false,
      topics: topics.map((topic) => ({
        topic,
        numPartitions: partitions,
        replicationFactor,
        configEntries: [
          { name: 'retention.ms', value: String(retentionMs) },
          // Not the broker's default: an event that the topic refuses would stop all events of its module.
          { name: 'max.message.bytes', value: String(MAX_BATCH_BYTES) },
          // Nor its own compression: batches stay as they were sent.
          { name: 'compression.type', value: 'producer' },
        ],
      })),
    });
  }

  #lowest(topic: string): Promise<Map<number, bigint>> {
    return this.#administer(async (admin) => {
      const offsets = await admin.fetchTopicOffsets(topic);
      return new Map(offsets.map(({ partition, low }) => [partition, BigInt(low)]));
    });
  }

  #group(name: string): string {
    return `${this.#options.groupPrefix ?? 'banyan.'}${name}`;
  }

  async #administer<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const mine = this.#connectedAdmin();
    try {
      return await work(await mine);
    } catch (error) {
      if (this.#admin === mine) this.#admin = undefined;
      void mine.then((admin) => admin.disconnect()).catch(() => {});
      throw error;
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

const USABLE_WITHIN_MS = 10_000;

/**
 * A topic is known to a broker some time before its partitions answer, and kafkajs' own waiting (`waitForLeaders`)
 * gives up at the first answer that does not know it yet.
 */
async function untilUsable(admin: Admin, topic: string): Promise<void> {
  const deadline = Date.now() + USABLE_WITHIN_MS;
  for (;;) {
    try {
      await admin.fetchTopicOffsets(topic);
      return;
    } catch (error) {
      if (Date.now() > deadline || !isPassing(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Also below the "number of retries exceeded" that kafkajs makes of it. */
function isPassing(error: unknown): boolean {
  const { retriable, cause } = error as { retriable?: boolean; cause?: unknown };
  return retriable === true || (cause instanceof Error && isPassing(cause));
}
