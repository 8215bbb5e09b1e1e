// What was counted of one rung since it began, second by second, kept as sums: so it is a few numbers however long the
// rung takes, and another host can go on from them. Seconds in which both sides fail alike judge nobody and are left
// out, with their neighbours: what lies beneath both was down.
// Beside the sums it keeps the last seconds as they were, for what cannot wait. It judges nothing.
import { type Arm, asBefore, counted, noArm, type Side, sideOf } from './bursts.ts';
import type { Counts, TestedMetric } from './evidence.ts';
import type { Frozen } from './judgement.ts';

/** Requests of clients in one second: how many, how many failed, how many took too long. */
export interface Tally extends Counts {
  readonly slow: number;
}

export interface Pair<T> {
  readonly near: T;
  readonly far: T;
}

/** One second of a module, over all hosts. */
export interface Second extends Pair<Tally> {
  /** Whole seconds since the epoch. */
  readonly at: number;
  /** `far`: shadows that were compared, and differed. `near`: the near side compared with itself. */
  readonly differences?: Pair<Counts>;
  /** Attempts at background work, and those that failed. */
  readonly attempts?: Pair<Counts>;
  /** Background work that is further behind than it may be. */
  readonly behind?: { readonly lag: boolean; readonly outbox: boolean };
  /** What both sides stand on did not answer. */
  readonly outage?: boolean;
}

/** Seconds looked at, seconds beyond the limit, and how many of those were the last ones in a row. */
export interface Behind extends Counts {
  readonly inRow: number;
}

/** Plain data, to be stored as JSON. */
export interface Account {
  /** Those in the sums. */
  readonly seconds: number;
  readonly arms: { readonly [M in TestedMetric]: Pair<Arm> };
  readonly lag: Behind;
  readonly outbox: Behind;
  /** The last seconds, oldest first. The last two are not in the sums: what follows them is not known. */
  readonly recent: readonly Second[];
}

const KEPT_SECONDS = 6;
const OUTAGE_SECONDS = 3;

const notBehind: Behind = { n: 0, bad: 0, inRow: 0 };
const noArms: Pair<Arm> = { near: noArm, far: noArm };
export const noAccount: Account = {
  seconds: 0,
  arms: { errors: noArms, slow: noArms, differences: noArms, attempts: noArms },
  lag: notBehind,
  outbox: notBehind,
  recent: [],
};

/** The account with one second more: the one that follows those it has. */
export function withSecond(account: Account, second: Second): Account {
  const { recent } = account;
  const known = [...recent, second];
  const taken = known.at(-OUTAGE_SECONDS);
  const leftOut = windowsOf(known).some(isOutage);
  const { lag, outbox } = second.behind ?? {};
  return {
    seconds: account.seconds + (taken && !leftOut ? 1 : 0),
    arms: taken && !leftOut ? withCounts(account.arms, taken) : account.arms,
    lag: lookedAt(account.lag, lag),
    outbox: lookedAt(account.outbox, outbox),
    recent: [...recent.slice(1 - KEPT_SECONDS), second],
  };
}

/** The near side of this account, to be compared with later; `before`: what was kept until now. */
export function frozenOf({ arms }: Account, before: Frozen): Frozen {
  const kept: { [M in TestedMetric]?: Side } = { ...before };
  for (const metric of ['errors', 'slow', 'attempts'] as const) {
    const { near } = arms[metric];
    if (near.n > 0) kept[metric] = asBefore(sideOf(near), before[metric]);
  }
  return kept;
}

/** The stretches that have the second in them whose turn it is. */
function windowsOf(known: readonly Second[]): (readonly Second[])[] {
  const at = known.length - OUTAGE_SECONDS;
  return Array.from({ length: OUTAGE_SECONDS }, (_, i) =>
    known.slice(Math.max(0, at - i), at - i + OUTAGE_SECONDS),
  );
}

/**
 * Whether neither side is to be judged by these seconds: at least half of all failed, and the near side had its part. It
 * takes several failures over several seconds: one may come by chance, and leaving out what the near side does by chance
 * would make it better than it is.
 */
export function isOutage(window: readonly Second[]): boolean {
  if (window.some(({ outage }) => outage)) return true;
  if (window.length < OUTAGE_SECONDS) return false;
  const near = sumOf(window, (second) => second.near);
  const far = sumOf(window, (second) => second.far);
  return near.bad >= 3 && 4 * near.bad >= near.n && 2 * (near.bad + far.bad) >= near.n + far.n;
}

export function sumOf(window: readonly Second[], side: (second: Second) => Counts): Counts {
  let n = 0;
  let bad = 0;
  for (const second of window) {
    n += side(second).n;
    bad += side(second).bad;
  }
  return { n, bad };
}

function withCounts(arms: Account['arms'], second: Second): Account['arms'] {
  const { at, near, far, differences, attempts } = second;
  const slow = (side: Tally) => ({ n: side.n, bad: side.slow });
  const plus = (pair: Pair<Arm>, more: Pair<Counts> | undefined) =>
    more === undefined
      ? pair
      : { near: counted(pair.near, more.near, at), far: counted(pair.far, more.far, at) };
  return {
    errors: plus(arms.errors, { near, far }),
    slow: plus(arms.slow, { near: slow(near), far: slow(far) }),
    differences: plus(arms.differences, differences),
    attempts: plus(arms.attempts, attempts),
  };
}

function lookedAt(behind: Behind, beyond: boolean | undefined): Behind {
  if (beyond === undefined) return behind;
  return { n: behind.n + 1, bad: behind.bad + (beyond ? 1 : 0), inRow: beyond ? behind.inRow + 1 : 0 };
}
