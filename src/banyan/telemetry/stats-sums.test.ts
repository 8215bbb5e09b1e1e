// Sums over hosts, and differences between looks: nothing twice, and nothing that was there before.
import { expect, it } from 'vitest';
import { Stats } from './stats.ts';
import { type Collected, type HostStats, sumBetween, sumOf } from './stats-sums.ts';

const begun = Date.parse('2026-11-28T12:00:00Z');

/** A host that began at a second of the test and counts. */
function hostAt(host: string, beganAt: number) {
  const stats = new Stats();
  const as = (second: number): HostStats => ({
    host,
    id: 'monolith',
    since: new Date(begun + beganAt * 1000).toISOString(),
    now: new Date(begun + second * 1000).toISOString(),
    modules: stats.read(),
  });
  return { counter: stats.of('depots', 'service', 'nearest'), as };
}

const look = (second: number, ...hosts: HostStats[]): Collected => ({
  at: begun + second * 1000,
  hosts,
  silent: [],
});

it('hosts are added up, by module, side and operation', () => {
  const [one, two] = [hostAt('a', 0), hostAt('b', 0)];
  one.counter.note(3, false);
  two.counter.note(3, true);
  two.counter.note(700, true);
  const nearest = sumOf([one.as(1), two.as(1)]).depots!.service!.nearest!;
  expect(nearest).toMatchObject({ count: 3, watched: 3, bad: 2, slow: 1, slowMs: 500 });
  expect(nearest.buckets[3]).toBe(2);
  expect(nearest.seconds).toBeCloseTo(0.706, 9);
});

it('between two looks only what is new counts, also of a host that began meanwhile', () => {
  const [old, begins, silent] = [hostAt('a', 0), hostAt('b', 11), hostAt('c', 0)];
  old.counter.note(3, true);
  silent.counter.note(3, true);
  const before = look(10, old.as(10));
  old.counter.note(700, false);
  begins.counter.note(3, false);
  begins.counter.note(3, false);
  const after = look(20, old.as(20), begins.as(20), silent.as(20));
  const nearest = sumBetween(before, after).depots!.service!.nearest!;
  expect(nearest).toMatchObject({ count: 3, watched: 3, bad: 0, slow: 1 });
  expect(nearest.buckets.reduce((sum, count) => sum + count)).toBe(3);
  expect(sumBetween(after, after)).toEqual({});
});
