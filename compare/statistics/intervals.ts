// What pairs of trials say: the median of their ratios with a distribution-free interval (order statistics), the
// sign test that belongs to it, and Holm's correction for several figures at once.
// Why not a bootstrap: of a median of 4 to 12 pairs it finds false differences in 6.5 to 12.7 % of cases.
// The interval leaves out 1 exactly when the test rejects at the same level. It knows nothing of trials.

export interface Bounds {
  readonly median: number;
  /** Undefined: so few values cannot bound their median at this level. */
  readonly low: number | undefined;
  readonly high: number | undefined;
  /** What was asked for, and what the interval covers in truth: order statistics come in steps. */
  readonly level: number;
  readonly coverage: number;
}

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('there is no median of nothing');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** P(X <= k) of n fair coins. */
export function coins(k: number, n: number): number {
  let term = 0.5 ** n;
  let sum = 0;
  for (let i = 0; i <= k; i++) {
    sum += term;
    term *= (n - i) / (i + 1);
  }
  return Math.min(1, sum);
}

/** The interval of the median between the r-th smallest and the r-th largest value, r as large as the level allows. */
export function medianInterval(values: readonly number[], level: number): Bounds {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  const covers = (r: number) => 1 - 2 * coins(r - 1, n);
  let r = 0;
  while (r + 1 <= Math.ceil(n / 2) && covers(r + 1) >= level) r += 1;
  return {
    median: median(values),
    low: r === 0 ? undefined : sorted[r - 1]!,
    high: r === 0 ? undefined : sorted[n - r]!,
    level,
    coverage: r === 0 ? 1 : covers(r),
  };
}

/** Two-sided: how likely so one-sided a result is where the median is `around`. Ties count against a difference. */
export function signTest(values: readonly number[], around: number): number {
  const above = values.filter((value) => value > around).length;
  const below = values.filter((value) => value < around).length;
  return Math.min(1, 2 * coins(values.length - Math.max(above, below), values.length));
}

/** The fewest pairs that can show a difference at this level: all on one side. */
export function pairsNeeded(alpha: number): number {
  let n = 1;
  while (2 * 0.5 ** n > alpha) n += 1;
  return n;
}

export interface Corrected {
  /** Comparable with the overall alpha. */
  readonly p: number;
  /** The level that this figure's interval needs, so that it and the corrected test agree. */
  readonly level: number;
}

/** Holm's step-down procedure: in the order given. From the first that is not rejected on, none is. */
export function holm(ps: readonly number[], alpha = 0.05): Corrected[] {
  const order = ps.map((_, index) => index).sort((a, b) => ps[a]! - ps[b]!);
  const found: Corrected[] = new Array(ps.length);
  let highest = 0;
  let stoppedAt: number | undefined;
  for (const [rank, index] of order.entries()) {
    const share = alpha / (ps.length - rank);
    highest = Math.max(highest, Math.min(1, ps[index]! * (ps.length - rank)));
    if (stoppedAt === undefined && highest > alpha) stoppedAt = share;
    found[index] = { p: highest, level: 1 - (stoppedAt ?? share) };
  }
  return found;
}
