// How many a second, how long, how many failed: from what hosts counted since they began to numbers of the last 10 seconds,
// and a line of 15 minutes for each module. Guarantees: a host that was not seen before adds nothing but what it counted
// since it began; a host that is silent adds nothing until it answers again. Bounded: it forgets what is older.
import { EDGES } from '../telemetry/edges.ts';
import type { Counted, CountedCallers, CountedSide } from '../telemetry/stats.ts';
import { CLIENTS } from '../telemetry/stats.ts';
import { type Collected, type HostStats, sumOf } from '../telemetry/stats-sums.ts';
import { Series } from './series.ts';
import type { Numbers } from './shared/picture-shape.ts';

const WINDOW_MS = 10_000;

interface Delta {
  count: number;
  watched: number;
  bad: number;
  readonly buckets: number[];
}

interface Second {
  readonly at: number;
  /** Since the look before. */
  readonly ms: number;
  /** By `caller>module>side`. */
  readonly deltas: ReadonlyMap<string, Delta>;
}

export class Rates {
  #seconds: Second[] = [];
  #last: { at: number; hosts: Map<string, CountedCallers> } | undefined;
  readonly #bad = new Map<string, number>();
  readonly #series = new Map<string, Series>();

  /** One look at all hosts. */
  add({ at, hosts }: Collected): void {
    const deltas = new Map<string, Delta>();
    const before = this.#last;
    const known = new Map(before?.hosts);
    for (const host of hosts) {
      const callers = callersOf(host);
      const earlier = before?.hosts.get(host.host);
      if (before && (earlier || Date.parse(host.now) - Date.parse(host.since) <= at - before.at))
        addTo(deltas, callers, earlier);
      known.set(host.host, callers);
    }
    this.#last = { at, hosts: known };
    if (!before) return;
    this.#seconds.push({ at, ms: at - before.at, deltas });
    this.#seconds = this.#seconds.filter((one) => one.at > at - WINDOW_MS);
    this.#keep(at, at - before.at, deltas);
  }

  /** Nobody looked for a while: what was counted meanwhile is of no second. */
  forget(): void {
    this.#seconds = [];
    this.#last = undefined;
  }

