// Events from the log into the inbox: every event of a batch is placed in its key, in order, the keys side by
// side: many of them in one transaction where that can be (store/batcher.ts), else each event in its own, a few at once.
// Whatever a listener does, the batch comes to its end and the partition goes on; only a database that does not
// answer stops it.

import type { Batch, LogLogger, StoredRecord } from '../log/port.ts';
import { Batcher, DurationAverages, Stopped } from '../store/batcher.ts';
import { type Effect, spanOf } from './effect.ts';
import { defaultPolicy } from './failure.ts';
import type { Inbox } from './inbox.ts';
import type { RetryPolicy } from './listener.ts';
import type { Reader, Reading } from './reading.ts';
import type { Semaphore } from './semaphore.ts';

export interface ConsumerOptions {
  readonly module: string;
  readonly reader: Reader;
  readonly inbox: Inbox;
  readonly effect: Effect;
  readonly semaphore: Semaphore;
  readonly log: LogLogger;
  /** A delivery waits now: somebody should look when it is due. */
  readonly onWaiting: () => void;
}

interface Item<R extends Reading = Reading> {
  readonly topic: string;
  readonly record: StoredRecord;
  readonly reading: R;
  readonly signal: AbortSignal;
}

type EventItem = Item<Extract<Reading, { kind: 'event' }>>;
type Plain = Item<Extract<Reading, { kind: 'event' | 'ignored' }>>;

/** Transactions of several events at once: one works while the other waits for the disk. */
const BATCHES_AT_ONCE = 2;
/** What moving a key on takes, in milliseconds. */
const IGNORED_MS = 0.05;

export class Consumer {
  /** Effects committed and deliveries refused, since this process began. */
  handled = 0;
  failed = 0;
  readonly #options: ConsumerOptions;
  readonly #batcher: Batcher<Plain>;
  readonly #durations = new DurationAverages();

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#batcher = new Batcher({
      atOnce: BATCHES_AT_ONCE,
      together: (lists) => options.semaphore.run(() => this.#together(lists.flat())),
      onSplit: (error) =>
        options.log.debug({ err: error, module: options.module }, 'events are handled one by one'),
      alone: (list) => options.semaphore.run(() => this.#inOrder(list)),
      estimate: (item) => (isEvent(item) ? this.#durations.of(item.reading.listener.event.type) : IGNORED_MS),
    });
  }

  /** Resolves when every event of the batch is in the inbox, whatever became of it. */
  async take({ topic, partition, records, signal }: Batch): Promise<void> {
    const { reader, semaphore } = this.#options;
    const items = records.map((record) => ({
      topic,
      record,
      reading: reader.read(topic, record, `${topic}/${partition}/${record.offset}`),
      signal,
    }));
    const keys = Map.groupBy(items, ({ reading }) => reading.attributes.key);
    const running = [...keys.values()].map((some) =>
      some.every(isPlain) ? this.#batcher.add(some, signal) : semaphore.run(() => this.#inOrder(some)),
    );
    const results = await Promise.allSettled(running);
    const broken = results.find((result) => result.status === 'rejected');
    if (broken) throw broken.reason;
  }

  /** All of them in one transaction, or none; in the order given within each key. */
  async #together(items: readonly Plain[]): Promise<void> {
    const { effect, inbox, onWaiting } = this.#options;
    const placed = items.map(({ topic, record, reading }) => ({
      topic,
      record,
      attributes: reading.attributes,
      ignored: reading.kind === 'ignored',
    }));
    const sequenced = placed.filter(({ ignored, attributes }) => !ignored || attributes.sequence !== null);
    if (sequenced.length === 0) return;
    let waits = false;
    const events = items
      .filter(isEvent)
      .map(({ topic, reading: { listener, envelope } }) => ({ listener, envelope, topic }));
    const handled = await effect.together(
      events,
      async (tx) => {
        const verdicts = await inbox.takeMany(tx.sql, sequenced);
        waits = verdicts.some((verdict) => verdict === 'queued' || verdict === 'early');
        const own = verdicts.filter((_, n) => !sequenced[n]!.ignored);
        return events.filter((_, n) => own[n] === 'take');
      },
      ({ listener }, ms) => this.#durations.record(listener.event.type, ms),
    );
    this.handled += handled.length;
    if (waits) onWaiting();
  }

  /** The events of one key, one after the other. Throws only when the inbox cannot be written. */
  async #inOrder(items: readonly Item[]): Promise<void> {
    const { inbox } = this.#options;
    for (const item of items) {
      if (item.signal.aborted) throw new Stopped();
      const { topic, reading, record } = item;
      switch (reading.kind) {
        case 'event':
          await this.#handle(item as EventItem);
          break;
        case 'ignored':
          await inbox.pass(topic, [{ attributes: reading.attributes, record }]);
          break;
        case 'unknown-version':
          await inbox.hold(topic, reading.attributes, record, 'unknown-version', reading.reason, false);
          break;
        case 'poison':
          await this.#deadLetter(topic, record, reading);
          break;
      }
    }
  }

  async #handle({ topic, record, reading }: EventItem): Promise<void> {
    const { effect, inbox, log, module, onWaiting } = this.#options;
    const { attributes, listener, envelope } = reading;
    const traceparent = spanOf(envelope);
    try {
      const done = await effect.attempt({
        listener,
        envelope,
        topic,
        attempt: 1,
        replay: false,
        traceparent,
        enter: async (tx) => (await inbox.take(tx.sql, topic, attributes, record)) === 'take',
        took: (ms) => this.#durations.record(listener.event.type, ms),
      });
      if (done) this.handled += 1;
    } catch (error) {
      const failure = { attempt: 1, error, policy: policyOf(listener), traceparent };
      await inbox.failFirst(topic, attributes, record, failure);
      this.failed += 1;
      log.warn(
        { err: error, module, event: envelope.id, type: envelope.type, attempt: 1 },
        'an event was not handled',
      );
      onWaiting();
    }
  }

  async #deadLetter(
    topic: string,
    record: StoredRecord,
    reading: Extract<Reading, { kind: 'poison' }>,
  ): Promise<void> {
    const { inbox, log, module } = this.#options;
    const { attributes, reason, holds } = reading;
    await inbox.hold(topic, attributes, record, 'dead', reason, holds);
    this.failed += 1;
    log.error(
      { module, topic, event: attributes.id, type: attributes.type, reason },
      'an event cannot be read: dead letter',
    );
  }
}

/** May share a transaction with others: nothing is to be written down. */
function isPlain(item: Item): item is Plain {
  return item.reading.kind === 'ignored' || item.reading.kind === 'event';
}

function isEvent(item: Item): item is EventItem {
  return item.reading.kind === 'event';
}

export function policyOf(listener: { readonly retry?: Partial<RetryPolicy> }): RetryPolicy {
  return { ...defaultPolicy, ...listener.retry };
}
