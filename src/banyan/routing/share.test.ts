// Shares of traffic: which keys are in, checked against flagd's own evaluator, and what growing and shrinking does.
import { FlagdCore, MemoryStorage } from '@openfeature/flagd-core';
import murmurhash from 'murmurhash';
import { describe, expect, it } from 'vitest';
import { isKey, shareFrom, shareIn } from '../context/share.ts';
import { bucketOf } from './bucket.ts';
import { hasHealthy, mayFallBack, sharesTraffic, sideOf, sideOfCall } from './side.ts';
import type { Placement, Snapshot } from './snapshot.ts';

const keys = Array.from({ length: 10_000 }, (_, n) => `${n.toString(16)}-user-${(n * 7919) % 10_000}`);

const entry = (percent: number, healthy = true) => ({
  placement: (percent === 0 ? 'in-process' : percent === 100 ? 'service' : 'canary') as Placement,
  percent,
  instances: [{ id: 'shelf-1', healthy }],
});

function snapshotOf(modules: Record<string, ReturnType<typeof entry>>): Snapshot {
  return { version: 1, monoliths: [], modules } as unknown as Snapshot;
}

const chosen = (module: string, percent: number) => {
  const snapshot = snapshotOf({ [module]: entry(percent) });
  return new Set(keys.filter((key) => sideOf(snapshot, module, { key }) === 'service'));
};

describe('the hash', () => {
  it('is murmur3 (x86, 32 bits) over UTF-8, without a sign', () => {
    expect(murmurhash.v3('hello', 0)).toBe(0x248bfa47);
    expect(murmurhash.v3('', 0)).toBe(0);
    expect(murmurhash.v3('ü€😀', 0)).toBe(murmurhash.v3(Buffer.from('ü€😀'), 0));
  });

  it('puts every key into one of a hundred buckets, of about one size', () => {
    const sizes = new Array(100).fill(0);
    for (const key of keys) sizes[bucketOf('shelf', key)] += 1;
    expect(Math.min(...sizes)).toBeGreaterThan(50);
    expect(Math.max(...sizes)).toBeLessThan(150);
  });
});

describe('a share', () => {
  it.each([1, 10, 33, 50, 99])('of %i percent is the same by flagd, key by key', (percent) => {
    const flag = {
      state: 'ENABLED',
      variants: { service: 'service', 'in-process': 'in-process' },
      defaultVariant: 'in-process',
      targeting: {
        fractional: [
          ['service', percent],
          ['in-process', 100 - percent],
        ],
      },
    };
    const silent = { debug() {}, info() {}, warn() {}, error() {} };
    const flagd = new FlagdCore(new MemoryStorage(silent), silent);
    flagd.setConfigurations(JSON.stringify({ flags: { shelf: flag } }));
    const snapshot = snapshotOf({ shelf: entry(percent) });
    const others = keys.filter(
      (key) =>
        flagd.resolveStringEvaluation('shelf', 'none', { targetingKey: key }, silent).value !==
        sideOf(snapshot, 'shelf', { key }),
    );
    expect(others).toEqual([]);
  });

  it('that grows keeps everybody who is in, one percent at a time, and lets them out the same way', () => {
    let before = chosen('shelf', 0);
    expect(before.size).toBe(0);
    for (let percent = 1; percent <= 100; percent += 1) {
      const now = chosen('shelf', percent);
      expect([...before].filter((key) => !now.has(key))).toEqual([]);
      expect(now.size).toBeGreaterThan(before.size);
      before = now;
    }
    expect(before.size).toBe(keys.length);
    expect(chosen('shelf', 10)).toEqual(chosen('shelf', 10));
  });

  it('of one module says nothing of another', () => {
    const both = [...chosen('shelf', 50)].filter((key) => chosen50OfTill.has(key)).length / keys.length;
    expect(both).toBeGreaterThan(0.23);
    expect(both).toBeLessThan(0.27);
  });

  it('needs a key: who has none is on the near side', () => {
    expect(sideOf(snapshotOf({ shelf: entry(99) }), 'shelf', undefined)).toBe('in-process');
  });

  it('matters where a module is in canary, and the answer follows the picture', () => {
    expect(sharesTraffic(snapshotOf({ shelf: entry(0), till: entry(100) }))).toBe(false);
    expect(sharesTraffic(snapshotOf({ shelf: entry(0), till: entry(7) }))).toBe(true);
    expect(sharesTraffic(snapshotOf({ shelf: entry(0), till: entry(100) }))).toBe(false);
  });
});
const chosen50OfTill = chosen('till', 50);

describe('what an operator asks for', () => {
  const asks = (side: 'service' | 'in-process') => ({ key: 'anybody', side });

  it('is the side, whatever the placement is', () => {
    for (const percent of [0, 50, 100])
      for (const side of ['service', 'in-process'] as const)
        expect(sideOf(snapshotOf({ shelf: entry(percent, false) }), 'shelf', asks(side))).toBe(side);
  });

  it('holds for calls to other modules where a process of theirs can be asked', () => {
    const snapshot = snapshotOf({ shelf: entry(0), till: entry(0, false), desk: entry(100) });
    expect(sideOfCall(snapshot, 'shelf', asks('service'))).toBe('service');
    expect(sideOfCall(snapshot, 'till', asks('service'))).toBe('in-process');
    expect(sideOfCall(snapshot, 'desk', asks('in-process'))).toBe('in-process');
  });
});

describe('falling back', () => {
  it('is for shares alone', () => {
    const of = (percent: number, side?: 'service') =>
      mayFallBack(snapshotOf({ shelf: entry(percent) }), 'shelf', { key: 'k', side });
    expect([of(0), of(5), of(100), of(5, 'service')]).toEqual([false, true, false, false]);
    expect(hasHealthy(snapshotOf({ shelf: entry(5, false) }), 'shelf')).toBe(false);
    expect(hasHealthy(snapshotOf({ shelf: entry(5) }), 'shelf')).toBe(true);
  });
});

describe('whose share it is', () => {
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

  it('is what the flow says, else its trace', () => {
    const flow = { deadline: 0, traceparent };
    expect(shareIn(undefined)).toBeUndefined();
    expect(shareIn(flow)).toEqual({ key: 'a'.repeat(32) });
    expect(shareIn({ ...flow, share: { key: 'somebody' } })).toEqual({ key: 'somebody' });
  });

  it.each([
    [
      { key: 'k', side: 'service' },
      { key: 'k', side: 'service' },
    ],
    [{ key: 'k', side: 'elsewhere' }, { key: 'k' }],
    [{ key: '' }, undefined],
    [{ key: 7 }, undefined],
    [{ key: 'k'.repeat(1_001) }, undefined],
    ['k', undefined],
    [null, undefined],
  ])('said by another host as %j is %j', (said, share) => {
    expect(shareFrom(said)).toEqual(share);
  });

  it('has a key that a header can say', () => {
    expect(['k', 'x'.repeat(255)].every(isKey)).toBe(true);
    expect(['', 'two words', 'ä', 'a\r\nb', 'x'.repeat(256), undefined, 7].some(isKey)).toBe(false);
  });
});
