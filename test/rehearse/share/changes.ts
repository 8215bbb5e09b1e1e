// The second piece: requests by all ways at all hosts, while the shares of both modules are changed again and again.
// None may fail. Between two changes every key is on its side and nowhere else; while a change is made, the side before
// and the one after are right. Of the refs of orders the counters know how many went where: no fewer and no more than
// can be.
import { setTimeout as pause } from 'node:timers/promises';
import { sumBetween } from '../../../src/banyan/telemetry/stats-sums.ts';
import { askBy, inWords, listing, looking, ordering, reading, type Seen } from './asks.ts';
import { MODULES, type SharedModule, type Side, sideOfKey } from './expected.ts';
import type { Key } from './keys.ts';
import type { Piece } from './sets.ts';
import { Timeline } from './timeline.ts';

export interface ChangesOutcome {
  readonly requests: number;
  readonly changes: number;
  readonly seconds: number;
  readonly ways: Readonly<Record<string, number>>;
  readonly hosts: Readonly<Record<string, number>>;
  /** Requests that met no change. */
  readonly settled: number;
  readonly unsticky: number;
  readonly failed: number;
  readonly changeMs: { readonly median: number; readonly most: number };
  /** Changes asked for again, and those that some host had not confirmed after 2 s. */
  readonly deferred: number;
  readonly lagging: number;
}

interface Changes extends Piece {
  readonly requests: number;
  readonly changes: number;
}

const CLIENTS = 16;
const PERCENTS = [0, 1, 10, 25, 50, 75, 90, 99, 100];
const SAY_EVERY_MS = 10_000;
/** No request takes so long. */
const LONGEST_MS = 60_000;

export async function playChanges(options: Changes): Promise<ChangesOutcome> {
  const { shop, say, signal, found, requests, changes } = options;
  for (const module of MODULES) await shop.share(module, 0);
  const book = new Book(options);
  const before = await shop.counted();
  const began = performance.now();
  const over = new AbortController();
  const telling = tell(over.signal, () => say(`changes: ${book.progress()}`));
  try {
    const changing = change(options, book);
    changing.catch(() => book.giveUp());
    const clients = Array.from({ length: CLIENTS }, () => client(options, book));
    await Promise.all([changing, ...clients]);
    signal.throwIfAborted();
  } finally {
    over.abort();
    await telling;
  }
  const seconds = (performance.now() - began) / 1000;
  await countRefs(options, book, before);
  return { ...book.outcome(), seconds, failed: found.count('failed'), requests: book.done, changes };

  function tell(signal: AbortSignal, what: () => void): Promise<void> {
    const next = () => pause(SAY_EVERY_MS, undefined, { signal }).then(what);
    const again = (): Promise<void> => next().then(again, () => {});
    say(`changes: ${requests} requests, ${changes} changes`);
    return again();
  }
}

/** What was seen, held against what could be. */
class Book {
  done = 0;
  made = 0;
  deferred = 0;
  lagging = 0;
  settled = 0;
  unsticky = 0;
  readonly changeMs: number[] = [];
  readonly timelines: Readonly<Record<SharedModule, Timeline>>;
  /** Refs of orders, by the sides that were possible. */
  readonly refs = { service: 0, 'in-process': 0, either: 0 };
  readonly #ways: Record<string, number> = {};
  readonly #hosts: Record<string, number> = {};
  readonly #options: Changes;
  #over = false;

  constructor(options: Changes) {
    this.#options = options;
    const now = performance.now();
    this.timelines = { catalog: new Timeline(0, now), orders: new Timeline(0, now) };
  }

  giveUp(): void {
    this.#over = true;
  }

  get over(): boolean {
    const { requests, changes, signal } = this.#options;
    return this.#over || signal.aborted || (this.done >= requests && this.made >= changes);
  }

  /** Whether the next change is due: they are spread evenly over the requests. */
  get changeDue(): boolean {
    const { requests, changes } = this.#options;
    return this.done >= ((this.made + 1) * requests) / (changes + 1);
  }

