// How far a group is behind on Kafka. The broker knows offsets; the age of the oldest open record is found by
// asking which offset a moment had, in steps that double and then close in: within 5 % by about fifteen requests,
// and only when there is a lag.
import type { Admin } from 'kafkajs';
import type { Lag } from '../port.ts';
import { isBroken } from './from-time.ts';

export async function lagOf(admin: Admin, groupId: string, topics: readonly string[]): Promise<Lag[]> {
  const committed = await admin.fetchOffsets({ groupId, topics: [...topics] });
  const lags: Lag[] = [];
  for (const topic of topics) {
    const own = committed.find((one) => one.topic === topic)?.partitions ?? [];
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      const at = own.find((one) => one.partition === partition)?.offset ?? '-1';
      const next = BigInt(at) < BigInt(low) ? BigInt(low) : BigInt(at);
      const events = Number(BigInt(high) - next);
      const seconds = events > 0 ? await ageOf(admin, topic, partition, next).catch(unlessBroken) : 0;
      lags.push({ topic, partition, events, seconds, next: String(next) });
    }
  }
  return lags.sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition);
}

/** A broken batch among those that the broker looks through for a time: the log answers, and cannot tell. */
function unlessBroken(error: unknown): null {
  if (isBroken(error)) return null;
  throw error;
}

async function ageOf(admin: Admin, topic: string, partition: number, offset: bigint): Promise<number> {
  const now = Date.now();
  /** Whether the record at `offset` is at least so many seconds old. */
  const isOlder = async (seconds: number) => {
    const found = await admin.fetchTopicOffsetsByTimestamp(topic, now - Math.round(seconds * 1000));
    const first = found.find((one) => one.partition === partition)?.offset ?? '-1';
    return first === '-1' || BigInt(first) > offset;
  };
  let older = 0;
  let younger = 1;
  while (younger < 30 * 24 * 3600 && (await isOlder(younger))) {
    older = younger;
    younger *= 2;
  }
  for (let step = 0; step < 4; step += 1) {
    const middle = (older + younger) / 2;
    if (await isOlder(middle)) older = middle;
    else younger = middle;
  }
  return older;
}
