// Wald's sequential test of one metric: is the far side as the near side, or worse by a margin? It may be looked at after
// every second, as long as it takes: a far side that is worse by the margin is found good in at most ALPHA of all
// rungs, one that is as the near side is found bad in at most BETA. What comes in bursts counts for as much less.
// It knows nothing of how long a rung has to take.
import { phiOfBoth, type Side } from './bursts.ts';
import type { Counts, TestedMetric, Verdict } from './evidence.ts';
import { evidenceAgainst, logLikelihoodRatio } from './likelihood.ts';

export const ALPHA = 0.05;
export const BETA = 0.0002;
/** Of the one look more that a rung has when its time is over: so often it errs besides. */
export const ALPHA_AT_END = 0.05;
/** What that look needs, as twice a log-likelihood: the square of the normal quantile of ALPHA_AT_END. */
const ENOUGH_AT_END = 2.706;

/** So many requests as the margin was made for have to be enough to the last bit. */
const ROUNDING = 1e-9;

/** By so much, of all requests, the far side may not be worse. */
export const MARGIN: { readonly [M in TestedMetric]: number } = {
  errors: 0.01,
  slow: 0.02,
  differences: 0.01,
  attempts: 0.05,
};

/**
 * The margin at which so many requests without a bad one are enough: who asks for fewer than advised gets a coarser
 * test. It is never finer than what the metric has.
 */
export function marginFor(metric: TestedMetric, requests: number): number {
  return Math.max(MARGIN[metric], 1 - ALPHA ** (1 / requests));
}

export interface Strictness {
  /** What is good only has to hold at this margin; worse by the metric's own margin is bad nevertheless. */
  readonly coarse?: number;
  readonly beta?: number;
  /** The dispersion of the near side where it speaks against the far one. */
  readonly phi?: number;
  /** The time is over: what is open now gets no verdict. */
  readonly last?: boolean | undefined;
}

/**
 * For "bad" each side counts as so many independent requests as its bursts leave of it: a near side of many requests and
 * no burst yet is not many. The likelihood of the whole, divided by one dispersion, would take it for that.
 */
export function tested(near: Side, far: Side, fine: number, strictness: Strictness = {}): Verdict {
  if (near.n === 0 || far.n === 0) return 'open';
  const { coarse = fine, beta = BETA, phi = near.phi, last = false } = strictness;
  const [ours, theirs] = [independent(near, phi), independent(far, far.phi)];
  if (logLikelihoodRatio(ours, theirs, fine) >= -Math.log(beta)) return 'bad';
  const both = phiOfBoth(near, far);
  const better = logLikelihoodRatio(near, far, coarse) / both;
  if (better <= Math.log(ALPHA) + ROUNDING) return 'good';
  return last && 2 * evidenceAgainst(near, far, coarse) >= ENOUGH_AT_END * both ? 'good' : 'open';
}

const independent = ({ n, bad }: Counts, phi: number): Counts => ({ n: n / phi, bad: bad / phi });

/**
 * Whether so much is known of the near side that a far side without one beside it can be judged by it. What the test
 * can come to is bounded by how well the near rate is known, however long it goes on. The rate is that of both sides: a
 * near side that happened to have few bad ones would seem to be known too soon.
 */
export function isKnown(near: Side, far: Counts, margin: number, requests: number): boolean {
  const rate = (near.bad + far.bad) / (near.n + far.n);
  return near.n >= requests && near.n * margin * margin >= 32 * near.phi * rate * (1 - rate);
}
