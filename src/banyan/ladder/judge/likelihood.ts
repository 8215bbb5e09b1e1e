// How much more likely the counts of both sides are if the far side is worse by at least a margin than if it is no worse
// than the near side: the statistic of Wald's sequential test. What the true rates are nobody knows, so each hypothesis
// gets those that suit it best (Miettinen and Nurminen, 1985). Zero of many is a number like any other: a near side that
// never fails makes a single failure of the far side count the more.
// It knows no rung and no bound.
import type { Counts } from './evidence.ts';

/** Natural logarithm: above 0 the counts speak for "worse by `margin`", below for "no worse". Both sides have some. */
export function logLikelihoodRatio(near: Counts, far: Counts, margin: number): number {
  const difference = far.bad / far.n - near.bad / near.n;
  const pooled = (near.bad + far.bad) / (near.n + far.n);
  const noWorse =
    difference <= 0 ? asSeen(near, far) : logLikelihood(near, pooled) + logLikelihood(far, pooled);
  return (difference >= margin ? asSeen(near, far) : ifWorse(near, far, margin)) - noWorse;
}

/** How much less likely the counts are if the far side is worse by `margin` than if it is as it seems to be; never below 0. */
export function evidenceAgainst(near: Counts, far: Counts, margin: number): number {
  if (far.bad / far.n - near.bad / near.n >= margin) return 0;
  return asSeen(near, far) - ifWorse(near, far, margin);
}

const asSeen = (near: Counts, far: Counts): number =>
  logLikelihood(near, near.bad / near.n) + logLikelihood(far, far.bad / far.n);

function ifWorse(near: Counts, far: Counts, margin: number): number {
  const rate = nearRateIfWorse(near, far, margin);
  return logLikelihood(near, rate) + logLikelihood(far, rate + margin);
}

function logLikelihood({ n, bad }: Counts, rate: number): number {
  return (bad === 0 ? 0 : bad * Math.log(rate)) + (n === bad ? 0 : (n - bad) * Math.log1p(-rate));
}

/** The near rate that makes both counts most likely if the far rate is higher by `margin`. */
function nearRateIfWorse(near: Counts, far: Counts, margin: number): number {
  const slope = (rate: number) => slopeOf(near, rate) + slopeOf(far, rate + margin);
  let low = 0;
  let high = 1 - margin;
  // The likelihood is concave: its slope falls from one end to the other, and is never beyond them.
  if (slope(low) <= 0) return low;
  for (let i = 0; i < 40; i += 1) {
    const middle = (low + high) / 2;
    if (slope(middle) > 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function slopeOf({ n, bad }: Counts, rate: number): number {
  const good = n - bad;
  return (bad === 0 ? 0 : bad / rate) - (good === 0 ? 0 : good / (1 - rate));
}
