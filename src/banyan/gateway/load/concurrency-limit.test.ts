// The limit as a calculation: time is what the test says it is.
import { describe, expect, test } from 'vitest';
import { ConcurrencyLimit, MAX_LIMIT, MIN_LIMIT } from './concurrency-limit.ts';

/** A module that does `perSecond` in all, however many it is asked: an open loop against the limit. */
class Module {
  readonly limit = new ConcurrencyLimit(0);
  readonly latencies: number[] = [];
  shed = 0;
  #queue: number[] = [];
  now = 0;
  #owed = 0;
  #due = 0;

  run(ms: number, asked: number, perSecond: number): void {
    for (const end = this.now + ms; this.now < end; this.now += 1) {
      for (this.#due += asked / 1000; this.#due >= 1; this.#due -= 1) {
        if (this.limit.full) this.shed += 1;
        else {
          this.limit.begin();
          this.#queue.push(this.now);
        }
      }
      for (this.#owed += perSecond / 1000; this.#owed >= 1; this.#owed -= 1) {
        const begun = this.#queue.shift();
        if (begun === undefined) continue;
        this.limit.end(this.now - begun, this.now);
        this.latencies.push(this.now - begun);
      }
      if (this.#queue.length === 0) this.#owed = 0;
    }
  }
}

describe('the limit of requests in flight', () => {
  test('below capacity nothing is refused, and the limit stays where it is', () => {
    const one = new Module();
    one.run(20_000, 190, 200);
    expect(one.shed).toBe(0);
    expect(one.limit.limit).toBe(MAX_LIMIT);
  });

  test('at three times the capacity what is begun is done in well under a second, and all of the capacity is used', () => {
    const one = new Module();
    one.run(20_000, 600, 200);
    expect(one.latencies.length).toBeGreaterThan(0.98 * 20 * 200);
    const later = one.latencies.slice(-2000).sort((a, b) => a - b);
    expect(later[Math.floor(later.length * 0.99)]).toBeLessThan(700);
    expect(Math.max(...one.latencies)).toBeLessThan(3000);
    expect(one.shed).toBeGreaterThan(0.9 * 20 * 400);
  });

  test('after the flood it grows back within seconds', () => {
    const one = new Module();
    one.run(5_000, 600, 200);
    expect(one.limit.limit).toBeLessThan(200);
    one.run(20_000, 100, 200);
    expect(one.limit.limit).toBe(MAX_LIMIT);
  });

  test('a standstill of a second refuses nothing and shrinks nothing', () => {
    const one = new Module();
    one.run(2_000, 900, 1500);
    one.run(1_000, 900, 0);
    one.run(4_000, 900, 1500);
    expect(one.shed).toBe(0);
    expect(one.limit.limit).toBe(MAX_LIMIT);
  });

  test('64 connections are never refused, however slow the module is', () => {
    const limit = new ConcurrencyLimit(0);
    for (let n = 0; n < 64; n += 1) limit.begin();
    for (let now = 0; now < 60_000; now += 100) {
      limit.end(6400, now);
      expect(limit.full).toBe(false);
      limit.begin();
    }
    expect(limit.limit).toBeGreaterThanOrEqual(MIN_LIMIT);
  });

  test('operations that are slow by nature are no sign of a queue', () => {
    const limit = new ConcurrencyLimit(0);
    for (let now = 0; now < 60_000; now += 100) {
      limit.begin();
      limit.end(600, now);
    }
    const before = limit.limit;
    for (let n = 0; n < 200; n += 1) limit.begin();
    for (let now = 60_000; now < 70_000; now += 10) {
      limit.end(1500, now);
      limit.begin();
    }
    expect(limit.limit).toBe(before);
  });
});
