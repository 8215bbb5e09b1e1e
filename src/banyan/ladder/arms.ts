// From what hosts counted of a module's requests to what both sides came to in one second. Hosts count since they began, so
// a second is the difference of two readings; one host's that was not heard of in between comes with its next.
// Near calls are watched in part: what was seen of those is taken for all. A request is slow beyond a threshold of its
// operation, which is taken from the near side once and then kept, for both sides alike.
// It asks nobody: readings are handed in.
import type { Counted, CountedModules } from '../telemetry/stats.ts';
import { EDGES } from '../telemetry/stats.ts';
import type { Pair, Tally } from './account.ts';

/** What one host counted. */
export interface HostReading {
  readonly host: string;
  /** When it began to count: a process that began anew began at nothing. */
  readonly since: string;
  readonly modules: CountedModules;
}

/** By operation the number of the edge (EDGES) beyond which a request is slow. Plain data, to be stored as JSON. */
export type Thresholds = Readonly<Record<string, number>>;

/** So many of the near side must be seen before its operation has a threshold. */
const LEAST_SEEN = 100;
/** A process that has just begun is slow: these first ones of an operation on the far side are never counted as slow. */
const WARM_UP = 20;

/** Which share of the near side is slow by itself, and how much slower the far side may be: it has one hop more. */
const QUANTILE = 0.95;
const FACTOR = 1.5;
const HOP_SECONDS = 0.002;

export class Arms {
  readonly #module: string;
  readonly #before = new Map<string, HostReading>();
  readonly #warm = new Map<string, number>();
  #begun: number | undefined;
  #thresholds: Record<string, number>;

  constructor(module: string, thresholds: Thresholds = {}) {
    this.#module = module;
    this.#thresholds = { ...thresholds };
  }

  get thresholds(): Thresholds {
    return this.#thresholds;
  }

  /** Since the reading before. Of a host that counted before the first one nothing is known. */
  second(hosts: readonly HostReading[]): Pair<Tally> {
    this.#learn(hosts);
    this.#begun ??= Date.now();
    const near = [0, 0, 0] as [number, number, number];
    const far = [0, 0, 0] as [number, number, number];
    for (const host of hosts) {
      const before = this.#before.get(host.host);
      this.#before.set(host.host, host);
      if (before === undefined && Date.parse(host.since) < this.#begun) continue;
      const known = before?.since === host.since ? before : undefined;
      for (const side of ['in-process', 'service'] as const)
        for (const [operation, now] of Object.entries(host.modules[this.#module]?.[side] ?? {}))
          this.#add(
            side === 'service' ? far : near,
            side === 'service',
            operation,
            difference(now, known?.modules[this.#module]?.[side]?.[operation]),
          );
    }
    return { near: tally(near), far: tally(far) };
  }

  #add(sum: [number, number, number], isFar: boolean, operation: string, since: Difference): void {
    const { count, watched, bad, buckets } = since;
    if (watched <= 0) return;
    const factor = Math.max(1, count / watched);
    const slow = watched - upTo(buckets, this.#thresholds[operation] ?? UNKNOWN);
    sum[0] += watched * factor;
    sum[1] += bad * factor;
    if (!isFar || this.#isWarm(operation, watched)) sum[2] += slow * factor;
  }

  #isWarm(operation: string, more: number): boolean {
    const seen = this.#warm.get(operation) ?? 0;
    if (seen < WARM_UP) this.#warm.set(operation, seen + more);
    return seen >= WARM_UP;
  }

  #learn(hosts: readonly HostReading[]): void {
    const operations = new Set(
      hosts.flatMap(({ modules }) => Object.keys(modules[this.#module]?.['in-process'] ?? {})),
    );
    for (const operation of operations) {
      if (operation in this.#thresholds) continue;
      const seen = hosts.flatMap(({ modules }) => modules[this.#module]?.['in-process']?.[operation] ?? []);
      const threshold = thresholdOf(seen);
      if (threshold !== undefined) this.#thresholds[operation] = threshold;
    }
  }
}

/** Half a second, until the near side has shown what it takes. */
const UNKNOWN = EDGES.indexOf(0.5);

/** The edge beyond what most take, and as much again. Undefined: too few were seen. */
export function thresholdOf(seen: readonly Pick<Counted, 'watched' | 'buckets'>[]): number | undefined {
  const watched = seen.reduce((sum, one) => sum + one.watched, 0);
  if (watched < LEAST_SEEN) return undefined;
  const buckets = EDGES.map((_, at) => seen.reduce((sum, one) => sum + (one.buckets[at] ?? 0), 0));
  let rest = QUANTILE * watched;
  let at = 0;
  while (at < EDGES.length && rest > buckets[at]!) rest -= buckets[at++]!;
  if (at === EDGES.length) return EDGES.length - 1;
  const below = at === 0 ? 0 : EDGES[at - 1]!;
  const usual = below + ((EDGES[at]! - below) * rest) / Math.max(1, buckets[at]!);
  const edge = EDGES.findIndex((one) => one >= FACTOR * usual + HOP_SECONDS);
  return edge < 0 ? EDGES.length - 1 : edge;
}

type Difference = Pick<Counted, 'count' | 'watched' | 'bad' | 'buckets'>;

function difference(now: Counted, before: Counted | undefined): Difference {
  if (!before) return now;
  return {
    count: now.count - before.count,
    watched: now.watched - before.watched,
    bad: now.bad - before.bad,
    buckets: now.buckets.map((n, at) => n - (before.buckets[at] ?? 0)),
  };
}

const upTo = (buckets: readonly number[], edge: number): number =>
  buckets.slice(0, edge + 1).reduce((sum, n) => sum + n, 0);

const tally = ([n, bad, slow]: readonly [number, number, number]): Tally => ({
  n: Math.round(n),
  bad: Math.round(bad),
  slow: Math.round(Math.min(slow, n)),
});
