// What may be wished for a module, and how a row is read that a host of the version before has changed.
import { expect, test } from 'vitest';
import { inWords, isSame, type Placed, placedBy, placedIn, wordFor } from './wish.ts';

test('a mirror goes with shadow, where it has defaults, and with canary, where it is asked for', () => {
  const shadow = { placement: 'shadow', percent: 0, mirror: { reads: 100, writes: 5 } };
  expect(placedBy({ placement: 'shadow' })).toEqual(shadow);
  expect(placedBy({ placement: 'shadow', mirror: { reads: 20 } })).toEqual({
    ...shadow,
    mirror: { reads: 20, writes: 5 },
  });
  expect(placedBy({ placement: 'canary', percent: 10 })).toEqual({ placement: 'canary', percent: 10 });
  const mirrored = placedBy({ placement: 'canary', percent: 10, mirror: { reads: 20 } }) as Placed;
  expect(mirrored).toEqual({ placement: 'canary', percent: 10, mirror: { reads: 20, writes: 0 } });
  expect(inWords(mirrored)).toBe('canary 10 %, mirrors 20 % of reads and 0 % of writes');
  // What mirrors is as new as the word.
  expect(wordFor(mirrored)).toBe('shadow');
  expect(isSame(mirrored, { placement: 'canary', percent: 10 })).toBe(false);
});

test('what does not fit is refused in words', () => {
  for (const mirror of [{ reads: 101 }, { writes: -1 }, { reads: 0.5 }])
    expect(placedBy({ placement: 'shadow', mirror })).toMatch(/^mirror\.(reads|writes) is a whole number/);
  expect(placedBy({ placement: 'service', mirror: { reads: 1 } })).toMatch(/^Nothing is mirrored in service/);
  expect(placedBy({ placement: 'shadow', percent: 5 })).toMatch(/^shadow is 0 percent/);
});

test('where nothing can be mirrored, none of it may be said', () => {
  expect(placedBy({ placement: 'service', mirror: { reads: 0, writes: 0 } })).toEqual({
    placement: 'service',
    percent: 100,
  });
});

test('a mirror that a host of the version before left in the row says nothing', () => {
  const mirror = { reads: 100, writes: 5 };
  expect(placedIn({ placement: 'service', percent: 100, mirror })).toEqual({
    placement: 'service',
    percent: 100,
  });
  expect(placedIn({ placement: 'shadow', percent: 0, mirror })).toEqual({
    placement: 'shadow',
    percent: 0,
    mirror,
  });
  expect(placedIn({ placement: 'shadow', percent: 0, mirror: null })).not.toHaveProperty('mirror');
});
