// Wald's sequential test of one metric: is the far side as the near side, or worse by a margin? It may be looked at after
// every second, as long as it takes: a far side that is worse by the margin is found good in at most ALPHA of all
// rungs, one that is as the near side is found bad in at most BETA. What comes in bursts counts for as much less.
// It knows nothing of how long a rung has to take.
import { phiOfBoth, type Side } from './bursts.ts';
import type { Counts, TestedMetric, Verdict } from './evidence.ts';
import { logLikelihoodRatio } from './likelihood.ts';

export const ALPHA = 0.05;
export const BETA = 0.0002;

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

/** `coarse`: what is good only has to hold at this margin; worse by the metric's own margin is bad nevertheless. */
export function tested(near: Side, far: Side, fine: number, coarse = fine, beta = BETA): Verdict {
  if (near.n === 0 || far.n === 0) return 'open';
  const phi = phiOfBoth(near, far);
  const most = -Math.log(beta);
  const ratio = logLikelihoodRatio(near, far, coarse) / phi;
  if (ratio >= most) return 'bad';
  if (coarse > fine && logLikelihoodRatio(near, far, fine) / phi >= most) return 'bad';
  return ratio <= Math.log(ALPHA) + ROUNDING ? 'good' : 'open';
}

/**
 * Whether so much is known of the near side that a far side without one beside it can be judged by it. What the test
 * can come to is bounded by how well the near rate is known, however long it goes on. The rate is that of both sides: a
 * near side that happened to have few bad ones would seem to be known too soon.
 */
export function isKnown(near: Side, far: Counts, margin: number, requests: number): boolean {
  const rate = (near.bad + far.bad) / (near.n + far.n);
  return near.n >= requests && near.n * margin * margin >= 32 * near.phi * rate * (1 - rate);
}
