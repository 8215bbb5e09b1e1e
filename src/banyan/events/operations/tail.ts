// What arrives in the log, for somebody who looks: waits for the first event, takes what comes with it, and
// says where to go on. Reads beside all groups; nobody's offsets move.

import { tooDeep } from '../../contract/depth.ts';
import { describeObstacle, type Positions, type StoredRecord } from '../../log/port.ts';
import { attributesOf } from '../cloudevents.ts';
import type { AskedLog } from './answering.ts';
import { pass, type Reached, reached } from './reading-on.ts';

export interface TailOptions {
  readonly topics: readonly string[];
  /** Where to begin in partitions without a position. */
  readonly since: Date;
  readonly positions: Readonly<Record<string, Positions>>;
  readonly limit: number;
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

export interface Tailed {
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** When the log got it. */
  readonly at: string;
  readonly type: string;
  readonly key: string;
  readonly sequence: number | null;
  readonly correlationId: string | null;
  readonly traceparent: string | null;
  /** What is wrong with its attributes; null when they can be read. */
  readonly wrong: string | null;
  /** Null when it is not JSON: see `text`. */
  readonly data: unknown;
  readonly text: string | null;
}

/** What comes within this of the first event comes in the same answer. */
const TOGETHER_MS = 30;

export async function tail(
  eventLog: AskedLog,
  { topics, since, positions, limit, waitMs, signal }: TailOptions,
): Promise<{ events: Tailed[]; positions: Record<string, Reached> }> {
  const enough = new AbortController();
  const stop = AbortSignal.any([signal, enough.signal, AbortSignal.timeout(waitMs)]);
  const found: StoredRecord[] = [];
  const at = Object.fromEntries(topics.map((topic) => [topic, reached(positions[topic])]));
  const follow = async (topic: string) => {
    const reading = { from: since, positions: positions[topic], follow: true, signal: stop };
    for await (const record of eventLog.read(topic, reading)) {
      if (stop.aborted) return;
      found.push(record);
      pass(at[topic]!, record);
      if (found.length === 1) setTimeout(() => enough.abort(), TOGETHER_MS);
      if (found.length >= limit) enough.abort();
    }
  };
  /** Topics are looked at one by one: what caused an event that was found is found with it. */
  const catchUp = async () => {
    for (const topic of topics) {
      for await (const record of eventLog.read(topic, { from: since, positions: at[topic], signal })) {
        if (found.length >= limit) return;
        found.push(record);
        pass(at[topic]!, record);
      }
    }
  };
  const readings = await Promise.allSettled(topics.map(follow));
  const broken = readings.find((one) => one.status === 'rejected');
  if (broken && found.length === 0) throw broken.reason;
  if (found.length > 0 && !signal.aborted) await catchUp();
  // Together by the log's time; within a partition that is their order.
  found.sort((a, b) => a.timestamp - b.timestamp);
  return { events: found.map(tailed), positions: at };
}

export function tailed(record: StoredRecord): Tailed {
  const { topic, partition, offset, timestamp, headers, value, obstacle } = record;
  const { id, type, key, sequence, wrong } = attributesOf(record, `${topic}/${partition}/${offset}`);
  return {
    id,
    topic,
    partition,
    offset,
    at: new Date(timestamp).toISOString(),
    type,
    key,
    sequence,
    correlationId: headers.ce_correlationid ?? null,
    traceparent: headers.traceparent ?? null,
    wrong: obstacle ? describeObstacle(obstacle) : (wrong ?? null),
    ...readable(value),
  };
}

/** Bytes for a person: as JSON, else as text where they are any. */
export function readable(value: Buffer | null): { data: unknown; text: string | null } {
  if (value === null) return { data: null, text: null };
  const text = value.toString('utf8');
  const data = parsed(text);
  // What nobody could write out again is shown as it came.
  if (data !== undefined && tooDeep(data) === undefined) return { data, text: null };
  return { data: null, text: text.includes('\ufffd') ? null : text };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
