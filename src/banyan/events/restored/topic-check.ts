// One topic of the log held against its owner's store and every inbox that reads it. An event of which the owner's store knows
// nothing has lost its transaction (its store was restored, or a replica without it took over): it is dropped where it had no
// effect, and its number is given to no other, since whoever took it would take the next one of that number for it.
// Order: inboxes first, the owner's ledger last. So a check that is killed finds the same events again.
import type { EventLog, StoredRecord } from '../../log/port.ts';
import { describeObstacle, UnknownTopic } from '../../log/port.ts';
import { attributesOf } from '../cloudevents.ts';
import { type ModuleEvents, nameOf } from '../module-events.ts';
import { knownIds } from '../operations/verify-store.ts';
import { adopt } from './adopt.ts';
import { InboxCheck, type Logged, placeOf } from './inbox-check.ts';
import type { LogPosition, TopicReport } from './report.ts';

const PAGE = 500;

export class TopicCheck {
  readonly #owner: ModuleEvents;
  readonly #topic: string;
  readonly #inboxes: readonly InboxCheck[];
  readonly #unreadable: string[] = [];
  #ahead = 0;
  #first: LogPosition | undefined;

  constructor(owner: ModuleEvents, modules: readonly ModuleEvents[]) {
    this.#owner = owner;
    this.#topic = `${nameOf(owner)}.events`;
    this.#inboxes = modules
      .filter(({ reader }) => reader.topics.includes(this.#topic))
      .map((consumer) => new InboxCheck(consumer, this.#topic));
  }

  /** @param from undefined: from the oldest event that the log keeps. */
  async run(eventLog: Pick<EventLog, 'read'>, from: Date | undefined): Promise<TopicReport> {
    let page = new Map<string, Omit<Logged, 'ghost'>>();
    for await (const record of this.#records(eventLog, from)) {
      if (record.obstacle) {
        this.#unreadable.push(describeObstacle(record.obstacle));
        continue;
      }
      const { sequence, wrong, ...attributes } = attributesOf(record, placeOf(record));
      // Without a number it is of no outbox: nothing tells whether an inbox should have it.
      if (sequence === null || wrong !== undefined || page.has(attributes.id)) continue;
      page.set(attributes.id, { record, attributes: { ...attributes, wrong, sequence } });
      if (page.size < PAGE) continue;
      await this.#take([...page.values()]);
      page = new Map();
    }
    await this.#take([...page.values()]);
    return {
      module: nameOf(this.#owner),
      ahead: this.#ahead,
      first: this.#first,
      consumers: this.#inboxes.map(({ report }) => report),
      unreadable: this.#unreadable,
    };
  }

  async *#records(eventLog: Pick<EventLog, 'read'>, from: Date | undefined): AsyncIterable<StoredRecord> {
    try {
      yield* eventLog.read(this.#topic, from === undefined ? {} : { from });
    } catch (error) {
      // Nothing was ever published on it.
      if (!(error instanceof UnknownTopic)) throw error;
    }
  }

  async #take(events: readonly Omit<Logged, 'ghost'>[]): Promise<void> {
    if (events.length === 0) return;
    const { pool } = this.#owner.store;
    const known = await knownIds(
      pool,
      nameOf(this.#owner),
      events.map(({ attributes: { id } }) => id),
    );
    const page = events.map((one) => ({ ...one, ghost: !known.has(one.attributes.id) }));
    const effects = new Map<string, string[]>();
    for (const inbox of this.#inboxes)
      for (const id of await inbox.take(page))
        effects.set(id, [...(effects.get(id) ?? []), inbox.report.module]);
    const ghosts = page
      .filter(({ ghost }) => ghost)
      .map(({ record, attributes }) => placed(record, attributes));
    if (ghosts.length === 0) return;
    await adopt(this.#owner, ghosts, effects);
    this.#ahead += ghosts.length;
    this.#first = earliest(this.#first, ghosts);
  }
}

function placed(record: StoredRecord, { id, key, sequence }: Logged['attributes']): LogPosition {
  const { partition, offset, timestamp } = record;
  return { id, key, sequence, partition, offset, at: new Date(timestamp) };
}

function earliest(first: LogPosition | undefined, more: readonly LogPosition[]): LogPosition {
  return [...(first ? [first] : []), ...more].reduce((a, b) => (b.at < a.at ? b : a));
}
