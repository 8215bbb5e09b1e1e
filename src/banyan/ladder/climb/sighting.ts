// What a judge has seen of one rung, and what it thinks of it: the account of its seconds, the thresholds of what is slow, how
// long there was nobody. A rung is a sighting; what the one before knew of hosts' counters goes on, so that no second is lost.
// It can be stored and taken up by another host. It asks nobody: what it looks at is handed in.
import { type Account, noAccount, type Pair, type Second, withSecond } from '../judge/account.ts';
import { Arms, type HostReading } from '../judge/arms.ts';
import { AttemptsOfJobs, type AttemptsReading, plus } from '../judge/attempts.ts';
import type { Counts } from '../judge/evidence.ts';
import { judge, watched } from '../judge/judge.ts';
import type { Judgement } from '../judge/judgement.ts';
import { percentOf } from '../judge/rungs.ts';
import type { Differences } from '../judge/shadowing.ts';
import { earlierThresholds, type Thresholds } from '../judge/thresholds.ts';
import type { LadderRow } from './rows.ts';
import { isOpen, isTimeOver } from './steps.ts';

/** Of background work, wherever it runs. */
export interface BackgroundSeconds {
  readonly attempts: Counts;
  readonly behind: { readonly lag: boolean; readonly outbox: boolean };
}

/** What else there is to see in a second. */
export interface Surroundings {
  /** The service has a healthy process. */
  readonly healthy: boolean;
  /** Undefined: it cannot be told. */
  readonly background: BackgroundSeconds | undefined;
  /** Processes that ended without a drain, in words: on this rung, or lately where there is no further one. */
  readonly ended: readonly string[];
  readonly differences: Differences | undefined;
}

/** Plain data. */
export interface Held {
  readonly account: Account;
  readonly slowAfter?: Thresholds;
  /** As the version before has it. */
  readonly thresholds?: Readonly<Record<string, number>>;
}

export class Sighting {
  readonly run: string;
  readonly #rung: string;
  readonly #since: number;
  readonly #arms: Arms;
  readonly #jobs: AttemptsOfJobs;
  #account: Account;
  #withoutSince: number | undefined;
  #interrupted = false;
  #differences: { near: Counts; far: Counts } | undefined;
  #keptAt = 0;
  #keptAs = '';

  /** @param before of the same module, on another rung. */
  constructor({ module, run, climb, counted }: LadderRow, before?: Sighting) {
    this.run = run;
    this.#rung = climb.rung;
    this.#since = climb.rungSince;
    const held = counted as Held | null;
    this.#account = held?.account ?? noAccount;
    const { slowAfter, thresholds } = held ?? {};
    this.#arms =
      before?.run === run ? before.#arms : new Arms(module, slowAfter ?? earlierThresholds(thresholds));
    this.#arms.beginAgain();
    this.#jobs = before?.run === run ? before.#jobs : new AttemptsOfJobs(module);
  }

  isOf({ run, climb }: LadderRow): boolean {
    return run === this.run && climb.rung === this.#rung && climb.rungSince === this.#since;
  }

  get counted(): Held {
    return { account: this.#account, slowAfter: this.#arms.thresholds };
  }

  /** Something was not to be seen: the next second is of no use. */
  interrupted(): void {
    this.#interrupted = true;
  }

  isDue(judgement: Judgement, everyMs: number): boolean {
    return performance.now() - this.#keptAt >= everyMs || shapeOf(judgement) !== this.#keptAs;
  }

  kept(judgement: Judgement): void {
    this.#keptAt = performance.now();
    this.#keptAs = shapeOf(judgement);
  }

  /** One second more. Undefined: there is nothing to be said. */
  look(
    row: LadderRow,
    hosts: readonly (HostReading & AttemptsReading)[],
    around: Surroundings,
  ): Judgement | undefined {
    const { near, far } = this.#arms.second(hosts);
    const { background } = around;
    const differences = this.#differencesSince(around.differences);
    const second: Second = {
      at: Math.floor(row.now / 1000),
      near,
      far,
      ...(differences && { differences }),
      ...withJobs(this.#jobs.second(hosts), background && sidesOf(row, background)),
      ...(this.#interrupted && { outage: true }),
    };
    this.#interrupted = false;
    this.#account = withSecond(this.#account, second);
    if (around.healthy) this.#withoutSince = undefined;
    else this.#withoutSince ??= row.now;
    const withoutInstance = this.#withoutSince === undefined ? 0 : (row.now - this.#withoutSince) / 1000;
    const { climb } = row;
    const { frozen, policy, rung } = climb;
    const account = this.#account;
    const { mostly } = this.#arms;
    const { ended: restarts } = around;
    const { operations = [], unjudged = [], learning } = around.differences ?? {};
    const found = { operations, unjudged, learning, mostly, last: isTimeOver(climb, row.now) };
    if (isOpen(climb)) return judge({ rung, policy, account, frozen, restarts, withoutInstance, ...found });
    return watched({ rung, account, frozen, restarts, withoutInstance, mostly });
  }

  /** Shadows are counted in total. */
  #differencesSince(total: Differences | undefined): Second['differences'] {
    const before = this.#differences;
    this.#differences = total;
    if (!total || !before) return undefined;
    const since = (now: Counts, then: Counts) => ({ n: now.n - then.n, bad: now.bad - then.bad });
    return { near: since(total.near, before.near), far: since(total.far, before.far) };
  }
}

/** It follows the requests once the placement has been stable for 2 s, and some more until the last attempt has ended. */
const FOLLOWED_MS = 4_000;
const nothing: Counts = { n: 0, bad: 0 };

/** Whose they are; on the far side it may also not be behind. */
function sidesOf({ climb, now }: LadderRow, { attempts, behind }: BackgroundSeconds): Partial<Second> {
  if (percentOf(climb.rung) < 100) return { attempts: { near: attempts, far: nothing } };
  const isFar = climb.rung === 'background' || now - climb.rungSince > FOLLOWED_MS;
  return isFar ? { attempts: { near: nothing, far: attempts }, behind } : {};
}

/** Jobs are counted by who did them. */
function withJobs(jobs: Pair<Counts>, events: Partial<Second> = {}): Partial<Second> {
  const { attempts } = events;
  if (jobs.near.n + jobs.far.n === 0) return events;
  const { near = nothing, far = nothing } = attempts ?? {};
  return { ...events, attempts: { near: plus(near, jobs.near), far: plus(far, jobs.far) } };
}

const shapeOf = ({ verdict, evidence }: Judgement) =>
  JSON.stringify([verdict, evidence.map(({ metric, verdict: one }) => [metric, one])]);
