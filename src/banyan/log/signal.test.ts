// What is woken by signals: a signal is never lost between two waits, and without any the looks become rarer.
import { expect, test } from 'vitest';
import { pollInterval, Signal } from './signal.ts';

const LONG_MS = 3_600_000;

test('raised while nobody waits, however often, it ends the next wait and no other', async () => {
  const signal = new Signal();
  signal.raise();
  signal.raise();
  expect(await signal.wait(LONG_MS)).toBe(true);
  expect(await signal.wait(1)).toBe(false);
});

test('raised during a wait it ends that one', async () => {
  const signal = new Signal();
  const wait = signal.wait(LONG_MS);
  signal.raise();
  expect(await wait).toBe(true);
  expect(signal.raised).toBe(false);
});

test('lowered, it was never raised', async () => {
  const signal = new Signal();
  signal.raise();
  signal.lower();
  expect(await signal.wait(1)).toBe(false);
});

test('looks that find nothing become rarer, down to a fifth', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 1_000].map((empty) => pollInterval(1_000, empty))).toEqual([
    1_000, 1_000, 2_000, 3_000, 4_000, 5_000, 5_000, 5_000,
  ]);
});
