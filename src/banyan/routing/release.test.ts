// A release beside another: which instances a key is for, what growing and going back does, and who answers where the right
// instances are not there.
import { describe, expect, it } from 'vitest';
import { leastBusy, SUSPECT_PENALTY } from './balance.ts';
import { bucketOf } from './bucket.ts';
import { preferenceOf, RELEASE } from './release.ts';
import { sharesTraffic } from './side.ts';
import type { Deploy, Snapshot } from './snapshot.ts';

interface Process {
  readonly id: string;
  readonly release?: string;
  readonly load?: number;
}

const old = { id: 'shelf-1', release: '1.4.0' };
const fresh = { id: 'shelf-2', release: '1.5.0' };
const third = { id: 'shelf-3', release: '1.6.0' };
const silent = { id: 'shelf-4' };

const keys = Array.from({ length: 2_000 }, (_, n) => `user-${n * 7919}`);

function snapshotOf(deploy: Deploy | undefined): Snapshot {
  const shelf = { module: 'shelf', placement: 'service', percent: 100, instances: [], deploy };
  return { version: 1, monoliths: [], modules: { shelf } } as unknown as Snapshot;
}

const deploy = (percent: number, before = ['1.4.0']): Deploy => ({ release: '1.5.0', percent, before });

/** Who is asked for the key among these. */
function asked(wish: Deploy | undefined, all: readonly Process[], key?: string, turn = 0) {
  const prefers = preferenceOf(snapshotOf(wish), 'shelf', 'service', key === undefined ? undefined : { key });
  return leastBusy(all, turn, ({ release, load = 0 }) => load + (prefers?.(release) ?? 0))?.id;
}

const inside = (percent: number) =>
  new Set(keys.filter((key) => asked(deploy(percent), [old, fresh], key) === fresh.id));

describe('while no release is deployed', () => {
  it('all instances are alike, and nobody looks at a key', () => {
    expect(preferenceOf(snapshotOf(undefined), 'shelf', 'service', undefined)).toBeUndefined();
    expect(preferenceOf(snapshotOf(deploy(50)), 'shelf', 'in-process', undefined)).toBeUndefined();
    expect(preferenceOf(snapshotOf(deploy(50)), 'till', 'service', undefined)).toBeUndefined();
    expect([0, 1].map((turn) => asked(undefined, [old, fresh], 'k', turn))).toEqual([old.id, fresh.id]);
  });
});

describe('a share of the keys', () => {
  it('is none, all, or about as many as is said; whoever is in stays in when it grows', () => {
    expect(inside(0).size).toBe(0);
    expect(inside(100).size).toBe(keys.length);
    let before = inside(0);
    for (const percent of [1, 10, 50, 90]) {
      const now = inside(percent);
      expect([...before].filter((key) => !now.has(key))).toEqual([]);
      expect(now.size / keys.length).toBeGreaterThan(percent / 100 - 0.05);
      expect(now.size / keys.length).toBeLessThan(percent / 100 + 0.05);
      before = now;
    }
    expect(inside(10)).toEqual(inside(10));
  });

  it('has nothing to do with the share of a placement', () => {
    const placed = [...inside(50)].filter((key) => bucketOf('shelf', key) < 50).length / keys.length;
    expect(placed).toBeGreaterThan(0.2);
    expect(placed).toBeLessThan(0.3);
  });

  it('needs a key: who has none is served as before', () => {
    expect(asked(deploy(99), [old, fresh])).toBe(old.id);
    expect(asked(deploy(100), [old, fresh])).toBe(fresh.id);
  });

  it('makes hosts tell one another the key, while it is a share', () => {
    const shares = [0, 50, 100].map((percent) => sharesTraffic(snapshotOf(deploy(percent))));
    expect(shares).toEqual([false, true, false]);
    expect(sharesTraffic(snapshotOf(undefined))).toBe(false);
  });
});

describe('who answers', () => {
  it.each([
    // percent, who is there, who is asked
    [0, [old, fresh, third], old.id],
    [100, [old, fresh, third], fresh.id],
    // Of a third release nobody gets anything, however busy the others are.
    [0, [{ ...old, load: 500 }, third], old.id],
    [100, [{ ...fresh, load: 500 }, third], fresh.id],
    // None of the right one is there: the other one, and a third one before the one that is only tried.
    [0, [fresh], fresh.id],
    [0, [fresh, third], third.id],
    [100, [old, third], old.id],
    [100, [third], third.id],
    // One that may be gone is asked after those of another release.
    [100, [{ ...fresh, load: SUSPECT_PENALTY }, old], old.id],
    // One that must not be asked is not.
    [100, [{ ...fresh, load: Number.POSITIVE_INFINITY }], undefined],
  ] as const)('of %i percent, with %j', (percent, all, id) => {
    for (const turn of [0, 1, 2]) expect(asked(deploy(percent), all, 'k', turn)).toBe(id);
  });

  it('is the least busy of its release', () => {
    const other = { id: 'shelf-5', release: '1.5.0', load: 3 };
    expect(asked(deploy(100), [old, { ...fresh, load: 4 }, other], 'k')).toBe('shelf-5');
  });

  it('knows instances that say no release by that', () => {
    expect(asked(deploy(0, ['']), [third, silent], 'k')).toBe(silent.id);
    expect(asked(deploy(0, []), [fresh, silent], 'k')).toBe(silent.id);
  });
});

it.each([
  ['1.5.0', true],
  ['v1.5.0-rc.1+build.7', true],
  ['9f3c2ab', true],
  ['x'.repeat(128), true],
  ['x'.repeat(129), false],
  ['', false],
  ['1.5 0', false],
  ['-1', false],
  ['1/5', false],
  ['1.5.0\n', false],
])('%j as a release: %s', (text, is) => {
  expect(RELEASE.test(text)).toBe(is);
});
