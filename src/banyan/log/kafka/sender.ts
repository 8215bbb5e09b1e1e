// One idempotent producer per topic, so that one topic's trouble is not another's. After any failed send the
// producer is thrown away: a sequence error is fatal to it (a broker restart brings one), and a new one has a
// new identity. What the old one still had on the wire may arrive as well; the inboxes drop repeats.
import { type IHeaders, type Kafka, Partitioners, type Producer } from 'kafkajs';
import { type LogRecord, UnknownTopic } from '../port.ts';

export class Sender {
  readonly #kafka: Kafka;
  #producer: Promise<Producer> | undefined;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  async send(topic: string, records: readonly LogRecord[]): Promise<void> {
    this.#producer ??= this.#open();
    const mine = this.#producer;
    try {
      const producer = await mine;
      for (const some of portions(records)) {
        await producer.send({
          topic,
          acks: -1,
          messages: some.map(({ key, headers, value }) => ({ key, headers: headers as IHeaders, value })),
        });
      }
    } catch (error) {
      if (this.#producer === mine) this.#producer = undefined;
      await mine.then((producer) => producer.disconnect()).catch(() => {});
      if (isUnknownTopic(error)) throw new UnknownTopic(topic);
      throw error;
    }
  }

  async close(): Promise<void> {
    const mine = this.#producer;
    this.#producer = undefined;
    await mine?.then((producer) => producer.disconnect()).catch(() => {});
  }

  async #open(): Promise<Producer> {
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 5 },
    });
    await producer.connect();
    return producer;
  }
}

/** What one partition takes in one request; Kafka's default of `message.max.bytes`, and what our topics have. */
export const MAX_BATCH_BYTES = 1_048_588;

/**
 * All records of a portion may go to one partition, as one batch. 1,000 events of 350 bytes still go as one.
 * A record's headers and frame are about 430 bytes, and its key stands in it twice.
 */
const PORTION_BYTES = 900 * 1024;
const FRAME_BYTES = 430;

function* portions(records: readonly LogRecord[]): Iterable<readonly LogRecord[]> {
  let first = 0;
  let bytes = 0;
  for (const [n, { key, value }] of records.entries()) {
    const size = FRAME_BYTES + 2 * (key?.length ?? 0) + (value === null ? 0 : Buffer.byteLength(value));
    if (bytes + size > PORTION_BYTES && n > first) {
      yield records.slice(first, n);
      first = n;
      bytes = 0;
    }
    bytes += size;
  }
  yield records.slice(first);
}

function isUnknownTopic(error: unknown): boolean {
  const { type, cause } = error as { type?: string; cause?: unknown };
  return type === 'UNKNOWN_TOPIC_OR_PARTITION' || (cause instanceof Error && isUnknownTopic(cause));
}
