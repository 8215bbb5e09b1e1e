// One topic verified over a span of time. The order of the looks is what makes the answer exact while events flow:
// the log before the stores, and how far a consumer got before its inbox.
import type { Obstacle } from '../../log/port.ts';
import { type ModuleEvents, nameOf } from '../module-events.ts';
import type { AskedLog } from './answering.ts';
import { madeAt } from './find.ts';
import type { ConsumerVerdict, Example, TopicVerdict } from './verdict.ts';
import { type Logged, type LogPicture, pictureOf } from './verify-log.ts';
import {
  countSent,
  disorder,
  drawnNumbers,
  knownIds,
  type LedgerRow,
  ledgerOf,
  listensSince,
  statesOf,
} from './verify-store.ts';

/** More than this of one topic is too much to hold at once. */
export const MAX_EVENTS = 250_000;

/** The span holds more events than can be compared at once. */
export class SpanTooLong extends Error {
  constructor(topic: string, events: number) {
    super(`${topic} has ${events} events in this span; at most ${MAX_EVENTS} are compared at once`);
    this.name = 'SpanTooLong';
  }
}

/** Clocks differ: the log's, the database's, this host's. */
const SKEW_MS = 60_000;
const EXAMPLES = 10;

export class TopicCheck {
  readonly examples: Example[] = [];
  /** By their places: a topic may be read twice. */
  readonly #unreadable = new Map<string, Obstacle>();
  readonly #owner: ModuleEvents;
  readonly #consumers: readonly ModuleEvents[];
  readonly #eventLog: AskedLog;
  readonly #from: Date;
  readonly #until: Date;
  readonly #topic: string;

  constructor(
    owner: ModuleEvents,
    modules: readonly ModuleEvents[],
    eventLog: AskedLog,
    { from, until }: { from: Date; until: Date },
  ) {
    this.#owner = owner;
    this.#topic = `${nameOf(owner)}.events`;
    this.#consumers = modules.filter((one) => one.reader.topics.includes(this.#topic));
    this.#eventLog = eventLog;
    this.#from = from;
    this.#until = until;
  }

