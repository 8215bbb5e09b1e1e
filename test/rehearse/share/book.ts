// The book of the second piece: each answer held against the shares that could be in force while its request was under
// way, and what the hosts must have counted of all of them. It asks nobody.
import { inWords, listing, looking, ordering, reading, type Seen } from './asks.ts';
import type { Wanted } from './counters.ts';
import { type SharedModule, type Side, sideOfKey } from './expected.ts';
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

export interface Changes extends Piece {
  readonly requests: number;
  readonly changes: number;
}

const WAYS = [reading, listing, looking, ordering];
/** No request takes so long. */
const LONGEST_MS = 60_000;

export class Book {
  done = 0;
  made = 0;
  deferred = 0;
  lagging = 0;
  settled = 0;
  unsticky = 0;
  readonly changeMs: number[] = [];
  readonly timelines: Readonly<Record<SharedModule, Timeline>>;
  /** Refs of orders, by the sides that were possible. */
  readonly #refs = { service: 0, 'in-process': 0, either: 0 };
  /** How many answers of each way the service gave. */
  readonly #far = new Map(WAYS.map((way) => [way, { inside: 0, of: 0 }]));
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
    if (this.done % 1000 === 0)
      for (const timeline of Object.values(this.timelines)) timeline.forget(seen.began - LONGEST_MS);
    this.#ways[way.name] = (this.#ways[way.name] ?? 0) + 1;
    this.#hosts[entrance.name] = (this.#hosts[entrance.name] ?? 0) + 1;
    if (side === undefined) {
      found.add('failed', inWords(seen));
      return;
    }
    const far = this.#far.get(way)!;
    far.of += 1;
    if (side === 'service') far.inside += 1;
    const right = this.#possible(way.module, seen);
    if (this.#calm(way.module, seen)) this.settled += 1;
    if (!right.has(side)) {
      this.unsticky += 1;
      found.add('on the wrong side between two changes', inWords(seen));
    }
    if (way !== ordering) return;
    const ref = this.#possible('catalog', seen);
    this.#refs[ref.size > 1 ? 'either' : [...ref][0]!] += 1;
  }

  /** What the hosts must have counted, if none failed. */
  counts(): Wanted[] {
    const { service: least, 'in-process': near, either } = this.#refs;
    const refs = { least, most: least + either, of: least + near + either };
    return [
      { module: 'catalog', operation: 'priceProducts', ...refs },
      ...[...this.#far].map(([{ module, operation }, { inside, of }]) => {
        return { module, operation, least: inside, most: inside, of };
      }),
    ];
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
