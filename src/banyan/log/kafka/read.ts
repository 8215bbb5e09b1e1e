// Reading a Kafka topic for people and checkers: a group of its own that lives as long as the reading and
// commits nothing. Ends where the topic ended when it began, unless it follows. A broker that is restarting, or
// that has just begun, makes kafkajs join again and read from the start: what was given (reading.ts) is not given
// twice. A stretch that cannot be read is given as such, once, and the reading goes on behind it.
import { randomUUID } from 'node:crypto';
import type { Admin, Consumer, Kafka } from 'kafkajs';
import { type ReadOptions, type StoredRecord, UnknownTopic } from '../port.ts';
import { offsetsFrom } from './from-time.ts';
import { type Ends, PartitionsRead } from './partitions-read.ts';

/** How the groups of readings begin; each ends with its reading. */
export const READ_GROUPS = 'banyan-read-';

export async function* readTopic(
  kafka: Kafka,
  admin: Admin,
  topic: string,
  options: ReadOptions,
): AsyncIterable<StoredRecord> {
  const { follow = false } = options;
  const from = options.from ?? (follow ? new Date() : undefined);
  const reading = new PartitionsRead(await endsOf(admin, topic, from), { ...options, follow });
  if (reading.isAtEnd) return;

  const groupId = `${READ_GROUPS}${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 250, allowAutoTopicCreation: false });
  tell(reading, consumer, topic);
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset, pause }) => {
        const done = reading.take(batch, batch.lastOffset());
        if (done === undefined) pause();
        else resolveOffset(done);
        await reading.room();
      },
    });
    yield* reading.records();
  } finally {
    reading.close();
    await consumer.disconnect().catch(() => {});
    await admin.deleteGroups([groupId]).catch(() => {});
  }
}

/** What a consumer comes to beside its batches. */
function tell(reading: PartitionsRead, consumer: Consumer, topic: string): void {
  consumer.on(consumer.events.GROUP_JOIN, () => {
    for (const [partition, offset] of reading.positions)
      consumer.seek({ topic, partition, offset: String(offset) });
  });
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, batchSize, lastOffset } }) => {
    if (batchSize === 0) reading.takeNothing(partition, lastOffset);
  });
  consumer.on(consumer.events.CRASH, ({ payload: { restart, error } }) => {
    if (!restart) reading.fail(error);
  });
}

async function endsOf(admin: Admin, topic: string, from: Date | undefined): Promise<Ends> {
  const known = await admin.listTopics();
  if (!known.includes(topic)) throw new UnknownTopic(topic);
  const offsets = await admin.fetchTopicOffsets(topic);
  const starts = from && (await offsetsFrom(admin, topic, from));
  const first = new Map<number, bigint>();
  const to = new Map<number, bigint>();
  for (const { partition, low, high } of offsets) {
    const start = starts?.offsets?.get(partition);
    first.set(partition, start === undefined ? BigInt(low) : start === null ? BigInt(high) : start);
    to.set(partition, BigInt(high));
  }
  return { from: first, to, since: starts?.early ? from : undefined };
}
