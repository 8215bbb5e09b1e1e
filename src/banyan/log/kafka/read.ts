// Reading a Kafka topic for people and checkers: a group of its own that lives as long as the reading and
// commits nothing. Ends where the topic ended when it began, unless it follows. A broker that is restarting, or
// that has just begun, makes kafkajs join again and read from the start: what was given is not given twice.
// A stretch that cannot be read is given as such, once, and the reading goes on behind it.
import { randomUUID } from 'node:crypto';
import type { Admin, Kafka } from 'kafkajs';
import { type Obstacle, type ReadOptions, type StoredRecord, UnknownTopic } from '../port.ts';
import { type KafkaBatch, obstacleOf, stored } from './batch.ts';
import { offsetsFrom } from './from-time.ts';
import { isObstructed, UNKNOWN_OFFSET } from './unreadable.ts';

interface Ends {
  /** Next offset to give and the one to stop before, by partition. */
  readonly from: Map<number, bigint>;
  readonly to: Map<number, bigint>;
  /** `from` lies before the time that was asked for. */
  readonly early: boolean;
}

export async function* readTopic(
  kafka: Kafka,
  admin: Admin,
  topic: string,
  { from, positions = {}, until, follow = false, signal }: ReadOptions,
): AsyncIterable<StoredRecord> {
  const start = from ?? (follow ? new Date() : undefined);
  const ends = await endsOf(admin, topic, start);
  for (const [partition, offset] of Object.entries(positions))
    ends.from.set(Number(partition), BigInt(offset));
  const open = new Set([...ends.from.keys()].filter((p) => follow || ends.from.get(p)! < ends.to.get(p)!));
  if (open.size === 0) return;

  const groupId = `banyan-read-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 250, allowAutoTopicCreation: false });
  const queue: StoredRecord[] = [];
  /** Of the last record, by partition. */
  const times = new Map<number, number>();
  let wake = () => {};
  let drained = () => {};
  let failure: unknown;
  const over = () => signal?.aborted || open.size === 0 || failure !== undefined;
  const tooOld = (partition: number, timestamp: number) =>
    ends.early && positions[partition] === undefined && timestamp < start!.getTime();
  const take = (batch: KafkaBatch) => {
    const { partition } = batch;
    for (const message of batch.messages) {
      if (!open.has(partition)) return;
      const next = ends.from.get(partition)!;
      const end = ends.to.get(partition)!;
      if (isObstructed(message)) {
        const obstacle = obstacleOf(batch, message);
        if (BigInt(obstacle.last) < next) continue;
        if (!follow && BigInt(obstacle.offset) >= end) return void open.delete(partition);
        // Its own time may be broken as well: it keeps its place among its neighbours.
        queue.push(inPlaceOf(obstacle, times.get(partition) ?? stored(batch, message).timestamp));
        ends.from.set(partition, BigInt(obstacle.last) + 1n);
        // Where the broker gives nothing there is no telling where it ends.
        if (message.offset === UNKNOWN_OFFSET) return void open.delete(partition);
        continue;
      }
      const offset = BigInt(message.offset);
      if (offset < next) continue;
      const past = until && Number(message.timestamp) > until.getTime();
      if (past || (!follow && offset >= end)) return void open.delete(partition);
      const record = stored(batch, message);
      times.set(partition, record.timestamp);
      if (!tooOld(partition, record.timestamp)) queue.push(record);
      ends.from.set(partition, offset + 1n);
    }
  };
  consumer.on(consumer.events.GROUP_JOIN, () => {
    for (const [partition, offset] of ends.from) consumer.seek({ topic, partition, offset: String(offset) });
  });
  // What kafkajs keeps to itself, control records and aborted transactions, has an end as well.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    const { partition, batchSize, lastOffset } = payload;
    if (batchSize > 0 || follow || BigInt(lastOffset) + 1n < ends.to.get(partition)!) return;
    open.delete(partition);
    wake();
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (payload.restart) return;
    failure = payload.error;
    wake();
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset, pause }) => {
        const { partition } = batch;
        take(batch);
        const next = ends.from.get(partition)!;
        // Control records at the end are none of ours, and the last offset tells of them.
        const last = batch.messages.some(isObstructed) ? next - 1n : BigInt(batch.lastOffset());
        if (!follow && last + 1n >= ends.to.get(partition)!) open.delete(partition);
        if (open.has(partition)) resolveOffset(String(last < next - 1n ? next - 1n : last));
        else pause();
        wake();
        if (queue.length > 2_000) {
          await new Promise<void>((resolve) => {
            drained = resolve;
          });
        }
      },
    });
    signal?.addEventListener('abort', () => wake(), { once: true });
    while (!over() || queue.length > 0) {
      const record = queue.shift();
      if (record) {
        yield record;
        if (signal?.aborted) return;
        continue;
      }
      drained();
      if (failure !== undefined) throw failure;
      if (over()) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (queue.length > 0 || over()) resolve();
      });
    }
    if (failure !== undefined) throw failure;
  } finally {
    drained();
    queue.length = 0;
    open.clear();
    await consumer.disconnect().catch(() => {});
    await admin.deleteGroups([groupId]).catch(() => {});
  }
}

/** Stands among the records where what cannot be read begins. */
function inPlaceOf(obstacle: Obstacle, timestamp: number): StoredRecord {
  const { topic, partition, offset } = obstacle;
  return { topic, partition, offset, key: null, headers: {}, value: null, timestamp, obstacle };
}

async function endsOf(admin: Admin, topic: string, from: Date | undefined): Promise<Ends> {
  const known = await admin.listTopics();
  if (!known.includes(topic)) throw new UnknownTopic(topic);
  const offsets = await admin.fetchTopicOffsets(topic);
  const starts = from && (await offsetsFrom(admin, topic, from));
  const result: Ends = { from: new Map(), to: new Map(), early: starts?.early ?? false };
  for (const { partition, low, high } of offsets) {
    const start = starts?.offsets?.get(partition);
    result.from.set(partition, start === undefined ? BigInt(low) : start === null ? BigInt(high) : start);
    result.to.set(partition, BigInt(high));
  }
  return result;
}
