// A topic's part of the log as verification needs it: which events are there, where first, and whether their
// first appearances keep the order of their keys. Repeats on the wire are counted and are no fault.

import type { Obstacle, StoredRecord } from '../../log/port.ts';
import { attributesOf } from '../cloudevents.ts';
import type { AskedLog } from './answering.ts';

export interface Logged {
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly sequence: number | null;
  readonly partition: number;
  readonly offset: bigint;
  readonly at: number;
}

export interface LogPicture {
  readonly events: ReadonlyMap<string, Logged>;
  /** Records of an event that was in the log already. */
  readonly repeated: number;
  /** Two events with one sequence number of one key. */
  readonly doubled: readonly Logged[];
  /** Appeared for the first time after a later event of their key. */
  readonly inverted: readonly Logged[];
  /** Parts that could not be read: what stands there is not among the events. */
  readonly unreadable: readonly Obstacle[];
}

export async function pictureOf(
  eventLog: AskedLog,
  topic: string,
  span: { from: Date; until?: Date },
): Promise<LogPicture> {
  const events = new Map<string, Logged>();
  const bySequence = new Map<string, string>();
  const highest = new Map<string, number>();
  const doubled: Logged[] = [];
  const inverted: Logged[] = [];
  const unreadable: Obstacle[] = [];
  let repeated = 0;
  for await (const record of eventLog.read(topic, span)) {
    if (record.obstacle) {
      unreadable.push(record.obstacle);
      continue;
    }
    const one = loggedOf(topic, record);
    if (events.has(one.id)) {
      repeated += 1;
      continue;
    }
    events.set(one.id, one);
    if (one.sequence === null) continue;
    const place = `${one.sequence} ${one.key}`;
    if (bySequence.has(place)) doubled.push(one);
    bySequence.set(place, one.id);
    const last = highest.get(one.key) ?? 0;
    if (one.sequence < last) inverted.push(one);
    else highest.set(one.key, one.sequence);
  }
  return { events, repeated, doubled, inverted, unreadable };
}

function loggedOf(topic: string, record: StoredRecord): Logged {
  const { partition, offset, timestamp } = record;
  const { id, type, key, sequence } = attributesOf(record, `${topic}/${partition}/${offset}`);
  return { id, type, key, sequence, partition, offset: BigInt(offset), at: timestamp };
}
