import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { onHint } from './hint.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('the first hint is followed at once, and thousands in a span of time are one look at its end', () => {
  const look = vi.fn();
  const hint = onHint(20, look);
  hint();
  expect(look).toHaveBeenCalledTimes(1);
  for (let n = 0; n < 10_000; n += 1) hint();
  expect(look).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(20);
  expect(look).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(1_000);
  expect(look).toHaveBeenCalledTimes(2);
  hint();
  expect(look).toHaveBeenCalledTimes(3);
});

test('one that comes while it looks is followed by another look', () => {
  const seen: number[] = [];
  let n = 0;
  const hint = onHint(20, () => seen.push(n));
  hint();
  n = 1;
  hint();
  vi.advanceTimersByTime(20);
  expect(seen).toEqual([0, 1]);
});
