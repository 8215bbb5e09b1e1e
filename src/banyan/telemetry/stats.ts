// How requests went, by module, side, operation and who asked: what one host counts of those whose side it decided.
// Guarantees: a request is counted once, by the host that decided; numbers only grow while the process lives, so that a
// reader takes differences; nobody who counts looks anything up (it keeps its counter). It knows no request and no host.
import { Problem } from '../contract/problem.ts';
import { EDGES, FINE_EDGES, partOf } from './edges.ts';

/** Who asks where no module does: clients, at the gateway. */
export const CLIENTS = '';

/** What takes longer is slow, until a module is given a threshold of its own. */
export const SLOW_MS = 500;

/** Of the near calls of one operation the first of every so many is watched to its end: a power of two. */
export const WATCH_EVERY = 16;

/** What one operation came to on one side. */
export interface Counted {
  readonly count: number;
  /** How many of them were watched to their end: what `bad` and `slow` are parts of. Fewer than `count` where near calls are among them. */
  readonly watched: number;
  /** Answered 5xx, too late, or not at all. What a client did wrong is not bad. */
  readonly bad: number;
  /** Took longer than `slowMs`. */
  readonly slow: number;
  readonly slowMs: number;
  /** All that the watched ones took. */
  readonly seconds: number;
  /** Watched ones by how long they took: above the edge before, up to this one. What took longer than the last is in `watched` alone. */
  readonly buckets: readonly number[];
  /** The same by the parts of the buckets (FINE_EDGES); absent: it is of a host of the version before. */
  readonly parts?: readonly number[];
}

export class SideCounter implements Counted {
  /** Near calls; whether one is watched to its end depends on it alone. */
  #called = 0;
  #ended = 0;
  watched = 0;
  bad = 0;
  slow = 0;
  slowMs: number;
  seconds = 0;
  readonly buckets: number[] = EDGES.map(() => 0);
  readonly parts: number[] = FINE_EDGES.map(() => 0);

  constructor(slowMs: number) {
    this.slowMs = slowMs;
  }

  get count(): number {
    return this.#called + this.#ended;
  }

  /** A request has ended. */
  note(ms: number, bad: boolean): void {
    this.#ended += 1;
    this.#seen(ms, bad);
  }

  /** A near call begins. True: this one is to be watched. */
  begins(): boolean {
    this.#called += 1;
    return (this.#called & (WATCH_EVERY - 1)) === 1;
  }

  /** Makes a near call that is to be watched. */
  watch<I, O>(ask: (input: I) => Promise<O>, input: I): Promise<O> {
    const start = performance.now();
    const answer = ask(input);
    answer.then(
      () => this.#seen(performance.now() - start, false),
      (error) => this.#seen(performance.now() - start, isFault(error)),
    );
    return answer;
  }

  #seen(ms: number, bad: boolean): void {
    this.watched += 1;
    if (bad) this.bad += 1;
    if (ms > this.slowMs) this.slow += 1;
    const seconds = ms / 1000;
    this.seconds += seconds;
    let at = 0;
    while (at < EDGES.length && seconds > EDGES[at]!) at += 1;
    if (at === EDGES.length) return;
    this.buckets[at]! += 1;
    this.parts[partOf(at, seconds)]! += 1;
  }
}

/** Whether an error says that the work failed: not what a client did wrong, nor that whoever asked went away. */
export function isFault(error: unknown): boolean {
  if (error instanceof Problem) return error.status >= 500;
  return (error as { name?: string } | undefined)?.name !== 'AbortError';
}

export type CountedSide = 'in-process' | 'service';

/** By module, side and operation; only what was counted. */
export type CountedModules = Readonly<
  Record<string, Readonly<Partial<Record<CountedSide, Readonly<Record<string, Counted>>>>>>
>;

/** By who asked and whom, over all operations; only what was counted. */
export type CountedCallers = Readonly<
  Record<string, Readonly<Record<string, Readonly<Partial<Record<CountedSide, Counted>>>>>>
>;

