// The p99 of all requests, from rounds of 600: how often it is found to differ where it does not, whether its interval
// holds the truth where it does, and that rounds are long enough to have one. Judged by what judges a comparison.
import { expect, test } from 'vitest';
import { figuresOf } from '../compare/figures.ts';
import type { Figure } from '../compare/format/report.ts';
import { randomOf } from '../compare/load/random.ts';
import { paces, trialMsAt } from '../compare/options.ts';
import { Latencies, TAIL_SAMPLES_IN_A_TRIAL } from '../compare/statistics/histogram.ts';
import type { Measured } from '../compare/trials.ts';

const TRIALS = 400;
const random = randomOf(140);
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** A tail as rounds have it: a log-normal body, and in 3 of 100 requests a wait; p99 is 6 times the median. */
function played(requests: number, scale: number): Measured {
  const all = new Latencies();
  for (let i = 0; i < requests; i++)
    all.record(scale * (Math.exp(0.6 * normal()) + (random() < 0.03 ? -4 * Math.log(1 - random()) : 0)));
  const trial = { requests, cpuSecondsPer1000: 1, memoryBytes: 1 } as Measured['trial'];
  return { trial, latencies: new Map([['all', all]]), processes: [], events: [] } as unknown as Measured;
}

/** Eight pairs; the machine of a pair is faster or slower by a tenth, each round of it by another 5 %. */
function p99Of(requests: number, truth: number): Figure {
  const pairs = Array.from({ length: 8 }, () => {
    const machine = Math.exp(0.1 * normal());
    const trial = (times: number) => played(requests, machine * times * Math.exp(0.05 * normal()));
    return { a: trial(2), b: trial(2 * truth) };
  });
  return figuresOf(pairs, [], 0).find(({ id }) => id === 'p99')!;
}

test(`A against A: a p99 that differs is found in at most 5 of 100, of ${TRIALS}`, () => {
  const figures = Array.from({ length: TRIALS }, () => p99Of(600, 1));
  expect(figures.every(({ ratio }) => ratio!.low! < ratio!.high!)).toBe(true);
  const wrong = figures.filter(({ verdict }) => verdict !== 'no difference found');
  expect(wrong.length / TRIALS).toBeLessThan(0.05);
});

test('a p99 twice as high is found in most comparisons, and the interval holds 2 in 95 of 100', () => {
  const figures = Array.from({ length: TRIALS / 4 }, () => p99Of(600, 2));
  const found = figures.filter(({ verdict }) => verdict === 'b-higher');
  const holding = figures.filter(({ ratio }) => ratio!.low! <= 2 && ratio!.high! >= 2);
  expect(found.length / figures.length).toBeGreaterThan(0.9);
  expect(holding.length / figures.length).toBeGreaterThanOrEqual(0.95);
});

test('where a round has too few requests the figure says how many it takes', () => {
  const { verdict, ratio, why } = p99Of(240, 1);
  expect([verdict, ratio]).toEqual(['n/a', null]);
  expect(why).toBe('too few samples: a p99 takes 500 in every round, and one has 240');
});

test('a round of a default and of a full run has a p99 at any rate that a comparison chooses', () => {
  const needed = TAIL_SAMPLES_IN_A_TRIAL / 0.01;
  for (const mode of ['default', 'full'] as const)
    for (const perSecond of [20, 41, 81, 120, 5000]) {
      const expected = (trialMsAt(perSecond, paces[mode]) / 1000) * perSecond;
      // Arrivals are random: four standard deviations to spare.
      expect(expected - 4 * Math.sqrt(expected), `${mode} at ${perSecond}/s`).toBeGreaterThanOrEqual(needed);
    }
  expect(trialMsAt(5000, paces.default)).toBe(paces.default.trialMs);
  expect(trialMsAt(10, paces.default), 'a minute a round would be out of reason').toBe(paces.default.trialMs);
});
