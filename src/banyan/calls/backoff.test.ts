// How long a process that refused is left alone: twice as long after each refusal, bounded, and all of it forgotten at
// the first success. The clock is the test's own.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Backoff } from './backoff.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

/** Give or take a quarter of so many milliseconds. */
function isLeftAloneFor(backoff: Backoff, ms: number): void {
  expect(backoff.overAt(Date.now() + ms * 0.75 - 1), `${ms} ms`).toBe(false);
  expect(backoff.overAt(Date.now() + ms * 1.25 + 1), `${ms} ms`).toBe(true);
}

test('50 ms, doubled with every refusal up to 2 s', () => {
  const backoff = new Backoff();
  expect([backoff.failing, backoff.overAt(Date.now())]).toEqual([false, true]);
  for (const ms of [50, 100, 200, 400, 800, 1_600, 2_000, 2_000]) {
    backoff.refused();
    expect(backoff.failing).toBe(true);
    isLeftAloneFor(backoff, ms);
  }
});

test('a success forgets it all', () => {
  const backoff = new Backoff();
  for (let n = 0; n < 6; n += 1) backoff.refused();
  backoff.succeeded();
  expect([backoff.failing, backoff.overAt(Date.now())]).toEqual([false, true]);
  backoff.refused();
  isLeftAloneFor(backoff, 50);
});