export class Stats {
  /** When counting began: RFC 3339. */
  readonly since = new Date().toISOString();
  /** By module, side, operation and caller. */
  readonly #counters = new Map<string, Map<CountedSide, Map<string, Map<string, SideCounter>>>>();
  readonly #slowMs = new Map<string, number>();

  /** The counter of an operation on a side, of one that asks: the same one each time. */
  of(module: string, side: CountedSide, operation: string, caller = CLIENTS): SideCounter {
    const sides = entry(
      this.#counters,
      module,
      () => new Map<CountedSide, Map<string, Map<string, SideCounter>>>(),
    );
    const operations = entry(sides, side, () => new Map<string, Map<string, SideCounter>>());
    const callers = entry(operations, operation, () => new Map<string, SideCounter>());
    return entry(callers, caller, () => new SideCounter(this.#slowMs.get(module) ?? SLOW_MS));
  }

  /** The far side did not answer a request of a share, and the near one did, which is counted as its own: it failed there. */
  fellBack(module: string, operation: string, ms: number, caller = CLIENTS): void {
    this.of(module, 'service', operation, caller).note(ms, true);
  }

  /** From now on what takes longer than this is slow in that module; undefined: SLOW_MS again. */
  slowAfter(module: string, ms: number | undefined): void {
    if (ms === undefined) this.#slowMs.delete(module);
    else this.#slowMs.set(module, ms);
    for (const operations of this.#counters.get(module)?.values() ?? [])
      for (const callers of operations.values())
        for (const counter of callers.values()) counter.slowMs = ms ?? SLOW_MS;
  }

  /** Whoever asked, as one. */
  *[Symbol.iterator](): Iterator<readonly [string, CountedSide, string, Counted]> {
    for (const [module, sides] of this.#counters)
      for (const [side, operations] of sides)
        for (const [operation, callers] of operations) {
          const counted = [...callers.values()].filter(({ count }) => count > 0);
          if (counted.length > 0) yield [module, side, operation, togetherOf(counted)];
        }
  }

  /** As it is now. */
  read(): CountedModules {
    const modules: Record<string, Partial<Record<CountedSide, Record<string, Counted>>>> = {};
    for (const [module, side, operation, counted] of this) {
      modules[module] ??= {};
      modules[module][side] ??= {};
      modules[module][side][operation] = counted;
    }
    return modules;
  }

  /** The same by who asked, as it is now. */
  callers(): CountedCallers {
    const found: Record<string, Record<string, Partial<Record<CountedSide, SideCounter[]>>>> = {};
    for (const [module, sides] of this.#counters)
      for (const [side, operations] of sides)
        for (const callers of operations.values())
          for (const [caller, counter] of callers) {
            if (counter.count === 0) continue;
            found[caller] ??= {};
            found[caller][module] ??= {};
            found[caller][module][side] ??= [];
            found[caller][module][side].push(counter);
          }
    const together = (sides: Partial<Record<CountedSide, SideCounter[]>>) =>
      mapped(sides as Record<string, SideCounter[]>, (counters) => withoutParts(togetherOf(counters)));
    return mapped(found, (modules) => mapped(modules, together));
  }
}

function mapped<T, U>(of: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, change(value)]));
}

const withoutParts = ({ parts: _, ...rest }: Counted): Counted => rest;

/** At least one. */
function togetherOf(counters: readonly SideCounter[]): Counted {
  const { slowMs } = counters[0]!;
  const sum = { count: 0, watched: 0, bad: 0, slow: 0, slowMs, seconds: 0 };
  const buckets = EDGES.map(() => 0);
  const parts = FINE_EDGES.map(() => 0);
  for (const counter of counters) {
    sum.count += counter.count;
    sum.watched += counter.watched;
    sum.bad += counter.bad;
    sum.slow += counter.slow;
    sum.seconds += counter.seconds;
    for (let at = 0; at < buckets.length; at += 1) buckets[at]! += counter.buckets[at]!;
    for (let at = 0; at < parts.length; at += 1) parts[at]! += counter.parts[at]!;
  }
  return { ...sum, buckets, parts };
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let found = map.get(key);
  if (found === undefined) {
    found = make();
    map.set(key, found);
  }
  return found;
}
