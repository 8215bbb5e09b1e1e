// How much the bad ones of one side come in bursts. A test that takes requests for independent is sure too soon where
// they fail together; what it is too sure by is the variance of bad ones per second over what chance alone would give
// (Pearson's dispersion, 1 without bursts). It is looked at by the second and by ten seconds, as bursts may last.
// An arm is kept as sums, so that it takes no more room after an hour than after a second.
import type { Counts } from './evidence.ts';

/** Closed stretches of time: how many had requests, and what the dispersion follows from. */
interface Stretches extends Counts {
  readonly count: number;
  /** Of each stretch the square of its bad ones, over its requests. */
  readonly squares: number;
}

/** One side of one metric. */
export interface Arm extends Counts {
  readonly bySecond: Stretches;
  readonly byBlock: Stretches;
  /** The stretch of ten seconds that is under way. */
  readonly block: Counts & { readonly number: number };
  /** Seconds, and stretches of ten, that had a bad one. */
  readonly badSeconds: number;
  readonly badBlocks: number;
}

const BLOCK_SECONDS = 10;
/** A variance of fewer stretches says nothing. */
const LEAST_STRETCHES = 8;

const none: Stretches = { n: 0, bad: 0, count: 0, squares: 0 };
export const noArm: Arm = {
  n: 0,
  bad: 0,
  bySecond: none,
  byBlock: none,
  block: { n: 0, bad: 0, number: 0 },
  badSeconds: 0,
  badBlocks: 0,
};

/** The arm with one second more. */
export function counted(arm: Arm, { n, bad }: Counts, at: number): Arm {
  if (n === 0) return arm;
  const { block } = arm;
  const number = Math.floor(at / BLOCK_SECONDS);
  const same = number === block.number;
  const firstBad = bad > 0 && !(same && block.bad > 0);
  return {
    n: arm.n + n,
    bad: arm.bad + bad,
    bySecond: closed(arm.bySecond, { n, bad }),
    byBlock: same ? arm.byBlock : closed(arm.byBlock, block),
    block: same ? { n: block.n + n, bad: block.bad + bad, number } : { n, bad, number },
    badSeconds: arm.badSeconds + (bad > 0 ? 1 : 0),
    badBlocks: arm.badBlocks + (firstBad ? 1 : 0),
  };
}

function closed(all: Stretches, { n, bad }: Counts): Stretches {
  if (n === 0) return all;
  const squares = all.squares + (bad * bad) / n;
  return { n: all.n + n, bad: all.bad + bad, count: all.count + 1, squares };
}

/** A side with how much it comes in bursts. */
export interface Side extends Counts {
  /** At least 1. */
  readonly phi: number;
  /** How much two requests of one second, and of ten, fail together: 0 not at all, 1 always. */
  readonly together: { readonly second: number; readonly block: number };
}

export function sideOf(arm: Arm): Side {
  const { n, bad, bySecond, byBlock } = arm;
  const second = dispersion(bySecond);
  const block = dispersion(byBlock);
  return {
    n,
    bad,
    phi: Math.max(1, second, block),
    together: { second: correlation(second, bySecond), block: correlation(block, byBlock) },
  };
}

/** The near side, with the bursts that it has now or had before: there may have been no time for one yet. */
export function asBefore(near: Side, before: Side | undefined): Side {
  if (before === undefined) return near;
  const second = Math.max(near.together.second, before.together.second);
  const block = Math.max(near.together.block, before.together.block);
  return { ...near, together: { second, block } };
}

/** The far side, taken to be at least as bursty as the near side: it may not have had its bursts yet. */
export function besides(far: Arm, near: Side): Side {
  const own = sideOf(far);
  return { ...own, phi: Math.max(own.phi, phiAt(far, near.together)) };
}

/**
 * The dispersion of the near side where it is used to find the far side bad. It is taken to be at least as bursty as the far
 * side is, and as it was itself before: that it had no burst lately may be luck.
 */
export function phiAgainst(far: Side, near: Side, arm: Arm): number {
  return Math.max(near.phi, phiAt(arm, near.together), phiAt(arm, far.together));
}

/** The dispersion that an arm has by its requests if they fail together so. */
function phiAt(arm: Arm, { second, block }: Side['together']): number {
  const perSecond = mean(arm.bySecond);
  const perBlock = arm.byBlock.count > 0 ? mean(arm.byBlock) : perSecond * BLOCK_SECONDS;
  return Math.max(1, 1 + second * (perSecond - 1), 1 + block * (perBlock - 1));
}

/**
 * Of both together: each counts as much as it makes the difference of their rates uncertain, so a large side hardly
 * does. A near side that never fails says nothing of bursts, and leaves it to the far one.
 */
export function phiOfBoth(near: Side, far: Side): number {
  const nearRate = near.bad / near.n;
  const byNear = nearRate / near.n;
  const byFar = Math.max(nearRate, far.bad / far.n) / far.n;
  return byFar === 0 ? 1 : (near.phi * byNear + far.phi * byFar) / (byNear + byFar);
}

function dispersion({ n, bad, count, squares }: Stretches): number {
  if (count < LEAST_STRETCHES || bad === 0 || bad === n) return 1;
  const rate = bad / n;
  return (squares - rate * bad) / (rate * (1 - rate)) / (count - 1);
}

const mean = ({ n, count }: Stretches): number => (count === 0 ? 0 : n / count);

function correlation(phi: number, stretches: Stretches): number {
  const others = mean(stretches) - 1;
  return others <= 0 || phi <= 1 ? 0 : Math.min(1, (phi - 1) / others);
}