  get unreadable(): readonly Obstacle[] {
    return [...this.#unreadable.values()];
  }

  async run(): Promise<TopicVerdict> {
    const pool = this.#owner.store.pool;
    const schema = nameOf(this.#owner);
    const sent = await countSent(pool, schema, this.#from, this.#until);
    if (sent > MAX_EVENTS) throw new SpanTooLong(this.#topic, sent);
    await this.#eventLog.ensureTopics([this.#topic]);
    // The log first: what is in it was committed before, so the stores know it later as well.
    const span = {
      from: new Date(this.#from.getTime() - SKEW_MS),
      until: new Date(this.#until.getTime() + SKEW_MS),
    };
    const log = await pictureOf(this.#eventLog, this.#topic, span);
    this.#obstructed(log);
    const ledger = await ledgerOf(pool, schema, this.#from, this.#until);
    const own = new Set(ledger.rows.map(({ id }) => id));
    const strangers = [...log.events.values()].filter(({ id }) => !own.has(id));
    const known = await knownIds(
      pool,
      schema,
      strangers.map(({ id }) => id),
    );
    const foreign = strangers.filter(({ id }) => !known.has(id));
    for (const one of foreign) this.#note('foreign', 'log', one);
    const ahead = await this.#ahead(foreign);
    for (const one of log.doubled) this.#note('doubled', 'log', one);
    for (const one of log.inverted) this.#note('inverted', 'log', one);

    const absent = ledger.rows.filter(({ id, sentAt }) => sentAt && !log.events.has(id));
    const consumers = [];
    for (const consumer of this.#consumers) consumers.push(await this.#atConsumer(consumer, log));
    return {
      topic: this.#topic,
      sent,
      waiting: ledger.rows.filter(({ sentAt }) => sentAt === null).length,
      logged: log.events.size - foreign.length,
      repeated: log.repeated,
      foreign: foreign.length,
      ahead: ahead.length,
      aheadFrom: placeOf(ahead),
      lost: ledger.missing + (await this.#lost(absent)),
      doubled: log.doubled.length,
      inverted: log.inverted.length,
      consumers,
    };
  }

  /** Of the events that the owner's store lacks: those with a number that it has not drawn. */
  async #ahead(foreign: readonly Logged[]): Promise<Logged[]> {
    const { store } = this.#owner;
    const drawn = await drawnNumbers(
      store.pool,
      nameOf(this.#owner),
      foreign.map(({ key }) => key),
    );
    return foreign.filter(({ key, sequence }) => sequence !== null && sequence > (drawn.get(key) ?? 0));
  }

  /** Of the events that were sent and are not in this part of the log: how many are nowhere. */
  async #lost(absent: readonly LedgerRow[]): Promise<number> {
    if (absent.length === 0) return 0;
    const made = absent.map(({ id, sentAt }) => madeAt(id) ?? sentAt!.getTime());
    const wider = await pictureOf(this.#eventLog, this.#topic, {
      from: new Date(made.reduce((least, one) => Math.min(least, one)) - SKEW_MS),
    });
    this.#obstructed(wider);
    let oldest = Number.POSITIVE_INFINITY;
    for await (const { timestamp, obstacle } of this.#eventLog.read(this.#topic)) {
      // What cannot be read may be as old as it likes.
      oldest = obstacle ? 0 : timestamp;
      break;
    }
    const missing = absent.filter(({ id, sentAt }) => !wider.events.has(id) && sentAt!.getTime() >= oldest);
    const ids = missing.map(({ id }) => id);
    const taken = new Set<string>();
    for (const { store, contract } of this.#consumers)
      for (const id of (await statesOf(store.pool, contract.module, ids)).keys()) taken.add(id);
    const lost = missing.filter(({ id }) => !taken.has(id));
    for (const one of lost) this.#note('lost', 'log', one);
    return lost.length;
  }

  async #atConsumer(consumer: ModuleEvents, log: LogPicture): Promise<ConsumerVerdict> {
    const module = nameOf(consumer);
    const { pool } = consumer.store;
    // How far it got, before its inbox is read: below that everything must be there.
    const next = new Map(
      (await this.#eventLog.lag(module, [this.#topic])).map((one) => [one.partition, BigInt(one.next)]),
    );
    const since = await listensSince(pool, module);
    const expected = [...log.events.values()].filter(({ type, at }) => {
      const met = since.get(type);
      return met !== undefined && at >= met.getTime();
    });
    const states = await statesOf(
      pool,
      module,
      expected.map(({ id }) => id),
    );
    const absent = expected.filter(({ id }) => !states.has(id));
    const lost = absent.filter(({ partition, offset }) => offset < (next.get(partition) ?? 0n));
    for (const one of lost) this.#note('lost', module, one);
    const wrong = await disorder(pool, module, this.#topic, this.#from);
    for (const one of wrong) this.#note(one.doubled ? 'doubled' : 'inverted', module, one);
    const count = (...wanted: string[]) =>
      [...states.values()].filter((state) => wanted.includes(state)).length;
    return {
      module,
      expected: expected.length,
      done: count('done'),
      open: count('waiting', 'queued', 'early', 'unknown-version'),
      dead: count('dead'),
      dropped: count('dropped'),
      inFlight: absent.length - lost.length,
      lost: lost.length,
      doubled: wrong.filter(({ doubled }) => doubled).length,
      inverted: wrong.filter(({ doubled }) => !doubled).length,
    };
  }

  #obstructed({ unreadable }: LogPicture): void {
    for (const one of unreadable) this.#unreadable.set(`${one.partition}/${one.offset}`, one);
  }

  #note(
    fault: Example['fault'],
    where: string,
    { id, key, sequence }: Pick<Logged, 'id' | 'key' | 'sequence'>,
  ) {
    const same = this.examples.filter((one) => one.fault === fault && one.where === where);
    if (same.length < EXAMPLES) this.examples.push({ fault, where, topic: this.#topic, id, key, sequence });
  }
}

/** The first of them in the log. */
function placeOf(some: readonly Logged[]): TopicVerdict['aheadFrom'] {
  const [first] = some.toSorted((a, b) => a.at - b.at);
  if (!first) return null;
  const { partition, offset, at } = first;
  return { partition, offset: String(offset), at: new Date(at).toISOString() };
}
