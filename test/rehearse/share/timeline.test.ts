// What the rehearsal holds requests against: which shares they may have met, and how chance may fall.
import { expect, test } from 'vitest';
import { bounds, sideOfKey } from './expected.ts';
import { Timeline } from './timeline.ts';

test('a request between two changes met one share, one beside a change both', () => {
  const line = new Timeline(0, 0);
  line.change(10, 10).acknowledged(20);
  const late = line.change(50, 30);
  line.change(90, 50).acknowledged(60);
  expect([...line.during(1, 9)]).toEqual([0]);
  expect([...line.during(1, 10)]).toEqual([0, 10]);
  expect([...line.during(19, 40)]).toEqual([0, 10, 50]);
  expect([...line.during(21, 29)]).toEqual([10]);
  // Nobody has confirmed 50 for all hosts: 10 may hold on until 90 does.
  expect([...line.during(45, 49)]).toEqual([10, 50]);
  expect([...line.during(61, 70)]).toEqual([90]);
  late.acknowledged(70);
  expect([...line.during(61, 70)]).toEqual([90]);
  line.forget(55);
  expect([...line.during(0, 70)]).toEqual([10, 50, 90]);
  expect(line.percent).toBe(90);
});

test('a key is where murmur3 of module and key says, none at 0 percent and all at 100', () => {
  // murmur3 of "hello" would be 0x248bfa47: here of "cataloguser-1".
  const inside = (percent: number) =>
    Array.from({ length: 400 }, (_, n) => `user-${n}`).filter(
      (key) => sideOfKey('catalog', percent, key) === 'service',
    ).length;
  expect([inside(0), inside(100)]).toEqual([0, 400]);
  const [least, most] = bounds(400, 0.25);
  expect(inside(25)).toBeGreaterThanOrEqual(least);
  expect(inside(25)).toBeLessThanOrEqual(most);
  expect([least, most]).toEqual([56, 144]);
  expect(bounds(400, 0)).toEqual([0, 0]);
  expect(bounds(400, 1)).toEqual([400, 400]);
});
