// Waits as everybody who tries again relies on them: doubled, bounded, and apart from one another where asked.
import { expect, test } from 'vitest';
import { waitAfter } from './backoff.ts';

const waits = { firstMs: 200, longestMs: 30_000 };

test('each wait is twice the one before, up to the longest', () => {
  const all = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((failures) => waitAfter(failures, waits));
  expect(all).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000]);
});

test('an outage of weeks is still the longest wait', () => {
  expect(waitAfter(1_000_000, waits)).toBe(30_000);
});

test('by chance, between the shares that were asked for', () => {
  const all = Array.from({ length: 200 }, () => waitAfter(2, { ...waits, between: [0.75, 1.25] }));
  expect(Math.min(...all)).toBeGreaterThanOrEqual(300);
  expect(Math.max(...all)).toBeLessThanOrEqual(500);
  expect(new Set(all).size).toBeGreaterThan(1);
});
