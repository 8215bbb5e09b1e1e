// What the dialogs of a module ask for: what is refused before anything begins, at which field, and that words on the screen
// say what the wish says. A process that comes up is not one that is down, and how one ended is said once.
import { describe, expect, test } from 'vitest';
import type { Change } from '../placement/history-contract.ts';
import { endOf, stateOf } from './page/kit/ended.ts';
import {
  beginWith,
  complaintsOf,
  initial,
  isScalable,
  type Placed,
  type Values,
  wayOf,
} from './page/kit/ways.ts';
import { isFresh, transferWords } from './page/kit/words.ts';
import { endInWords, pastOf } from './page/module/past.ts';
import type { PictureInstance } from './shared/picture-shape.ts';

describe('a ladder is judged before it begins', () => {
  const ladder = (changes: Partial<Values>, shadowable = true) =>
    complaintsOf('ladder', { ...initial, ...changes }, shadowable);

  test('as advised it can be begun, and of what cannot be tried without a shadow', () => {
    expect(ladder({})).toEqual({});
    expect(ladder({}, false).steps).toMatch(/shadow/);
    expect(complaintsOf('ladder', beginWith(false), false)).toEqual({});
    expect(wayOf('ladder', 'parcels', beginWith(false)).command).toBe(
      'npx banyan ladder parcels --steps 1,10,50,100',
    );
    expect(wayOf('ladder', 'parcels', beginWith(true)).command).toBe('npx banyan ladder parcels');
  });

  test.each([
    ['10,5', /do not rise: 5 comes after 10/],
    ['10,10', /do not rise/],
    ['1,shadow', /do not rise: shadow comes after 1/],
    ['1,101', /“101” is no step/],
    ['0,10', /“0” is no step/],
    ['1,ten', /“ten” is no step/],
    ['1.5', /“1.5” is no step/],
    ['100', /Before 100 a step is needed/],
    [' , ', /There are no steps/],
  ])('steps %s are not', (steps, words) => {
    expect(ladder({ steps }).steps).toMatch(words);
  });

  test('numbers are said at their own fields', () => {
    const wrong = ladder({ steps: '1,10', minSeconds: '0', minRequests: 'many' });
    expect(Object.keys(wrong)).toEqual(['minSeconds', 'minRequests']);
    expect(complaintsOf('share', { ...initial, percent: '100' }).percent).toMatch(/from 1 to 99/);
    expect(complaintsOf('shadow', { ...initial, reads: '101' })).toHaveProperty('reads');
  });
});

test('processes are so many as is said, where a monolith keeps them; the command beside leaves the placement as it is', () => {
  const placed: Placed = { placement: 'service', percent: 100, desired: 2 };
  const asked = (instances: string, of = placed) =>
    wayOf('processes', 'parcels', { ...initial, instances }, of);
  expect(beginWith(true, placed.desired).instances).toBe('2');
  expect(asked('3')).toEqual({
    command: 'npx banyan extract parcels --instances 3',
    wish: { instances: 3 },
    path: '/admin/services/parcels',
    needs: 'place',
  });
  const share: Placed = { placement: 'canary', percent: 10, desired: 1 };
  expect(asked('3', share).command).toBe('npx banyan extract parcels --instances 3 -p 10');
  expect(asked('3', { ...placed, placement: 'shadow' })).not.toHaveProperty('command');
  expect(
    [placed, share, { ...placed, desired: 0 }, { ...placed, placement: 'in-process' as const }].map(
      isScalable,
    ),
  ).toEqual([true, true, false, false]);
  expect(complaintsOf('processes', { ...initial, instances: '0' }).instances).toMatch(/use Restore/);
  expect(complaintsOf('processes', { ...initial, instances: '17' })).toHaveProperty('instances');
});

test('a process that comes up is starting; one that was killed is down, and its end is said once', () => {
  const one: PictureInstance = { pid: 1, healthy: false, draining: false, supervised: true };
  expect(stateOf({ ...one, starting: true })).toEqual({ tone: 'busy', word: 'starting' });
  expect(stateOf(one)).toEqual({ tone: 'bad', word: 'down' });
  expect(stateOf({ ...one, healthy: true }).word).toBe('healthy');
  expect(endOf({ ...one, lastExit: 'ended by SIGKILL' })).toBe('ended by SIGKILL');
  expect(endOf({ ...one, lastExit: 'exit code 1, no such host' })).toBe(
    'ended with exit code 1, no such host',
  );
  expect(endOf({ ...one, healthy: true, lastExit: 'ended by SIGKILL' })).toBeUndefined();
});

test('an extraction is done when its flip is over as well', () => {
  const transfer = {
    ...({ id: '1', to: 'service', step: 'done', startedBy: 'ada' } as const),
    ...{ startedAt: '2026-11-29T00:00:00.000Z', changedAt: '2026-11-29T00:00:02.000Z' },
  };
  const flip = {
    from: 'in-process',
    to: 'service',
    by: 'ada',
    at: '2026-11-29T00:00:01.000Z',
    draining: 0,
    failed: 0,
  };
  expect(transferWords(transfer, { ...flip, over: false })).toMatchObject({
    tone: 'busy',
    word: 'under way',
  });
  expect(transferWords(transfer, { ...flip, over: true })).toMatchObject({ tone: 'good', word: 'done' });
  expect(transferWords(transfer, undefined).word).toBe('done');
  const failed = { ...transfer, step: 'failed', reason: 'no memory' } as const;
  expect(transferWords(failed, { ...flip, over: false })).toEqual({
    tone: 'bad',
    word: 'failed',
    says: 'no memory',
  });
});

test('what became of a module is changes and processes that ended, the newest first', () => {
  const change = { to: 'service', percent: 100, at: '2026-11-29T00:00:01.000Z' } as Change;
  const end = {
    module: 'parcels',
    id: 'parcels-1',
    at: '2026-11-29T00:00:02.000Z',
    how: 'ended by SIGKILL',
    silent: false,
  };
  const past = pastOf({ items: [change], ended: [end] });
  expect(past.map((one) => one.end?.id ?? one.change?.to)).toEqual(['parcels-1', 'service']);
  expect(endInWords(end)).toBe('parcels-1 ended by SIGKILL');
  expect(endInWords({ ...end, how: 'exit code 1' })).toBe('parcels-1 ended: exit code 1');
  expect(endInWords({ ...end, how: null, silent: true })).toBe('parcels-1 was not heard of any more');
});

test('a flip is told as fresh for some seconds after its end, one that failed requests for longer', () => {
  const now = Date.parse('2026-11-29T00:02:00.000Z');
  const flip = {
    from: 'in-process',
    to: 'service',
    by: 'ada',
    draining: 0,
    failed: 0,
    at: '2026-11-29T00:01:00.000Z',
  };
  expect(isFresh({ ...flip, over: false }, now)).toBe(true);
  expect(isFresh({ ...flip, over: true, overAt: '2026-11-29T00:01:55.000Z' }, now)).toBe(true);
  expect(isFresh({ ...flip, over: true, overAt: '2026-11-29T00:01:30.000Z' }, now)).toBe(false);
  expect(isFresh({ ...flip, failed: 2, over: true, overAt: '2026-11-29T00:01:30.000Z' }, now)).toBe(true);
  expect(isFresh({ ...flip, over: true }, now)).toBe(false);
});
