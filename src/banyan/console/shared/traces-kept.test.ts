// A link to a trace is offered only where a host may have it.
import { expect, test } from 'vitest';
import { mayBeKept } from './traces-kept.ts';

const MINUTE = 60_000;
const recorded = { since: 1_000 * MINUTE, until: 1_010 * MINUTE };
const { since, until } = recorded;

test('nothing is kept of what happened before anybody looked, after they ceased to, or long ago', () => {
  expect(mayBeKept(undefined, since, since)).toBe(false);
  expect(mayBeKept(recorded, since + MINUTE, since + 2 * MINUTE)).toBe(true);
  expect(mayBeKept(recorded, since - MINUTE, since + 2 * MINUTE)).toBe(false);
  expect(mayBeKept(recorded, until + MINUTE, until + 2 * MINUTE)).toBe(false);
  expect(mayBeKept(recorded, until - MINUTE, until + 29 * MINUTE)).toBe(true);
  expect(mayBeKept(recorded, until - MINUTE, until + 31 * MINUTE)).toBe(false);
  expect(mayBeKept(recorded, undefined, until + MINUTE)).toBe(true);
});
