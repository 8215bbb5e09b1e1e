// What a second of both sides comes to, from what hosts counted since they began.
import { expect, test } from 'vitest';
import { EDGES } from '../../telemetry/edges.ts';
import { type CountedModules, Stats } from '../../telemetry/stats.ts';
import { Arms, type HostReading } from './arms.ts';

const LONG_AGO = '2026-01-01T00:00:00.000Z';

const reading = (host: string, modules: CountedModules, since = LONG_AGO): HostReading => ({
  host,
  since,
  modules,
});

test('a second is the difference of two readings, over all hosts; what was counted before is nobody’s', () => {
  const [one, two] = [new Stats(), new Stats()];
  const note = (stats: Stats, side: 'in-process' | 'service', bad = false) =>
    stats.of('parcels', side, 'send').note(3, bad);
  note(one, 'service', true);
  const arms = new Arms('parcels');
  const second = () => arms.second([reading('one', one.read()), reading('two', two.read())]);
  expect(second()).toEqual({ near: { n: 0, bad: 0, slow: 0 }, far: { n: 0, bad: 0, slow: 0 } });
  note(one, 'service', true);
  note(two, 'service');
  note(two, 'in-process');
  one.of('depots', 'service', 'nearest').note(3, true);
  expect(second()).toEqual({ near: { n: 1, bad: 0, slow: 0 }, far: { n: 2, bad: 1, slow: 0 } });
  expect(second()).toEqual({ near: { n: 0, bad: 0, slow: 0 }, far: { n: 0, bad: 0, slow: 0 } });
});

test('a host that did not answer comes with its next second, and one that began anew with all it has', () => {
  const stats = new Stats();
  const counter = stats.of('parcels', 'service', 'send');
  const arms = new Arms('parcels');
  arms.second([reading('one', stats.read())]);
  counter.note(3, false);
  expect(arms.second([]).far.n).toBe(0);
  counter.note(3, false);
  expect(arms.second([reading('one', stats.read())]).far.n).toBe(2);
  const again = new Stats();
  again.of('parcels', 'service', 'send').note(3, true);
  const began = new Date(Date.now() + 1_000).toISOString();
  expect(arms.second([reading('two', again.read(), began)]).far).toMatchObject({ n: 1, bad: 1 });
});

test('of near calls that were watched in part, what was seen is taken for all', () => {
  const arms = new Arms('parcels');
  const buckets = EDGES.map(() => 0);
  const counted = (count: number, watched: number, bad: number): CountedModules => ({
    parcels: {
      'in-process': { send: { count, watched, bad, slow: 0, slowMs: 500, seconds: 0, buckets } },
    },
  });
  arms.second([reading('one', counted(160, 10, 0))]);
  expect(arms.second([reading('one', counted(320, 20, 1))]).near).toMatchObject({ n: 160, bad: 16 });
});

test('slow is what takes longer than the near side usually did, and the same for both sides', () => {
  const stats = new Stats();
  const near = stats.of('parcels', 'in-process', 'send');
  const far = stats.of('parcels', 'service', 'send');
  const arms = new Arms('parcels');
  const second = () => arms.second([reading('one', stats.read())]);
  // How it was before the ladder began is nobody's measure.
  for (let n = 0; n < 900; n += 1) near.note(400, false);
  second();
  expect(arms.thresholds).toEqual({});
  for (let n = 0; n < 100; n += 1) near.note(4, false);
  second();
  expect(arms.thresholds.send).toBe(0.0125);
  // The first ones of a process that has just begun are not taken for its pace.
  for (let n = 0; n < 20; n += 1) far.note(30, false);
  second();
  for (let n = 0; n < 10; n += 1) near.note(30, false);
  for (let n = 0; n < 10; n += 1) far.note(30, false);
  for (let n = 0; n < 5; n += 1) far.note(4, false);
  expect(second()).toEqual({ near: { n: 10, bad: 0, slow: 10 }, far: { n: 15, bad: 0, slow: 10 } });
  expect(arms.thresholds.send).toBe(0.0125);
  expect(arms.mostly).toEqual({ errors: undefined, slow: 'send (over 12.5 ms)' });
  arms.beginAgain();
  expect(arms.mostly).toEqual({ errors: undefined, slow: undefined });
});

test('what most of the bad ones were of has a name', () => {
  const stats = new Stats();
  const arms = new Arms('parcels');
  arms.second([reading('one', stats.read())]);
  stats.of('parcels', 'service', 'send').note(3, true);
  for (let n = 0; n < 2; n += 1) stats.of('parcels', 'service', 'list').note(3, true);
  for (let n = 0; n < 9; n += 1) stats.of('parcels', 'in-process', 'show').note(3, true);
  arms.second([reading('one', stats.read())]);
  expect(arms.mostly).toEqual({ errors: 'list', slow: undefined });
});

test('a rare operation has a threshold of all that was seen of it', () => {
  const stats = new Stats();
  const near = stats.of('parcels', 'in-process', 'send');
  for (let n = 0; n < 100; n += 1) near.note(4, false);
  const arms = new Arms('parcels');
  const at = (second: number) => arms.second([reading('one', stats.read())], 1_000 * second);
  at(0);
  at(60);
  expect(arms.thresholds).toEqual({});
  at(61);
  expect(arms.thresholds).toEqual({ send: 0.0125 });
});
