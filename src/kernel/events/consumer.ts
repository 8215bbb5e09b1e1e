// Events from the log into the inbox: every event of a batch is placed in its key, in order, the keys side by
// side in a few lanes. Whatever a listener does, the batch comes to its end and the partition goes on; only a
// database that does not answer stops it.
import type { RetryPolicy } from '../module.ts';
import type { Effect } from './effect.ts';
import { defaultPolicy, type Inbox } from './inbox.ts';
import type { Lanes } from './lanes.ts';
import type { Batch, LogLogger, StoredRecord } from './log/port.ts';
import type { Reader, Reading } from './reading.ts';

export interface ConsumerOptions {
  readonly module: string;
  readonly reader: Reader;
  readonly inbox: Inbox;
  readonly effect: Effect;
  readonly lanes: Lanes;
  readonly log: LogLogger;
  /** A delivery waits now: somebody should look when it is due. */
  readonly onWaiting: () => void;
}

interface Item {
  readonly record: StoredRecord;
  readonly reading: Reading;
}

export class Consumer {
  /** Effects committed and deliveries refused, since this process began. */
  handled = 0;
  failed = 0;
  readonly #options: ConsumerOptions;

  constructor(options: ConsumerOptions) {
    this.#options = options;
  }

  /** Resolves when every event of the batch is in the inbox, whatever became of it. */
  async take(batch: Batch): Promise<void> {
    const { reader, inbox, lanes } = this.#options;
    const { topic } = batch;
    const items = batch.records.map((record) => ({
      record,
      reading: reader.read(topic, record, `${topic}/${batch.partition}/${record.offset}`),
    }));
    const keys = Map.groupBy(items, ({ reading }) => reading.attributes.key);
    const passing: Item[] = [];
    const running: Promise<void>[] = [];
    for (const some of keys.values()) {
      if (some.every(({ reading }) => reading.kind === 'ignored')) passing.push(...some);
      else running.push(lanes.run(() => this.#inOrder(topic, some, batch.signal)));
    }
    if (passing.length > 0) running.push(lanes.run(() => inbox.pass(topic, passing.map(passed))));
    const results = await Promise.allSettled(running);
    const broken = results.find((result) => result.status === 'rejected');
    if (broken) throw broken.reason;
  }

  /** The events of one key, one after the other. Throws only when the inbox cannot be written. */
  async #inOrder(topic: string, items: readonly Item[], signal: AbortSignal): Promise<void> {
    const { inbox } = this.#options;
    for (const item of items) {
      if (signal.aborted) throw new Stopped();
      const { reading, record } = item;
      switch (reading.kind) {
        case 'event':
          await this.#handle(topic, record, reading);
          break;
        case 'ignored':
          await inbox.pass(topic, [passed(item)]);
          break;
        case 'unknown-version':
          await inbox.hold(topic, reading.attributes, record, 'unknown-version', reading.reason, false);
          break;
        case 'poison':
          await this.#bury(topic, record, reading);
          break;
      }
    }
  }

  async #handle(
    topic: string,
    record: StoredRecord,
    reading: Extract<Reading, { kind: 'event' }>,
  ): Promise<void> {
    const { effect, inbox, log, module, onWaiting } = this.#options;
    const { attributes, listener, envelope } = reading;
    try {
      const done = await effect.attempt({
        listener,
        envelope,
        topic,
        attempt: 1,
        replay: false,
        enter: async (tx) => (await inbox.take(tx.sql, topic, attributes, record)) === 'take',
      });
      if (done) this.handled += 1;
    } catch (error) {
      await inbox.failFirst(topic, attributes, record, { attempt: 1, error, policy: policyOf(listener) });
      this.failed += 1;
      log.warn(
        { err: error, module, event: envelope.id, type: envelope.type, attempt: 1 },
        'an event was not handled',
      );
      onWaiting();
    }
  }

  async #bury(
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

/** The partition was taken away or the consumer stops: the rest of the batch is for others. */
class Stopped extends Error {
  constructor() {
    super('The consumer was stopped');
    this.name = 'Stopped';
  }
}

export function policyOf(listener: { readonly retry?: Partial<RetryPolicy> }): RetryPolicy {
  return { ...defaultPolicy, ...listener.retry };
}

function passed({ reading, record }: Item) {
  return { attributes: reading.attributes, record };
}
