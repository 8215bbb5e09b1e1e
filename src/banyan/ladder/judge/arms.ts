// From what hosts counted of a module's requests to what both sides came to in one second. Hosts count since they began, so
// a second is the difference of two readings; one host's that was not heard of in between comes with its next.
// Near calls are watched in part: what was seen of those is taken for all. A request is slow beyond a threshold of its
// operation (thresholds.ts), which is taken from the near side once and then kept, for both sides alike.
// It asks nobody: readings are handed in.
import { partsOf } from '../../telemetry/edges.ts';
import type { Counted, CountedModules } from '../../telemetry/stats.ts';
import type { Pair, Tally } from './account.ts';
import type { Mostly } from './evidence.ts';
import { slowerThan, type Thresholds, thresholdOf } from './thresholds.ts';

/** What one host counted. */
export interface HostReading {
  readonly host: string;
  /** When it began to count: a process that began anew began at nothing. */
  readonly since: string;
  readonly modules: CountedModules;
}

/** A process that has just begun is slow: these first ones of an operation on the far side are never counted as slow. */
const WARM_UP = 20;

/** An operation that was not seen often enough by then is rare: what was counted before is taken, too. */
const PATIENCE_MS = 60_000;

/** Requests, bad ones, slow ones. */
type Sums = [n: number, bad: number, slow: number];

export class Arms {
  readonly #module: string;
  readonly #before = new Map<string, HostReading>();
  /** As each host was first heard of. */
  readonly #first = new Map<string, HostReading>();
  readonly #warm = new Map<string, number>();
  /** Of the far side on this rung, by operation. */
  #operations = new Map<string, Sums>();
  #begun: number | undefined;
  #thresholds: Record<string, number>;

  constructor(module: string, thresholds: Thresholds = {}) {
    this.#module = module;
    this.#thresholds = { ...thresholds };
  }

  get thresholds(): Thresholds {
    return this.#thresholds;
  }

  /** The operation that most of the far side's bad and slow ones were of, since the rung began or its judge did. */
  get mostly(): Mostly {
    const worst = (at: 1 | 2) => {
      const [first] = [...this.#operations].sort(([, a], [, b]) => b[at] - a[at]);
      return first && first[1][at] > 0 ? first[0] : undefined;
    };
    const slow = worst(2);
    const threshold = this.#thresholds[slow ?? ''];
    const over = threshold === undefined ? '' : ` (over ${Number((threshold * 1_000).toPrecision(3))} ms)`;
    return { errors: worst(1), slow: slow && `${slow}${over}` };
  }

  /** Another rung begins. */
  beginAgain(): void {
    this.#operations = new Map();
  }

  /** Since the reading before. Of a host that counted before the first one nothing is known. */
  second(hosts: readonly HostReading[], now = Date.now()): Pair<Tally> {
    this.#begun ??= now;
    for (const host of hosts)
      if (this.#first.get(host.host)?.since !== host.since) this.#first.set(host.host, host);
    this.#learn(hosts, now - this.#begun > PATIENCE_MS);
    const near: Sums = [0, 0, 0];
    const far: Sums = [0, 0, 0];
    for (const host of hosts) {
      const before = this.#before.get(host.host);
      this.#before.set(host.host, host);
      if (before === undefined && Date.parse(host.since) < this.#begun) continue;
      const known = before?.since === host.since ? before : undefined;
      for (const side of ['in-process', 'service'] as const)
        for (const [operation, now] of Object.entries(host.modules[this.#module]?.[side] ?? {})) {
          const then = known?.modules[this.#module]?.[side]?.[operation];
          this.#add(side === 'service' ? far : near, side === 'service', operation, difference(now, then));
        }
    }
    return { near: tally(near), far: tally(far) };
  }

  #add(sum: Sums, isFar: boolean, operation: string, since: Difference): void {
    const { count, watched, bad, parts } = since;
    if (watched <= 0) return;
    const factor = Math.max(1, count / watched);
    const slow = slowerThan(this.#thresholds[operation], parts, watched);
    const counts = !isFar || this.#isWarm(operation, watched) ? slow : 0;
    add(sum, watched * factor, bad * factor, counts * factor);
    if (!isFar) return;
    const own: Sums = this.#operations.get(operation) ?? [0, 0, 0];
    this.#operations.set(operation, own);
    add(own, watched, bad, counts);
  }

  #isWarm(operation: string, more: number): boolean {
    const seen = this.#warm.get(operation) ?? 0;
    if (seen < WARM_UP) this.#warm.set(operation, seen + more);
    return seen >= WARM_UP;
  }

  /** Of the same minutes that are compared: how it was when the hosts had just begun says little. @param anyhow it is rare. */
  #learn(hosts: readonly HostReading[], anyhow: boolean): void {
    const operations = new Set(
      hosts.flatMap(({ modules }) => Object.keys(modules[this.#module]?.['in-process'] ?? {})),
    );
    for (const operation of operations) {
      if (operation in this.#thresholds) continue;
      const nearOf = (one: HostReading | undefined) =>
        one?.modules[this.#module]?.['in-process']?.[operation];
      const seen = hosts.flatMap((one) => {
        const counted = nearOf(one);
        return counted ? [difference(counted, anyhow ? undefined : nearOf(this.#first.get(one.host)))] : [];
      });
      const threshold = thresholdOf(seen);
      if (threshold !== undefined) this.#thresholds[operation] = threshold;
    }
  }
}

function add(sum: Sums, n: number, bad: number, slow: number): void {
  sum[0] += n;
  sum[1] += bad;
  sum[2] += slow;
}

type Difference = Pick<Counted, 'count' | 'watched' | 'bad'> & { readonly parts: readonly number[] };

function difference(now: Counted, before: Counted | undefined): Difference {
  const parts = partsOf(now);
  if (!before) return { ...now, parts };
  const earlier = partsOf(before);
  return {
    count: now.count - before.count,
    watched: now.watched - before.watched,
    bad: now.bad - before.bad,
    parts: parts.map((n, at) => n - (earlier[at] ?? 0)),
  };
}

const tally = ([n, bad, slow]: Readonly<Sums>): Tally => ({
  n: Math.round(n),
  bad: Math.round(bad),
  slow: Math.round(Math.min(slow, n)),
});
