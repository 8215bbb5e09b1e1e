// One member of a consumer group on Kafka. Offsets are committed by a timer beside the handling: with kafkajs'
// own auto-commit a commit is awaited after every batch, which costs 17 ms at p50 from produce to consume on
// six partitions, against 0.6 to 0.8 ms so. A repeat is harmless to the inbox.
// kafkajs can get stuck in a rebalance without an error: a member that heard nothing from its group for three
// session time-outs is thrown away and joins anew.
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { type LogLogger, LogRefused, type SubscribeOptions } from '../port.ts';
import { recordsOf } from './batch.ts';
import { Parking } from './parking.ts';

export interface MemberOptions extends SubscribeOptions {
  readonly kafka: Kafka;
  /** Makes the topics that are missing: a broker may come back without them. */
  readonly makeTopics: () => Promise<void>;
  /** The oldest offsets that a topic still has, by partition. */
  readonly lowest: (topic: string) => Promise<ReadonlyMap<number, bigint>>;
  /** How often what cannot be read is tried again. Default 5 s. */
  readonly lookAgainMs?: number;
  readonly log: LogLogger;
  /** An error as it is to be told: what the broker refused, and what to do. */
  readonly told: (error: unknown) => unknown;
}

const COMMIT_EVERY_MS = 500;
const HEARTBEAT_MS = 500;
const SESSION_MS = 6_000;
const STUCK_MS = 3 * SESSION_MS;
const REJOIN_PAUSE_MS = 1_000;
const LOOK_AGAIN_MS = 5_000;
/** Partitions of one subscription that are handled side by side; the inbox has its own limit. */
const AT_ONCE = 6;

