// Reading a Kafka topic for people and checkers: a group of its own that lives as long as the reading and
// commits nothing. Ends where the topic ended when it began, unless it follows. A broker that is restarting, or
// that has just begun, makes kafkajs join again and read from the start: what was given is not given twice.
import { randomUUID } from 'node:crypto';
import type { Admin, Kafka } from 'kafkajs';
import { type ReadOptions, type StoredRecord, UnknownTopic } from '../port.ts';
import { stored } from './member.ts';

interface Ends {
  /** Next offset to give and the one to stop before, by partition. */
  readonly from: Map<number, bigint>;
  readonly to: Map<number, bigint>;
}

export async function* readTopic(
  kafka: Kafka,
  admin: Admin,
  topic: string,
  { from, positions = {}, until, follow = false, signal }: ReadOptions,
): AsyncIterable<StoredRecord> {
  const ends = await endsOf(admin, topic, from ?? (follow ? new Date() : undefined));
  for (const [partition, offset] of Object.entries(positions))
    ends.from.set(Number(partition), BigInt(offset));
  const open = new Set([...ends.from.keys()].filter((p) => follow || ends.from.get(p)! < ends.to.get(p)!));
  if (open.size === 0) return;

  const groupId = `banyan-read-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 250, allowAutoTopicCreation: false });
  const queue: StoredRecord[] = [];
  let wake = () => {};
  let drained = () => {};
  let failure: unknown;
  const over = () => signal?.aborted || open.size === 0 || failure !== undefined;
  consumer.on(consumer.events.GROUP_JOIN, () => {
    for (const [partition, offset] of ends.from) consumer.seek({ topic, partition, offset: String(offset) });
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
      eachBatch: async ({ batch }) => {
        for (const message of batch.messages) {
          if (!open.has(batch.partition) || BigInt(message.offset) < ends.from.get(batch.partition)!)
            continue;
          const past = until && Number(message.timestamp) > until.getTime();
          if (past || (!follow && BigInt(message.offset) >= ends.to.get(batch.partition)!)) {
            open.delete(batch.partition);
            break;
          }
          queue.push(stored(batch, message));
          ends.from.set(batch.partition, BigInt(message.offset) + 1n);
        }
        if (!follow && BigInt(batch.lastOffset()) + 1n >= ends.to.get(batch.partition)!)
          open.delete(batch.partition);
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

async function endsOf(admin: Admin, topic: string, from: Date | undefined): Promise<Ends> {
  const known = await admin.listTopics();
  if (!known.includes(topic)) throw new UnknownTopic(topic);
  const offsets = await admin.fetchTopicOffsets(topic);
  const starts = from ? await admin.fetchTopicOffsetsByTimestamp(topic, from.getTime()) : undefined;
  const result: Ends = { from: new Map(), to: new Map() };
  for (const { partition, low, high } of offsets) {
    const start = starts?.find((one) => one.partition === partition)?.offset;
    result.from.set(
      partition,
      start === undefined ? BigInt(low) : start === '-1' ? BigInt(high) : BigInt(start),
    );
    result.to.set(partition, BigInt(high));
  }
  return result;
}
