// The state of one reading of a Kafka topic: what was taken from the broker, what was given, and where each partition
// ends. It guarantees that nothing is given twice, however often kafkajs begins again, and that a stretch that cannot
// be read is given as such, once. It holds no connection: read.ts has the consumer that feeds it.
import type { Obstacle, ReadOptions, StoredRecord } from '../port.ts';
import { type KafkaBatch, type KafkaMessage, obstacleOf, stored } from './batch.ts';
import { isObstructed, type Obstructed, UNKNOWN_OFFSET } from './unreadable.ts';

/** The broker is asked for no more while so many records wait to be given. */
const MAX_QUEUED = 2_000;

export interface Ends {
  /** The offset to give first and the one to stop before, by partition. */
  readonly from: ReadonlyMap<number, bigint>;
  readonly to: ReadonlyMap<number, bigint>;
  /** Set where `from` lies before the time that was asked for: what is older than this is left out. */
  readonly since: Date | undefined;
}

export class PartitionsRead {
  readonly #ends: Ends;
  readonly #options: ReadOptions;
  /** The offset to give next, by partition. */
  readonly #next: Map<number, bigint>;
  /** The partitions that have not come to their end. */
  readonly #open: Set<number>;
  readonly #queue: StoredRecord[] = [];
  /** The time of the last record, by partition. */
  readonly #times = new Map<number, number>();
  #wake = () => {};
  #drained = () => {};
  #failure: unknown;

  constructor(ends: Ends, options: ReadOptions) {
    this.#ends = ends;
    this.#options = options;
    this.#next = new Map(ends.from);
    for (const [partition, offset] of Object.entries(options.positions ?? {}))
      this.#next.set(Number(partition), BigInt(offset));
    this.#open = new Set([...ends.to.keys()].filter((one) => !this.#isEnd(one, this.#next.get(one)!)));
    options.signal?.addEventListener('abort', () => this.#wake(), { once: true });
  }

  /** Where to go on, by partition. */
  get positions(): Iterable<readonly [partition: number, offset: bigint]> {
    return this.#next;
  }

  /** No partition has anything to give. */
  get isAtEnd(): boolean {
    return this.#open.size === 0;
  }

  /** Answers the offset up to which the batch is done; undefined: its partition has come to its end. */
  take(batch: KafkaBatch, lastOffset: string): string | undefined {
    for (const message of batch.messages) {
      if (!this.#open.has(batch.partition)) break;
      if (isObstructed(message)) this.#takeObstacle(batch, message);
      else this.#takeRecord(batch, message);
    }
    const done = this.#doneOf(batch, lastOffset);
    this.#wake();
    return done;
  }

  /** A batch of which kafkajs gave nothing, such as control records and aborted transactions, has an end as well. */
  takeNothing(partition: number, lastOffset: string): void {
    if (!this.#isEnd(partition, BigInt(lastOffset) + 1n)) return;
    this.#open.delete(partition);
    this.#wake();
  }

  /** Resolves when there is room for another batch. */
  async room(): Promise<void> {
    if (this.#queue.length <= MAX_QUEUED) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
  }

  fail(error: unknown): void {
    this.#failure = error;
    this.#wake();
  }

  async *records(): AsyncIterable<StoredRecord> {
    for (;;) {
      const record = this.#queue.shift();
      if (record) {
        yield record;
        if (this.#options.signal?.aborted) return;
        continue;
      }
      this.#drained();
      if (this.#failure !== undefined) throw this.#failure;
      if (this.isAtEnd || this.#options.signal?.aborted) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Takes nothing more, and lets go who waits for room. */
  close(): void {
    this.#queue.length = 0;
    this.#open.clear();
    this.#drained();
  }

  #doneOf({ partition, messages }: KafkaBatch, lastOffset: string): string | undefined {
    if (!this.#open.has(partition)) return undefined;
    const taken = this.#next.get(partition)! - 1n;
    // Control records at the end are none of ours, and the last offset tells of them.
    const last = messages.some(isObstructed) ? taken : BigInt(lastOffset);
    if (this.#isEnd(partition, last + 1n)) {
      this.#open.delete(partition);
      return undefined;
    }
    return String(last < taken ? taken : last);
  }

  #takeRecord(batch: KafkaBatch, message: KafkaMessage): void {
    const { partition } = batch;
    const { until } = this.#options;
    const offset = BigInt(message.offset);
    if (offset < this.#next.get(partition)!) return;
    const isPast = until && Number(message.timestamp) > until.getTime();
    if (isPast || this.#isEnd(partition, offset)) {
      this.#open.delete(partition);
      return;
    }
    const record = stored(batch, message);
    this.#times.set(partition, record.timestamp);
    if (!this.#isTooOld(record)) this.#queue.push(record);
    this.#next.set(partition, offset + 1n);
  }

  #takeObstacle(batch: KafkaBatch, message: KafkaMessage & Obstructed): void {
    const { partition } = batch;
    const obstacle = obstacleOf(batch, message);
    if (BigInt(obstacle.last) < this.#next.get(partition)!) return;
    if (this.#isEnd(partition, BigInt(obstacle.offset))) {
      this.#open.delete(partition);
      return;
    }
    // Its own time may be broken as well: it keeps its place among its neighbours.
    this.#queue.push(inPlaceOf(obstacle, this.#times.get(partition) ?? stored(batch, message).timestamp));
    this.#next.set(partition, BigInt(obstacle.last) + 1n);
    // Where the broker gives nothing there is no telling where it ends.
    if (message.offset === UNKNOWN_OFFSET) this.#open.delete(partition);
  }

  #isEnd(partition: number, offset: bigint): boolean {
    return !this.#options.follow && offset >= this.#ends.to.get(partition)!;
  }

  #isTooOld({ partition, timestamp }: StoredRecord): boolean {
    const { since } = this.#ends;
    const goesOn = this.#options.positions?.[partition] !== undefined;
    return since !== undefined && !goesOn && timestamp < since.getTime();
  }
}

/** Stands among the records where what cannot be read begins. */
function inPlaceOf(obstacle: Obstacle, timestamp: number): StoredRecord {
  const { topic, partition, offset } = obstacle;
  return { topic, partition, offset, key: null, headers: {}, value: null, timestamp, obstacle };
}
