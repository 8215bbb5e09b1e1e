// Known samples in, known intervals out; and the reason for order statistics: how often samples without any
// difference are taken for one.
import { describe, expect, test } from 'vitest';
import { randomOf } from '../compare/load/random.ts';
import { Latencies } from '../compare/statistics/histogram.ts';
import {
  coins,
  holm,
  median,
  medianInterval,
  pairsNeeded,
  signTest,
} from '../compare/statistics/intervals.ts';

describe('the interval of a median', () => {
  test('binomial tail: 2 of 10 coins', () => {
    expect(coins(2, 10)).toBeCloseTo(56 / 1024, 12);
  });

  // Tables of the sign test (for example Conover, Practical Nonparametric Statistics, table A3).
  test.each([
    [5, 0],
    [6, 1],
    [8, 1],
    [9, 2],
    [12, 3],
    [15, 4],
    [20, 6],
    [25, 8],
  ])('of %i values at 95 %% lies between the %i-th smallest and largest', (n, rank) => {
    const values = Array.from({ length: n }, (_, index) => (index * 7) % n); // 0 … n-1, unordered where 7 and n are coprime
    const shuffled =
      new Set(values).size === n ? values : Array.from({ length: n }, (_, index) => n - 1 - index);
    const { low, high, coverage } = medianInterval(shuffled, 0.95);
    expect([low, high]).toEqual(rank === 0 ? [undefined, undefined] : [rank - 1, n - rank]);
    expect(coverage).toBeGreaterThanOrEqual(0.95);
  });

  test('covers what it says: 6 values 96.9 %, 8 values 99.2 %', () => {
    expect(medianInterval([1, 2, 3, 4, 5, 6], 0.95).coverage).toBeCloseTo(0.96875, 10);
    expect(medianInterval([1, 2, 3, 4, 5, 6, 7, 8], 0.95).coverage).toBeCloseTo(0.9921875, 10);
  });

  test('finds a difference where there is none in at most 5 % of 4,000 samples of 8', () => {
    const random = randomOf(7);
    let found = 0;
    for (let trial = 0; trial < 4000; trial++) {
      const ratios = Array.from({ length: 8 }, () => Math.exp((random() + random() + random() - 1.5) * 0.2));
      const { low, high } = medianInterval(ratios, 0.95);
      if (low! > 1 || high! < 1) found += 1;
    }
    expect(found / 4000).toBeLessThan(0.05);
    expect(found).toBeGreaterThan(0);
  });

  test('leaves out 1 exactly when the sign test rejects', () => {
    const random = randomOf(11);
    for (let trial = 0; trial < 500; trial++) {
      const n = 6 + Math.floor(random() * 10);
      const values = Array.from({ length: n }, () => 0.8 + random() * 0.6);
      const { low, high } = medianInterval(values, 0.95);
      const excludes = low !== undefined && (low > 1 || high! < 1);
      expect(excludes).toBe(signTest(values, 1) <= 0.05);
    }
  });

  test('medians of odd and even numbers of values', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
    expect(() => median([])).toThrow('there is no median of nothing');
  });
});

describe('four figures at once (Holm)', () => {
  test('each is compared with a larger share, and the first failure ends it', () => {
    const found = holm([0.01, 0.04, 0.03, 0.005]);
    expect(found.map(({ p }) => Number(p.toFixed(4)))).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(found.map(({ level }) => Number(level.toFixed(4)))).toEqual([0.9833, 0.975, 0.975, 0.9875]);
  });

  test('6 pairs can show one figure, 8 are needed for four', () => {
    expect([pairsNeeded(0.05), pairsNeeded(0.05 / 4)]).toEqual([6, 8]);
    expect(signTest([2, 2, 2, 2, 2, 2], 1) * 4).toBeGreaterThan(0.05);
    expect(signTest([2, 2, 2, 2, 2, 2, 2, 2], 1) * 4).toBeLessThan(0.05);
  });

  test('ties count against a difference', () => {
    expect(signTest([1, 1, 1, 2, 2, 2], 1)).toBe(1);
  });
});

describe('histograms', () => {
  const filled = (count: number) => {
    const all = new Latencies();
    for (let i = 1; i <= count; i++) all.record(i / 10);
    return all;
  };

  test('quantiles are within 0.1 %, the maximum is exact', () => {
    const { p50Ms, p90Ms, p99Ms, maxMs } = filled(10_000).quantiles();
    for (const [found, truth] of [
      [p50Ms, 500],
      [p90Ms, 900],
      [p99Ms, 990],
    ] as const)
      expect(Math.abs(found! / truth - 1)).toBeLessThan(0.001);
    expect(maxMs).toBe(1000);
  });

  test('a quantile without 20 samples beyond it is not told', () => {
    expect(filled(1999).quantile(0.99)).toBeNull();
    expect(filled(2000).quantile(0.99)).not.toBeNull();
    expect(filled(39).quantile(0.5)).toBeNull();
    expect(new Latencies().quantiles()).toEqual({
      p50Ms: null,
      p90Ms: null,
      p99Ms: null,
      p999Ms: null,
      maxMs: null,
    });
  });

  test('two merged are one of all samples; the way to another process and back changes nothing', () => {
    const one = filled(3000);
    const two = new Latencies();
    for (let i = 3001; i <= 6000; i++) two.record(i / 10);
    one.add(Latencies.decode(two.encode()));
    expect(one.curve()).toEqual(filled(6000).curve());
  });
});