export class Member {
  readonly #options: MemberOptions;
  /** Next offset by `topic/partition`, of what is handled and not committed. */
  readonly #dirty = new Map<string, { topic: string; partition: number; offset: string }>();
  readonly #inHand = new Set<Promise<void>>();
  readonly #parking: Parking;
  #stop = new AbortController();
  #consumer: Consumer | undefined;
  #lastSign = Date.now();
  #timers: NodeJS.Timeout[] = [];
  #changing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#parking = new Parking({
      ...options,
      onPass: (topic, partition, offset) => this.#done(topic, partition, offset),
    });
  }

  async start(): Promise<void> {
    await this.#join();
    this.#timers = [
      setInterval(() => void this.#commit(), COMMIT_EVERY_MS),
      setInterval(() => this.#watch(), SESSION_MS / 2),
      setInterval(
        () => this.#consumer && void this.#parking.look(this.#consumer),
        this.#options.lookAgainMs ?? LOOK_AGAIN_MS,
      ),
    ];
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#changing;
    await this.#leave();
  }

  async #join(): Promise<void> {
    const { kafka, group, topics } = this.#options;
    const consumer = kafka.consumer({
      groupId: group,
      heartbeatInterval: HEARTBEAT_MS,
      sessionTimeout: SESSION_MS,
      rebalanceTimeout: 10_000,
      maxWaitTimeInMs: 500,
      maxBytesPerPartition: 1024 * 1024,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 10 },
    });
    const { HEARTBEAT, GROUP_JOIN, FETCH, END_BATCH_PROCESS, CRASH } = consumer.events;
    const sign = () => {
      this.#lastSign = Date.now();
    };
    consumer.on(HEARTBEAT, sign);
    consumer.on(FETCH, ({ payload }) => {
      sign();
      this.#parking.fetched((payload as { nodeId?: number }).nodeId ?? 0);
    });
    consumer.on(END_BATCH_PROCESS, ({ payload: { topic, partition, batchSize, lastOffset } }) => {
      // Control records and aborted transactions, which kafkajs keeps to itself.
      if (batchSize === 0) this.#done(topic, partition, (BigInt(lastOffset) + 1n).toString());
    });
    consumer.on(GROUP_JOIN, ({ payload }) => {
      sign();
      // Committing a partition that another member has now would set that member's progress back.
      for (const [key, { topic, partition }] of this.#dirty) {
        if (!payload.memberAssignment[topic]?.includes(partition)) this.#dirty.delete(key);
      }
      this.#parking.keep(
        consumer,
        (topic, partition) => payload.memberAssignment[topic]?.includes(partition) ?? false,
      );
    });
    consumer.on(CRASH, ({ payload }) => {
      if (!payload.restart) this.#again(payload.error);
    });
    this.#consumer = consumer;
    this.#lastSign = Date.now();
    this.#stop = new AbortController();
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: AT_ONCE,
        eachBatch: (payload) => {
          const work = this.#batch(consumer, payload);
          const settled = work.catch(() => {}).finally(() => this.#inHand.delete(settled));
          this.#inHand.add(settled);
          return work;
        },
      });
    } catch (error) {
      this.#consumer = undefined;
      await consumer.disconnect().catch(() => {});
      throw this.#options.told(error);
    }
  }

  async #leave(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    this.#stop.abort();
    if (!consumer) return;
    await Promise.all(this.#inHand);
    await this.#commit(consumer);
    await consumer.disconnect().catch(() => {});
  }

  #watch(): void {
    if (this.#closed || Date.now() - this.#lastSign < STUCK_MS) return;
    this.#again(new Error(`nothing heard from the group for ${STUCK_MS} ms`));
  }

  /** Throws the consumer away and joins anew, until that works. */
  #again(cause: unknown): void {
    this.#tell(this.#options.told(cause), 'left the consumer group; joining again');
    this.#lastSign = Date.now();
    this.#changing = this.#changing.then(async () => {
      const old = this.#consumer;
      this.#consumer = undefined;
      this.#stop.abort();
      this.#dirty.clear();
      // A stuck consumer may never answer; it is left to its session time-out then.
      await Promise.race([old?.disconnect().catch(() => {}), pause(REJOIN_PAUSE_MS)]);
      while (!this.#closed) {
        try {
          await this.#options.makeTopics();
          return await this.#join();
        } catch (failure) {
          this.#tell(failure, 'the broker does not let us join; trying again');
          await pause(REJOIN_PAUSE_MS);
        }
      }
    });
  }

  #tell(error: unknown, words: string): void {
    const { log, group, onRefused } = this.#options;
    const refused = error instanceof LogRefused;
    log[refused ? 'error' : 'warn']({ err: error, group }, words);
    if (refused) onRefused?.(error);
  }

  async #batch(
    consumer: Consumer,
    { batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload,
  ): Promise<void> {
    const { onBatch, log, group } = this.#options;
    const { topic, partition } = batch;
    const stop = this.#stop;
    if (!isRunning() || isStale() || stop.signal.aborted) return;
    const { records, obstacle } = recordsOf(batch);
    const lost = new AbortController();
    let rebalance: unknown;
    const heart = setInterval(() => {
      heartbeat().catch((error) => {
        rebalance = error;
        lost.abort();
      });
    }, HEARTBEAT_MS);
    const signal = AbortSignal.any([stop.signal, lost.signal]);
    try {
      if (records.length > 0) {
        await onBatch({ topic, partition, records, signal });
        const own = records.at(-1)!.offset;
        resolveOffset(own);
        this.#done(topic, partition, (BigInt(obstacle ? own : batch.lastOffset()) + 1n).toString());
        await this.#parking.moved(topic, partition);
      }
      if (obstacle && !signal.aborted) await this.#parking.meet(consumer, obstacle);
    } catch (error) {
      if (rebalance) throw rebalance;
      if (signal.aborted) return;
      log.warn({ err: error, group, topic, partition }, 'a batch was not taken; it is given again');
      await pause(200);
    } finally {
      clearInterval(heart);
    }
    if (rebalance) throw rebalance;
  }

  /** Everything of the partition before this offset is safe. */
  #done(topic: string, partition: number, offset: string): void {
    this.#dirty.set(`${topic}/${partition}`, { topic, partition, offset });
  }

  async #commit(consumer = this.#consumer): Promise<void> {
    const { log, group, onCommit } = this.#options;
    const offsets = [...this.#dirty.values()];
    if (offsets.length === 0 || !consumer) return;
    try {
      await onCommit?.('before');
      await consumer.commitOffsets(offsets);
      for (const one of offsets) {
        const key = `${one.topic}/${one.partition}`;
        if (this.#dirty.get(key) === one) this.#dirty.delete(key);
      }
      await onCommit?.('after');
    } catch (error) {
      log.debug({ err: error, group }, 'offsets were not committed; events may come again');
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
