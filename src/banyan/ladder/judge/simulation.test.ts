// How often whole ladders end wrongly, by dice with a fixed seed: a far side that is worse by one part in a hundred is
// not promoted, one that is as the near side is, also where errors come in bursts and where the near side fails itself. A
// few of each here; `climbed` takes any number.
import { expect, test } from 'vitest';
import { climbed, type Truth } from '../testing/simulation.ts';

/** As much traffic as lets a rung of 1 % end in minutes. */
const sizes = { runs: 20, seed: 17, perSecond: 400 };

const good: [string, Truth][] = [
  ['never fails', { near: 0, far: 0 }],
  ['fails as the near side does', { near: 0.02, far: 0.02 }],
  ['fails in bursts as the near side does', { near: 0.002, far: 0.002, bursts: 'apart' }],
  ['fails in 2 %, in bursts of its own', { near: 0.02, far: 0.02, bursts: 'apart' }],
];
test.each(good)('a far side that %s gets to the end', (_, truth) => {
  const { promoted, demoted } = climbed(truth, sizes);
  expect(promoted).toBeGreaterThanOrEqual(0.95);
  expect(demoted).toBeLessThanOrEqual(0.05);
});

const bad: [string, Truth][] = [
  ['fails by 1 % more', { near: 0, far: 0.01 }],
  ['fails by 1 % more than a near side that fails', { near: 0.02, far: 0.03 }],
  ['fails by 1 % more, in bursts', { near: 0, far: 0.01, bursts: 'apart' }],
  ['is slow in 4 % more', { near: 0, far: 0, slowFar: 0.05 }],
];
test.each(bad)('a far side that %s does not, and comes down', (_, truth) => {
  const { promoted, demoted } = climbed(truth, sizes);
  expect(promoted).toBe(0);
  expect(demoted).toBeGreaterThanOrEqual(0.95);
});

test('at a single rung that ends as soon as it may, few are promoted that fail by 1 % more', () => {
  const { promoted } = climbed(
    { near: 0, far: 0.01 },
    { runs: 60, seed: 3, perSecond: 6, wish: { steps: ['50'] } },
  );
  expect(promoted).toBeLessThanOrEqual(0.05);
});

test('without traffic nothing is promoted and nothing comes down', () => {
  const idle = climbed({ near: 0, far: 0.5 }, { ...sizes, runs: 2, perSecond: 0 });
  expect(idle).toMatchObject({ promoted: 0, demoted: 0, paused: 1 });
});