  note(seen: Seen): void {
    const { found } = this.#options;
    const { way, entrance, side } = seen;
    this.done += 1;
    this.#ways[way.name] = (this.#ways[way.name] ?? 0) + 1;
    this.#hosts[entrance.name] = (this.#hosts[entrance.name] ?? 0) + 1;
    if (side === undefined) {
      found.add('failed', inWords(seen));
      return;
    }
    const right = this.#possible(way.module, seen);
    if (this.#calm(way.module, seen)) this.settled += 1;
    if (!right.has(side)) {
      this.unsticky += 1;
      found.add('on the wrong side between two changes', inWords(seen));
    }
    if (way !== ordering) return;
    const ref = this.#possible('catalog', seen);
    this.refs[ref.size > 1 ? 'either' : [...ref][0]!] += 1;
    if (this.done % 1000 === 0)
      for (const timeline of Object.values(this.timelines)) timeline.forget(seen.began - LONGEST_MS);
  }

  progress(): string {
    const { requests, changes, found } = this.#options;
    return `${this.done} of ${requests} requests, ${this.made} of ${changes} changes, ${found.count('failed')} failed, ${this.unsticky} on a wrong side`;
  }

  outcome() {
    const { settled, unsticky, deferred, lagging } = this;
    const sorted = this.changeMs.toSorted((a, b) => a - b).map(Math.round);
    const changeMs = { median: sorted[Math.floor(sorted.length / 2)] ?? 0, most: sorted.at(-1) ?? 0 };
    return { ways: this.#ways, hosts: this.#hosts, settled, unsticky, changeMs, deferred, lagging };
  }

  #calm(module: SharedModule, { began, ended }: Seen): boolean {
    return this.timelines[module].during(began, ended).size === 1;
  }

  #possible(module: SharedModule, { began, ended, key }: Seen): Set<Side> {
    const percents = [...this.timelines[module].during(began, ended)];
    return new Set(percents.map((percent) => sideOfKey(module, percent, key.key)));
  }
}

async function client({ shop, keys, random }: Changes, book: Book): Promise<void> {
  while (!book.over) {
    const dice = random.below(100);
    const [way, whose] =
      dice < 45
        ? ([reading, random.below(4) === 0 ? keys.others : keys.users] as const)
        : dice < 70
          ? ([listing, random.below(4) === 0 ? keys.others : keys.users] as const)
          : dice < 95
            ? ([looking, keys.users] as const)
            : ([ordering, keys.customers] as const);
    const key: Key = random.pick(whose);
    book.note(await askBy(shop, way, key, random.pick(shop.entrances)));
  }
}

async function change({ shop, changes, random }: Changes, book: Book): Promise<void> {
  while (book.made < changes) {
    while (!book.changeDue && !book.over) await pause(2);
    if (book.over) return;
    const module = random.pick(MODULES);
    const timeline = book.timelines[module];
    const percent = random.pick(PERCENTS.filter((one) => one !== timeline.percent));
    const began = performance.now();
    const asked = timeline.change(percent, began);
    const { deferred, lagging } = await shop.share(module, percent);
    const ended = performance.now();
    if (!lagging) asked.acknowledged(ended);
    book.changeMs.push(ended - began);
    book.deferred += deferred;
    book.lagging += lagging ? 1 : 0;
    book.made += 1;
  }
}

async function countRefs({ shop, found }: Changes, { refs }: Book, before: Parameters<typeof sumBetween>[0]) {
  const all = refs.service + refs['in-process'] + refs.either;
  const deadline = performance.now() + 5_000;
  for (;;) {
    const { service, 'in-process': near } = sumBetween(before, await shop.counted()).catalog ?? {};
    const far = service?.priceProducts?.count ?? 0;
    const sum = far + (near?.priceProducts?.count ?? 0);
    const right = sum === all && far >= refs.service && far <= refs.service + refs.either;
    if (right) return;
    if (performance.now() > deadline) {
      const should = `${refs.service} to ${refs.service + refs.either} of ${all}`;
      found.add('refs on the wrong side', `${far} of ${sum} in the share, and not ${should}`);
      return;
    }
    await pause(20);
  }
}
