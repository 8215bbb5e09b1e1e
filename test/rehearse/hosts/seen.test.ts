// What the rehearsal of hosts makes of requests: pure figures.
import { expect, test } from 'vitest';
import { figuresOf, isCalm, type Seen } from './seen.ts';

const span = { from: 0, struck: 10_000, mended: 20_000, until: 30_000 };
const ask = (began: number, ms: number, failure?: string): Seen => ({
  what: 'GET /',
  began,
  ended: began + ms,
  failure,
});

test('a fault that nobody noticed leaves zeroes, and the pace of the customers', () => {
  const seen = Array.from({ length: 31 }, (_, n) => ask(n * 1_000 - 20, 20));
  expect(figuresOf(seen, span)).toEqual({
    ...{ requests: 31, failed: 0, longestMs: 20, gapMs: 1_000, feltS: 0, recoveryS: 0, said: [], worst: [] },
  });
});

test('what failed or was slow is told before and after the mend, with what was said', () => {
  const seen = [
    ask(9_000, 10),
    ask(10_500, 1_000, '503'),
    ask(11_000, 2_500),
    ask(12_000, 10, '504'),
    ask(12_500, 10, '503'),
    ask(19_000, 4_000, '503'),
    ask(26_000, 10),
  ];
  expect(figuresOf(seen, span)).toEqual({
    requests: 7,
    failed: 4,
    longestMs: 4_000,
    gapMs: 26_010 - 13_500,
    feltS: 3.5,
    recoveryS: 3,
    said: [
      { what: 'GET /: 503', times: 3 },
      { what: 'GET /: 504', times: 1 },
    ],
    worst: [
      [9, 4, '503'],
      [1, 2.5, undefined],
      [0.5, 1, '503'],
      [2, 0.01, '504'],
      [2.5, 0.01, '503'],
    ].map(([afterS, tookS, failure]) => ({ what: 'GET /', afterS, tookS, failure })),
  });
});

test('nobody who was answered is no calm', () => {
  expect(isCalm([], 0)).toBe(false);
  expect(isCalm([ask(0, 10)], 5)).toBe(true);
  expect(isCalm([ask(0, 10), ask(1, 10, '503')], 5)).toBe(false);
  expect(isCalm([ask(0, 2_001)], 5)).toBe(false);
  expect(isCalm([ask(0, 10, '503'), ask(20, 10)], 15)).toBe(true);
});
