// What kafkajs gives of one partition, taken apart: the records up to the first obstacle, and the obstacle.
import { type Obstacle, type StoredRecord, saneTime } from '../port.ts';
import { isObstructed, type Obstructed, remedyOf, UNKNOWN_OFFSET } from './unreadable.ts';

export interface KafkaMessage {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: string;
  readonly offset: string;
  readonly headers?: Record<string, Buffer | string | (Buffer | string)[] | undefined>;
}

/** Of kafkajs' batch, with what its types leave out. */
export interface KafkaBatch {
  readonly topic: string;
  readonly partition: number;
  readonly highWatermark: string;
  readonly messages: readonly KafkaMessage[];
  readonly fetchedOffset?: string;
}

export function recordsOf(batch: KafkaBatch): { records: StoredRecord[]; obstacle: Obstacle | undefined } {
  const records: StoredRecord[] = [];
  for (const message of batch.messages) {
    if (isObstructed(message)) return { records, obstacle: obstacleOf(batch, message, records.at(-1)) };
    records.push(stored(batch, message));
  }
  return { records, obstacle: undefined };
}

export function obstacleOf(
  { topic, partition, highWatermark, fetchedOffset = '0' }: KafkaBatch,
  { obstructed: why, first, offset: last }: Obstructed,
  before?: StoredRecord,
): Obstacle {
  const offset = first ?? (before ? String(BigInt(before.offset) + 1n) : fetchedOffset);
  const end = last === UNKNOWN_OFFSET ? BigInt(offset) : BigInt(last);
  // A header that is broken itself may tell an offset that nobody has written yet.
  const highest = BigInt(highWatermark) - 1n;
  return {
    topic,
    partition,
    offset,
    last: String(end > highest && highest >= BigInt(offset) ? highest : end),
    reason: why.message,
    remedy: remedyOf(why.kind, topic, partition, offset),
  };
}

export function stored({ topic, partition }: KafkaBatch, message: KafkaMessage): StoredRecord {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers ?? {})) {
    const one = Array.isArray(value) ? value.at(-1) : value;
    if (one !== undefined) headers[name] = one.toString();
  }
  return {
    topic,
    partition,
    offset: message.offset,
    key: message.key?.toString() ?? null,
    value: message.value,
    headers,
    timestamp: saneTime(Number(message.timestamp)),
  };
}
