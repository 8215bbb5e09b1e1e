// From rounds to what is said of them: known rounds in, known figures, harm and lag out.
import { describe, expect, test } from 'vitest';
import { figuresOf, pairsOf } from '../compare/figures.ts';
import type { Side } from '../compare/format/report.ts';
import { impactOf, thresholdOf } from '../compare/impact.ts';
import type { LoadResult, Planned } from '../compare/load/plan.ts';
import { highestLag } from '../compare/measure/events.ts';
import { predictCapacity } from '../compare/model.ts';
import { Latencies } from '../compare/statistics/histogram.ts';
import type { Measured } from '../compare/trials.ts';

function trial(pair: number, side: Side, cpu: number, p50: number, counted = true): Measured {
  const all = new Latencies();
  for (let i = 0; i < 100; i++) all.record(p50);
  return {
    trial: {
      pair,
      side,
      counted,
      cpuSecondsPer1000: cpu,
      memoryBytes: 1e8,
      requests: 100,
    } as Measured['trial'],
    latencies: new Map([['all', all]]),
    failures: new Map(),
    processes: [],
    wire: undefined,
    events: [],
    statuses: new Int16Array(),
    examples: [],
  };
}

const trials = (pairs: number, cpu: (pair: number) => number) =>
  Array.from({ length: pairs }, (_, pair) => [trial(pair, 'a', 1, 5), trial(pair, 'b', cpu(pair), 5)]).flat();

const figure = (pairs: number, cpu: (pair: number) => number, allowance = 0) =>
  Object.fromEntries(figuresOf(pairsOf(trials(pairs, cpu)), [], allowance).map((one) => [one.id, one]));

describe('figures', () => {
  test('a difference that all of 8 pairs agree on is told, with its interval', () => {
    const { cpu, p50, p99 } = figure(8, (pair) => 1.5 + pair / 100);
    expect(cpu).toMatchObject({ verdict: 'b-higher', a: 1, primary: true });
    expect(cpu!.ratio).toMatchObject({ low: 1.5, high: 1.57, pairs: 8 });
    expect(cpu!.ratio!.median).toBeCloseTo(1.535, 6);
    expect(cpu!.difference!.median).toBeCloseTo(0.535, 6);
    expect(p50).toMatchObject({ verdict: 'no difference found', p: 1 });
    // 100 samples have one beyond their p99.
    expect(p99).toMatchObject({ verdict: 'n/a', ratio: null, a: null });
  });

  test('one pair that disagrees is enough to tell nothing', () => {
    expect(figure(8, (pair) => (pair === 3 ? 0.99 : 1.5)).cpu!.verdict).toBe('no difference found');
  });

  test('6 pairs cannot tell four figures apart, and say so', () => {
    const { cpu } = figure(6, () => 2);
    expect(cpu).toMatchObject({ verdict: 'n/a', pHolm: expect.any(Number) });
    expect(cpu!.pHolm).toBeGreaterThan(0.05);
    expect(cpu!.why).toMatch(/6 pairs cannot bound a median/);
  });

  test('where processes are not started anew, what two starts differ by is no difference', () => {
    expect(figure(8, () => 1.04, 0.05).cpu!.verdict).toBe('no difference found');
    expect(figure(8, () => 1.04).cpu!.verdict).toBe('b-higher');
    expect(figure(8, () => 1.2, 0.05).cpu).toMatchObject({ verdict: 'b-higher' });
  });

  test('a pair with a round that does not count is left out', () => {
    const some = [...trials(8, () => 2), trial(8, 'a', 1, 5), trial(8, 'b', 9, 5, false)];
    expect(pairsOf(some)).toHaveLength(8);
  });
});

describe('impact', () => {
  const requests: Planned[] = Array.from({ length: 100 }, (_, index) => ({
    atMs: index * 50,
    kind: index % 10 === 0 ? 'order' : 'product',
    method: 'GET',
    path: '/',
    expect: 200,
  }));
  const result = (affected: (one: Planned) => 'failed' | 'slow' | undefined): LoadResult => ({
    startedAt: 0,
    status: new Int16Array(100),
    latencyMs: Float64Array.from(requests, (one) => (affected(one) === 'slow' ? 400 : 5)),
    lateMs: new Float32Array(100),
    decidedMs: new Float64Array(100),
    failed: Uint8Array.from(requests, (one) => (affected(one) === 'failed' ? 1 : 0)),
    cpuMs: 0,
    wallMs: 0,
    examples: [],
  });
  const options = { strikeMs: 1000, holdMs: 0, endMs: 5000, thresholds: new Map([['product', 50]]) };

  test('only what fails between the fault and the recovery is counted', () => {
    const impact = impactOf(
      requests,
      result(({ atMs, kind }) => (kind === 'order' && atMs >= 1000 && atMs <= 2000 ? 'failed' : undefined)),
      options,
    );
    expect(impact).toMatchObject({ recoverySeconds: 1, windowSeconds: 1, requests: 21 });
    expect(impact.failedShare).toBeCloseTo(3 / 21, 6);
    expect(impact.cells.find(({ kind }) => kind === 'order')).toMatchObject({
      failed: 3,
      failedShare: 1,
      harmedSeconds: 1,
    });
    expect(impact.cells.find(({ kind }) => kind === 'product')).toMatchObject({ failed: 0, slowed: 0 });
  });

  test('what goes on until the end of the watch has not recovered', () => {
    const impact = impactOf(
      requests,
      result(({ atMs }) => (atMs >= 1000 ? 'slow' : undefined)),
      options,
    );
    expect(impact).toMatchObject({ recoverySeconds: null, windowSeconds: 4, failedShare: 0 });
    expect(impact.slowedShare).toBeGreaterThan(0.85);
  });

  test('nothing harmed is nothing harmed', () => {
    expect(
      impactOf(
        requests,
        result(() => undefined),
        options,
      ),
    ).toMatchObject({ recoverySeconds: 0, failedShare: 0, slowedShare: 0 });
  });

  test('slow is three times the p99, but a second is slow for anybody', () => {
    const usual = new Latencies();
    for (let i = 0; i < 2000; i++) usual.record(10);
    expect(thresholdOf(usual)).toBeCloseTo(30, 1);
    for (let i = 0; i < 2000; i++) usual.record(900);
    expect(thresholdOf(usual)).toBe(1000);
  });
});

test('the highest lag is of one consumer, and what was taken at once was never behind', () => {
  const one = (publishedMs: number, effectMs: number, consumer = 'orders') => ({
    event: 'e',
    consumer,
    publishedMs,
    effectMs,
  });
  expect(highestLag([one(0, 10), one(5, 20), one(12, 13), one(13, 14)])).toBe(2);
  expect(highestLag([one(0, 10), one(1, 9, 'catalog')])).toBe(1);
  expect(highestLag([])).toBe(0);
});

test('the model: cores are shared, a process has one', () => {
  const demands = [
    { process: 'monolith', role: 'host', demandMs: 1 },
    { process: 'postgres', role: 'postgres', demandMs: 1 },
  ];
  // The utilisation law, with a bound so far away that no queue matters: 2 ms of CPU a request on one core.
  expect(predictCapacity(demands, 1, 1e9)).toEqual({
    bottleneck: 'cores',
    perSecond: expect.closeTo(500, 3),
  });
  expect(predictCapacity(demands, 2, 1e9).perSecond).toBeCloseTo(1000, 3);
  expect(predictCapacity(demands, 64, 1e9)).toEqual({
    bottleneck: 'monolith',
    perSecond: expect.closeTo(1000, 3),
  });
});