  /** Those hosts are gone. */
  only(hosts: ReadonlySet<string>): void {
    for (const host of this.#last?.hosts.keys() ?? []) if (!hosts.has(host)) this.#last!.hosts.delete(host);
  }

  /** Failed requests of a module while somebody looked; it only grows. */
  failed(module: string): number {
    return this.#bad.get(module) ?? 0;
  }

  /** By `caller>module` and by side; of clients `>module`. */
  refs(): Record<string, Partial<Record<CountedSide, Numbers>>> {
    return this.#numbersBy(([caller, module]) => `${caller}>${module}`);
  }

  /** By module and side, whoever asked. */
  modules(): Record<string, Partial<Record<CountedSide, Numbers>>> {
    return this.#numbersBy(([, module]) => module!);
  }

  /** The last 15 minutes of a module. */
  series(module: string): Series | undefined {
    return this.#series.get(module);
  }

  #numbersBy(
    nameOf: (key: readonly string[]) => string,
  ): Record<string, Partial<Record<CountedSide, Numbers>>> {
    const sums = new Map<string, { name: string; side: CountedSide; sum: Delta }>();
    for (const { deltas } of this.#seconds)
      for (const [key, delta] of deltas) {
        const parts = key.split('>');
        const name = nameOf(parts);
        const side = parts[2] as CountedSide;
        const at = `${name} ${side}`;
        const found = sums.get(at) ?? { name, side, sum: none() };
        sums.set(at, found);
        plus(found.sum, delta, 1);
      }
    const ms = this.#seconds.reduce((all, one) => all + one.ms, 0);
    const numbers: Record<string, Partial<Record<CountedSide, Numbers>>> = {};
    for (const { name, side, sum } of sums.values()) {
      if (sum.count === 0) continue;
      numbers[name] ??= {};
      numbers[name][side] = numbersOf(sum, ms);
    }
    return numbers;
  }

  #keep(at: number, ms: number, deltas: ReadonlyMap<string, Delta>): void {
    const sums = new Map<string, { near: number; far: number; all: Delta }>();
    for (const [key, delta] of deltas) {
      const [, module = '', side] = key.split('>');
      const sum = sums.get(module) ?? { near: 0, far: 0, all: none() };
      sums.set(module, sum);
      if (side === 'service') sum.far += delta.count;
      else sum.near += delta.count;
      plus(sum.all, delta, 1);
      this.#bad.set(module, this.failed(module) + delta.bad);
    }
    for (const module of new Set([...this.#series.keys(), ...sums.keys()])) {
      const { near, far, all } = sums.get(module) ?? { near: 0, far: 0, all: none() };
      const { p50, p99 } = numbersOf(all, ms);
      const series = this.#series.get(module) ?? new Series();
      this.#series.set(module, series);
      const seconds = Math.max(0.1, ms / 1000);
      series.add(at, [
        near / seconds,
        far / seconds,
        p50 ?? Number.NaN,
        p99 ?? Number.NaN,
        all.bad / seconds,
      ]);
    }
  }
}

/** A host of the version before does not say who asked. */
function callersOf(host: HostStats): CountedCallers {
  if (host.callers) return host.callers;
  const all = sumOf([host]);
  return {
    [CLIENTS]: Object.fromEntries(
      Object.entries(all).map(([module, sides]) => [
        module,
        Object.fromEntries(
          Object.entries(sides).map(([side, operations]) => [side, together(Object.values(operations))]),
        ),
      ]),
    ),
  };
}

function together(counted: readonly Counted[]): Counted {
  const sum = none();
  for (const one of counted) plus(sum, one, 1);
  return { ...sum, slow: 0, slowMs: 0, seconds: 0 };
}

function addTo(deltas: Map<string, Delta>, now: CountedCallers, before: CountedCallers | undefined): void {
  for (const [caller, modules] of Object.entries(now))
    for (const [module, sides] of Object.entries(modules))
      for (const [side, counted] of Object.entries(sides)) {
        const earlier = before?.[caller]?.[module]?.[side as CountedSide];
        if (earlier?.count === counted.count && earlier.watched === counted.watched) continue;
        const key = `${caller}>${module}>${side}`;
        const delta = deltas.get(key) ?? none();
        deltas.set(key, delta);
        plus(delta, counted, 1);
        if (earlier) plus(delta, earlier, -1);
      }
}

const none = (): Delta => ({ count: 0, watched: 0, bad: 0, buckets: EDGES.map(() => 0) });

function plus(
  sum: Delta,
  more: Omit<Delta, 'buckets'> & { readonly buckets: readonly number[] },
  sign: 1 | -1,
): void {
  sum.count += sign * more.count;
  sum.watched += sign * more.watched;
  sum.bad += sign * more.bad;
  for (let at = 0; at < sum.buckets.length; at += 1) sum.buckets[at]! += sign * more.buckets[at]!;
}

function numbersOf(sum: Delta, ms: number): Numbers {
  const [p50, p99] = [quantile(sum, 0.5), quantile(sum, 0.99)];
  return {
    perSecond: ms <= 0 ? 0 : rounded((sum.count * 1000) / ms),
    ...(p50 !== undefined && { p50 }),
    ...(p99 !== undefined && { p99 }),
    errors: sum.watched <= 0 ? 0 : Math.min(1, Math.max(0, rounded(sum.bad / sum.watched, 10_000))),
  };
}

/** Milliseconds, straight between the edges of the bucket; what took longer than the last edge counts as that. */
export function quantile(
  { watched, buckets }: Pick<Delta, 'watched' | 'buckets'>,
  share: number,
): number | undefined {
  if (watched <= 0) return undefined;
  const wanted = share * watched;
  let below = 0;
  for (const [at, count] of buckets.entries()) {
    if (count > 0 && below + count >= wanted) {
      const lower = at === 0 ? 0 : EDGES[at - 1]!;
      return rounded(1000 * (lower + ((EDGES[at]! - lower) * (wanted - below)) / count), 100);
    }
    below += count;
  }
  return 1000 * EDGES.at(-1)!;
}

function rounded(value: number, to = 10): number {
  return Math.round(value * to) / to;
}
