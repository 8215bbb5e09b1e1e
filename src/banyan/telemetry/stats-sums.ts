// What several hosts counted, as one; and what was counted between two looks. Pure. A host's numbers only grow while its
// process lives, so a difference is of the same process, or of one that began in between.
import type { HostCost } from './host-cost.ts';
import type { AttemptsByModule } from './job-attempts.ts';
import type { ShadowReports } from './shadow-reports.ts';
import type { Counted, CountedCallers, CountedModules, CountedSide } from './stats.ts';

/** What one host counted since it began. */
export interface HostStats {
  /** The UUID of its process. */
  readonly host: string;
  /** `monolith` or `<module>-<n>`. */
  readonly id: string;
  /** When it began to count and when it was asked, RFC 3339, by its own clock. */
  readonly since: string;
  readonly now: string;
  readonly modules: CountedModules;
  /** Its jobs; absent: it is of the version before. */
  readonly attempts?: AttemptsByModule | undefined;
  /** What it tried on services; absent: it is of the version before. */
  readonly shadows?: ShadowReports | undefined;
  /** The same requests by who asked; absent: it is of the version before. */
  readonly callers?: CountedCallers | undefined;
  /** What its process takes; absent: it is of the version before. */
  readonly cost?: HostCost | undefined;
}

/** One look at many hosts. */
export interface Collected {
  /** Milliseconds since the epoch, by the clock of who looked. */
  readonly at: number;
  readonly hosts: readonly HostStats[];
  /** Those that gave no answer, and why: what they count is missing. */
  readonly silent: readonly { readonly host: string; readonly id: string; readonly reason: string }[];
}

/** All that these hosts counted. */
export function sumOf(hosts: readonly Pick<HostStats, 'modules'>[]): CountedModules {
  const sums = new Sums();
  for (const { modules } of hosts) sums.add(modules, 1);
  return sums.read();
}

/**
 * What was counted between two looks. A host that the first look did not see counts only if it began after it: of one
 * that was silent then nobody can tell what is new.
 */
export function sumBetween(before: Collected, after: Collected): CountedModules {
  const known = new Map(before.hosts.map((one) => [one.host, one]));
  const sums = new Sums();
  for (const host of after.hosts) {
    const earlier = known.get(host.host);
    if (!earlier && Date.parse(host.now) - Date.parse(host.since) > after.at - before.at) continue;
    sums.add(host.modules, 1);
    if (earlier) sums.add(earlier.modules, -1);
  }
  return sums.read();
}

type Sum = { -readonly [K in keyof Counted]: K extends 'buckets' ? number[] : Counted[K] };

class Sums {
  readonly #found = new Map<string, { at: [string, CountedSide, string]; sum: Sum }>();

  add(modules: CountedModules, sign: 1 | -1): void {
    for (const [module, sides] of Object.entries(modules))
      for (const [side, operations] of Object.entries(sides))
        for (const [operation, counted] of Object.entries(operations))
          this.#one([module, side as CountedSide, operation], counted, sign);
  }

  #one(at: [string, CountedSide, string], counted: Counted, sign: 1 | -1): void {
    const key = at.join(' ');
    let found = this.#found.get(key);
    if (!found) {
      const buckets = counted.buckets.map(() => 0);
      const { slowMs } = counted;
      found = { at, sum: { count: 0, watched: 0, bad: 0, slow: 0, slowMs, seconds: 0, buckets } };
      this.#found.set(key, found);
    }
    const { sum } = found;
    for (const field of ['count', 'watched', 'bad', 'slow', 'seconds'] as const)
      sum[field] += sign * counted[field];
    counted.buckets.forEach((count, index) => {
      sum.buckets[index]! += sign * count;
    });
  }

  /** Without what came to nothing. */
  read(): CountedModules {
    const modules: Record<string, Partial<Record<CountedSide, Record<string, Counted>>>> = {};
    for (const { at, sum } of this.#found.values()) {
      if (sum.count === 0 && sum.watched === 0) continue;
      const [module, side, operation] = at;
      modules[module] ??= {};
      modules[module][side] ??= {};
      modules[module][side][operation] = sum;
    }
    return modules;
  }
}
