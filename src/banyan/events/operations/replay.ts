// Past events to one consumer once more, in the order of each key, through the listeners that are declared
// replayable and no others. The inbox is not asked and not changed: the consumer has had these events, and has
// them again because a person wants it. What a listener publishes meanwhile is suppressed.
// A slice at a time: it answers where it got to, and any host goes on from there. An event that fails ends it,
// since the later ones of its key must not overtake it.

import { describeObstacle, type Obstacle, type Positions, type StoredRecord } from '../../log/port.ts';
import type { Transaction } from '../../store/store.ts';
import { spanOf } from '../effect.ts';
import { type ModuleEvents, nameOf } from '../module-events.ts';
import type { Reading } from '../reading.ts';
import { Semaphore } from '../semaphore.ts';
import type { AskedLog } from './answering.ts';
import { pass, type Reached, reached } from './reading-on.ts';

export interface ReplayOptions {
  readonly topic: string;
  readonly from: Date;
  readonly until: Date;
  readonly positions?: Positions;
  /** Stops at the end of the portion in hand when this much time has passed. */
  readonly budgetMs: number;
  readonly signal?: AbortSignal;
}

export interface Replayed {
  /** Events handled once more. */
  readonly replayed: number;
  /** Events that nobody here handles, or not by a replayable listener, and repeats on the wire. */
  readonly skipped: number;
  /** Where to go on; undefined: all of the time was replayed. */
  readonly positions: Reached | undefined;
}

/** A listener threw at an event of the past, three times. What came before it was replayed. */
export class ReplayStopped extends Error {
  readonly replayed: number;
  readonly event: { readonly id: string; readonly type: string; readonly at: Date };
  constructor(replayed: number, event: ReplayStopped['event'], cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'ReplayStopped';
    this.replayed = replayed;
    this.event = event;
  }
}

/** The past has a part that cannot be read. What came before it was replayed. */
export class ReplayObstructed extends Error {
  readonly replayed: number;
  readonly obstacle: Obstacle;
  constructor(replayed: number, obstacle: Obstacle) {
    super(describeObstacle(obstacle));
    this.name = 'ReplayObstructed';
    this.replayed = replayed;
    this.obstacle = obstacle;
  }
}

type Readable = Extract<Reading, { kind: 'event' }>;
interface Item {
  readonly record: StoredRecord;
  readonly reading: Readable;
}

const PORTION = 200;
const AT_ONCE = 3;
const TRIES = 3;

export async function replay(
  of: ModuleEvents,
  eventLog: AskedLog,
  options: ReplayOptions,
): Promise<Replayed> {
  const { topic, from, until, positions, budgetMs, signal } = options;
  const deadline = Date.now() + budgetMs;
  const at = reached(positions);
  const seen = new Set<string>();
  let portion: Item[] = [];
  let replayed = 0;
  let read = 0;
  let more = false;
  const flush = async () => {
    replayed += await handleInOrder(of, portion, replayed);
    portion = [];
    return Date.now() > deadline || signal?.aborted === true;
  };
  for await (const record of eventLog.read(topic, { from, until, positions, signal })) {
    if (record.obstacle) {
      await flush();
      throw new ReplayObstructed(replayed, record.obstacle);
    }
    pass(at, record);
    read += 1;
    const reading = of.reader.read(topic, record, `${topic}/${record.partition}/${record.offset}`);
    if (reading.kind === 'event' && reading.listener.replayable && !seen.has(reading.attributes.id)) {
      seen.add(reading.attributes.id);
      portion.push({ record, reading });
    }
    if (portion.length >= PORTION || read % (10 * PORTION) === 0) {
      more = await flush();
      if (more) break;
    }
  }
  await flush();
  return { replayed, skipped: read - replayed, positions: more ? at : undefined };
}

/** The keys side by side, the events of each one after the other. */
async function handleInOrder(of: ModuleEvents, items: readonly Item[], before: number): Promise<number> {
  const semaphore = new Semaphore(AT_ONCE);
  let done = 0;
  const keys = Map.groupBy(items, ({ reading }) => reading.attributes.key);
  const work = [...keys.values()].map((some) =>
    semaphore.run(async () => {
      for (const item of some) {
        await handle(of, item, () => before + done);
        done += 1;
      }
    }),
  );
  const broken = (await Promise.allSettled(work)).find((one) => one.status === 'rejected');
  if (broken) throw broken.reason;
  return done;
}

async function handle(of: ModuleEvents, { record, reading }: Item, count: () => number): Promise<void> {
  const { listener, envelope } = reading;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await of.effect.attempt({
        listener,
        envelope,
        topic: record.topic,
        attempt,
        replay: true,
        traceparent: spanOf(envelope),
        enter: (tx) => quietly(of, tx, record.topic, envelope.subject),
      });
      return;
    } catch (error) {
      if (attempt < TRIES) continue;
      throw new ReplayStopped(
        count(),
        { id: envelope.id, type: envelope.type, at: new Date(record.timestamp) },
        error,
      );
    }
  }
}

/** This transaction publishes nothing (tables/emit.sql), and no new event of the key is handled beside it. */
async function quietly(of: ModuleEvents, { sql }: Transaction, topic: string, key: string): Promise<true> {
  await sql.query(
    `SELECT set_config('banyan.replay', 'on', true), (
       SELECT received FROM ${nameOf(of)}.event_stream WHERE topic = $1 AND key = $2 FOR UPDATE)`,
    [topic, key],
  );
  return true;
}
