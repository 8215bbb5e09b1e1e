// From where on a request is slow: so near to what is usual that 20 ms more are found, whatever is usual below that.
import { expect, test } from 'vitest';
import { partsOf } from '../../telemetry/edges.ts';
import { Stats } from '../../telemetry/stats.ts';
import { earlierThresholds, slowerThan, thresholdOf } from './thresholds.ts';

const countedOf = (durations: readonly number[]) => {
  const counter = new Stats().of('parcels', 'in-process', 'send');
  for (const ms of durations) counter.note(ms, false);
  return counter;
};

test.each([
  [4, 0.0125],
  [0.3, 0.00625],
  [18, 0.035],
  [9_000, 15],
])('where most take %d ms, slow begins at %d s', (ms, edge) => {
  const counter = countedOf(Array<number>(200).fill(ms));
  expect(thresholdOf([counter])).toBe(edge);
  expect(thresholdOf([{ watched: 99, parts: counter.parts }])).toBeUndefined();
});

test('a host that counts in buckets alone is taken at its best', () => {
  const { watched, buckets } = countedOf(Array<number>(200).fill(4));
  expect(thresholdOf([{ watched, parts: partsOf({ buckets }) }])).toBe(0.01);
  expect(earlierThresholds({ send: 4 })).toEqual({ send: 0.01 });
});

/** A request takes `usual` and sometimes more, as an exponential distribution has it. */
const spread = (usual: number) =>
  Array.from({ length: 1_000 }, (_, n) => usual * -Math.log((n + 0.5) / 1_000));
const even = (usual: number) => Array.from({ length: 1_000 }, (_, n) => usual * (0.9 + n / 5_000));

test.each([0.2, 1, 2, 3, 4, 5, 6, 6.6])('20 ms more are found where requests take about %d ms', (usual) => {
  for (const near of [spread(usual), even(2.7 * usual)]) {
    const threshold = thresholdOf([countedOf(near)]);
    const slow = (durations: readonly number[]) => {
      const { watched, parts } = countedOf(durations);
      return slowerThan(threshold, parts, watched) / watched;
    };
    // The judge's margin is 0.02.
    expect(slow(near)).toBeLessThan(0.05);
    expect(slow(near.map((ms) => ms + 20))).toBeGreaterThan(slow(near) + 0.04);
    expect(slow(near.map((ms) => ms * 1.1 + 0.5))).toBeLessThan(slow(near) + 0.02);
  }
});
