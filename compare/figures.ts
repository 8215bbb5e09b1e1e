// From trials to figures: per pair the ratio b / a, over the pairs the median and its interval; four figures are
// primary and corrected for being four (Holm), the others are exploratory and say so.
import { type Definition, definitions, type Pair, type Read } from './definitions.ts';
import type { Figure, Interval, Side } from './format/report.ts';
import { type Bounds, holm, median, medianInterval, pairsNeeded, signTest } from './statistics/intervals.ts';
import type { Measured } from './trials.ts';

export const ALPHA = 0.05;

/** Pairs of which both trials count. */
export function pairsOf(trials: readonly Measured[]): Pair[] {
  const of = (pair: number, side: Side) =>
    trials.find(({ trial }) => trial.pair === pair && trial.side === side && trial.counted);
  return [...new Set(trials.map(({ trial }) => trial.pair))].flatMap((pair) => {
    const [a, b] = [of(pair, 'a'), of(pair, 'b')];
    return a && b ? [{ a, b }] : [];
  });
}

/** @param allowance what two starts of one topology may differ by: the interval is that much wider on either side. */
export function figuresOf(pairs: readonly Pair[], kinds: readonly string[], allowance: number): Figure[] {
  const raw = definitions(kinds).map((one) => ({ one, values: valuesOf(pairs, one.read) }));
  const primary = raw.filter(({ one, values }) => one.primary && values !== undefined);
  const corrected = holm(
    primary.map(({ values }) => signTest(widened(values!.ratios, allowance), 1)),
    ALPHA,
  );
  return raw.map(({ one, values }) => {
    const at = primary.findIndex((two) => two.one === one);
    return figure(one, values, at < 0 ? undefined : corrected[at], allowance, pairs);
  });
}

interface Values {
  readonly a: number[];
  readonly b: number[];
  readonly ratios: number[];
}

function valuesOf(pairs: readonly Pair[], read: Read): Values | undefined {
  const a: number[] = [];
  const b: number[] = [];
  for (const pair of pairs) {
    const [left, right] = [read(pair.a), read(pair.b)];
    if (left === null || left === undefined || right === null || right === undefined || left <= 0)
      return undefined;
    a.push(left);
    b.push(right);
  }
  return a.length === 0 ? undefined : { a, b, ratios: b.map((value, index) => value / a[index]!) };
}

/** Ratios within the allowance are as good as 1. */
export function widened(ratios: readonly number[], allowance: number): number[] {
  return ratios.map((ratio) =>
    ratio > 1 ? Math.max(1, ratio / (1 + allowance)) : Math.min(1, ratio * (1 + allowance)),
  );
}

function figure(
  { read: _, missing, ...about }: Definition,
  values: Values | undefined,
  corrected: { p: number; level: number } | undefined,
  allowance: number,
  played: readonly Pair[],
): Figure {
  const pairs = played.length;
  if (!values) {
    const why =
      pairs === 0
        ? 'no pair of rounds counts'
        : (missing?.(played) ?? 'too few samples in a round, or not measured here');
    return {
      ...about,
      a: null,
      b: null,
      ratio: null,
      difference: null,
      p: null,
      pHolm: null,
      verdict: 'n/a',
      why,
    };
  }
  const level = corrected?.level ?? 1 - ALPHA;
  const ratio = wider(medianInterval(values.ratios, level), allowance);
  const { low, high } = ratio;
  return {
    ...about,
    a: median(values.a),
    b: median(values.b),
    ratio: intervalOf(ratio, pairs),
    difference: intervalOf(
      medianInterval(
        values.b.map((value, index) => value - values.a[index]!),
        level,
      ),
      pairs,
    ),
    p: signTest(widened(values.ratios, allowance), 1),
    pHolm: corrected?.p ?? null,
    verdict:
      low === undefined || high === undefined
        ? 'n/a'
        : low > 1
          ? 'b-higher'
          : high < 1
            ? 'b-lower'
            : 'no difference found',
    why:
      low === undefined
        ? `${pairs} pairs cannot bound a median at ${(level * 100).toFixed(2)} %: it takes ${pairsNeeded(1 - level)}`
        : null,
  };
}

function wider(bounds: Bounds, allowance: number): Bounds {
  const { low, high } = bounds;
  return {
    ...bounds,
    low: low === undefined ? undefined : low / (1 + allowance),
    high: high === undefined ? undefined : high * (1 + allowance),
  };
}

function intervalOf({ median: middle, low, high, level, coverage }: Bounds, pairs: number): Interval {
  return { median: middle, low: low ?? null, high: high ?? null, level, coverage, pairs };
}
