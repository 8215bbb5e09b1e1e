// From what hosts counted of a module's jobs to what both sides came to in one second: the side is that of the process which
// did the work. Guarantees: what was counted before the first look, or by a host that was not there then, is nobody's.
// It asks nobody: readings are handed in. Attempts at events are rows, and not here (events/progress.ts).
import type { AttemptsByModule } from '../../telemetry/job-attempts.ts';
import type { Pair } from './account.ts';
import type { Counts } from './evidence.ts';

export interface AttemptsReading {
  readonly host: string;
  /** When it began to count. */
  readonly since: string;
  /** A service, and no monolith. */
  readonly isFar?: boolean;
  /** Absent: the host is of the version before. */
  readonly attempts?: AttemptsByModule | undefined;
}

export class AttemptsOfJobs {
  readonly #module: string;
  readonly #before = new Map<string, { readonly since: string; readonly counts: Counts }>();
  #begun: number | undefined;

  constructor(module: string) {
    this.#module = module;
  }

  /** Since the reading before. */
  second(hosts: readonly AttemptsReading[]): Pair<Counts> {
    this.#begun ??= Date.now();
    let near = nothing;
    let far = nothing;
    for (const { host, since, isFar, attempts } of hosts) {
      if (attempts === undefined) continue;
      const before = this.#before.get(host);
      const counts = attempts[this.#module] ?? nothing;
      this.#before.set(host, { since, counts });
      if (before === undefined && Date.parse(since) < this.#begun) continue;
      const earlier = before?.since === since ? before.counts : nothing;
      const more = { n: counts.n - earlier.n, bad: counts.bad - earlier.bad };
      if (isFar) far = plus(far, more);
      else near = plus(near, more);
    }
    return { near, far };
  }
}

const nothing: Counts = { n: 0, bad: 0 };

/** Of two kinds of work together. */
export function plus(one: Counts, other: Counts): Counts {
  return { n: one.n + other.n, bad: one.bad + other.bad };
}
