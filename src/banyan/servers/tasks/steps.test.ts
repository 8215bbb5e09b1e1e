// The machine of moves, at every boundary: what comes of an end, an error, a crash, an abort.
import { describe, expect, test } from 'vitest';
import {
  begin,
  type Happening,
  isOpen,
  mayAbort,
  next,
  PAUSES,
  type Step,
  type Task,
  TRIES,
  type Walk,
} from './steps.ts';

const failed = (final?: boolean): Happening => ({ on: 'failed', why: 'no luck', ...(final && { final }) });
const at = (task: Task, step: Step, own: Partial<Walk> = {}): Walk => ({
  ...begin(task, false),
  step,
  ...own,
});
const way = (task: Task, paired = false) => {
  const seen: string[] = [];
  let walk = begin(task, paired);
  for (; isOpen(walk); walk = next(walk, { on: 'done' }, 0)) seen.push(walk.step);
  return `${seen.join(' ')}: ${walk.state}`;
};

test('without trouble each task goes its way', () => {
  expect(way('check')).toBe('preflight: checked');
  expect(way('move')).toBe('preflight provisioned copying paired held moved verified: moved');
  expect(way('rehearse')).toBe('preflight provisioned copying paired held clearing: rehearsed');
  expect(way('rehearse', true)).toBe('preflight provisioned copying paired held: rehearsed');
  expect(way('verify')).toBe('verified: verified');
  expect(way('finish')).toBe('clearing: finished');
  expect(way('abort')).toBe('clearing: aborted');
  expect(way('drop')).toBe('clearing: dropped');
  expect(way('lose')).toBe('preflight held moved: moved');
});

test('what the pre-flight finds ends it', () => {
  expect(next(begin('move', false), { on: 'refused', why: 'no keys' }, 0)).toMatchObject({
    state: 'refused',
    why: 'no keys',
  });
});

describe('a crash', () => {
  test.each(['preflight', 'provisioned', 'copying', 'paired', 'moved', 'verified', 'clearing'] as const)(
    'at %s: the same step again',
    (step) => {
      const walk = at('move', step, { notBefore: 9 });
      expect(next(walk, { on: 'taken-over' }, 5)).toEqual({ ...walk, notBefore: 0 });
    },
  );

  test('in the pause: back to the pair, and another pause, which is none of the five', () => {
    const walk = next(at('move', 'held'), { on: 'taken-over' }, 100);
    expect(walk).toMatchObject({ state: 'running', step: 'paired', attempt: 0, notBefore: 2_100 });
  });
});

describe('an error', () => {
  test.each(['preflight', 'provisioned', 'copying', 'paired', 'clearing'] as const)(
    'at %s: again after a wait, and back in the end',
    (step) => {
      let walk = at('move', step);
      for (let n = 1; n < TRIES; n += 1) {
        walk = next(walk, failed(), 1_000);
        expect(walk).toMatchObject({ state: 'running', step, failures: n });
        expect(walk.notBefore).toBeGreaterThan(1_000);
      }
      walk = next(walk, failed(), 1_000);
      const cleared = step === 'copying' || step === 'paired' ? next(walk, { on: 'done' }, 0) : walk;
      expect(cleared).toMatchObject({ state: 'rolled-back', why: 'no luck' });
    },
  );

  test('that no second try mends: back at once', () => {
    expect(next(at('move', 'preflight'), failed(true), 0).state).toBe('rolled-back');
    expect(next(at('move', 'copying'), failed(true), 0)).toMatchObject({
      step: 'clearing',
      outcome: 'rolled-back',
    });
    expect(next(at('move', 'copying', { paired: true }), failed(true), 0).state).toBe('rolled-back');
  });

  test('in the pause: after 2, 5, 15 s again, five in all; the pair stays', () => {
    let walk = at('move', 'held');
    const waits: number[] = [];
    for (let n = 1; n < PAUSES; n += 1) {
      walk = next(walk, failed(), 0);
      expect(walk).toMatchObject({ state: 'running', step: 'paired', attempt: n });
      waits.push(walk.notBefore / 1_000);
      walk = next(walk, { on: 'done' }, 0);
      expect(walk).toMatchObject({ step: 'held', attempt: n });
    }
    expect(waits).toEqual([2, 5, 15, 15]);
    expect(next(walk, { on: 'done' }, 0)).toMatchObject({ step: 'moved', why: null });
    expect(next(walk, failed(), 0)).toMatchObject({ state: 'rolled-back', attempt: PAUSES, step: 'held' });
  });

  test('before anybody was held: no pause, and not without end', () => {
    let walk = at('move', 'held', { attempt: 1 });
    for (let n = 1; n < TRIES; n += 1) {
      walk = next(walk, { ...failed(), unbegun: true } as Happening, 0);
      expect(walk).toMatchObject({ state: 'running', step: 'held', attempt: 1, failures: n });
    }
    expect(next(walk, { ...failed(), unbegun: true } as Happening, 0).state).toBe('rolled-back');
  });

  test('a rehearsal that passed at last says how often it did not', () => {
    const walk = next(at('rehearse', 'held', { attempt: 4 }), { on: 'done' }, 0);
    expect(next(walk, { on: 'done' }, 0)).toMatchObject({
      state: 'rehearsed',
      why: expect.stringMatching(/^4 of 5 pauses/),
    });
  });

  test('in the pause of a rehearsal: nothing stays', () => {
    const walk = next(at('rehearse', 'held', { attempt: PAUSES - 1 }), failed(), 0);
    expect(walk).toMatchObject({ step: 'clearing', outcome: 'rolled-back' });
    expect(next(walk, { on: 'done' }, 0)).toMatchObject({ state: 'rolled-back', why: 'no luck' });
  });

  test('after the commit point: on, and never back', () => {
    let walk = at('move', 'moved');
    for (let n = 0; n < 3 * TRIES; n += 1) walk = next(walk, failed(true), 0);
    expect(walk).toMatchObject({ state: 'running', step: 'moved' });
    walk = at('move', 'verified');
    for (let n = 0; n < TRIES; n += 1) walk = next(walk, failed(), 0);
    expect(walk).toMatchObject({ state: 'moved', why: 'no luck' });
  });
});

describe('an abort', () => {
  test.each(['preflight', 'provisioned', 'copying', 'paired', 'held'] as const)(
    'at %s: as before',
    (step) => {
      const walk = next(at('move', step), { on: 'abort' }, 0);
      const end = walk.step === 'clearing' ? next(walk, { on: 'done' }, 0) : walk;
      expect(end.state).toBe('aborted');
      // A way back that is ended leaves the pair.
      expect(next(at('move', step, { paired: true }), { on: 'abort' }, 0)).toMatchObject({
        state: 'aborted',
        step,
      });
    },
  );

  test.each(['moved', 'verified', 'clearing'] as const)('at %s: too late', (step) => {
    const walk = at('move', step);
    expect(mayAbort(walk)).toBe(false);
    expect(next(walk, { on: 'abort' }, 0)).toBe(walk);
  });
});

test('what has ended stays as it is', () => {
  const walk = at('move', 'verified', { state: 'moved' });
  for (const on of ['done', 'abort', 'taken-over'] as const) expect(next(walk, { on }, 0)).toBe(walk);
  expect(next(walk, failed(), 0)).toBe(walk);
});
