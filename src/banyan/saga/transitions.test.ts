// The table of steps as a machine: every way through it, and the tables that cannot be executed.
import { describe, expect, test } from 'vitest';
import { defineSaga, type Place, type Reply, type Saga } from './definition.ts';
import { Transitions } from './transitions.ts';

const ask = async (): Promise<Reply> => ({ outcome: 'done', where: null });
const command = (name: string) => ({ name, by: 'somebody', ask, deadlineMs: 1_000 });

const saga: Saga<unknown> = {
  steps: [
    { ...command('a'), undo: command('un-a') },
    command('b'),
    { ...command('c'), undo: command('un-c') },
    { ...command('p'), pivot: true },
    command('d'),
  ],
  otherwise: [command('x'), command('y')],
};
const transitions = new Transitions(defineSaga(saga));
const reply = (outcome: Reply['outcome']): Reply => ({ outcome, where: null, why: 'because' });
const words = (place: Place | undefined) => place && `${place.path} ${place.step}`;

/** All places from here, if every answer is `done`. */
function way(from: Place): string[] {
  const places: string[] = [];
  for (let at: Place | undefined = from; at && at.path !== 'done'; at = transitions.after(at, reply('done')))
    places.push(words(at)!);
  return places;
}

describe('a saga', () => {
  test('goes forward, step by step', () => {
    expect(way(transitions.first)).toEqual(['forward a', 'forward b', 'forward c', 'forward p', 'forward d']);
  });

  test.each([
    ['a', ['after x', 'after y']],
    ['b', ['undo un-a', 'after x', 'after y']],
    ['c', ['undo un-a', 'after x', 'after y']],
    ['p', ['undo un-c', 'undo un-a', 'after x', 'after y']],
  ])('refused at %s takes back what was done before', (step, back) => {
    expect(way(transitions.after({ path: 'forward', step }, reply('refused'))!)).toEqual(back);
  });

  test.each([
    ['a', ['undo un-a', 'after x', 'after y']],
    ['b', ['undo un-a', 'after x', 'after y']],
    ['c', ['undo un-c', 'undo un-a', 'after x', 'after y']],
    ['p', ['undo un-c', 'undo un-a', 'after x', 'after y']],
  ])('called off at %s takes that back as well: nobody knows whether it took effect', (step, back) => {
    expect(way(transitions.onCancel({ path: 'forward', step })!)).toEqual(back);
  });

  test('only goes forward after its pivot', () => {
    const after: Place = { path: 'forward', step: 'd' };
    expect(transitions.onCancel(after)).toBeUndefined();
    expect(() => transitions.after(after, reply('refused'))).toThrow(
      'd cannot refuse: it is after the pivot (because)',
    );
  });

  test('cannot be called off twice, nor can what takes back refuse', () => {
    for (const place of [
      { path: 'undo', step: 'un-a' },
      { path: 'after', step: 'x' },
    ] as const) {
      expect(transitions.onCancel(place)).toBeUndefined();
      expect(() => transitions.after(place, reply('refused'))).toThrow('nothing takes it back');
    }
  });

  test.each([
    ['forward', 'a', null],
    ['forward', 'p', null],
    ['forward', 'gone', null],
    ['forward', 'd', 'After p it only goes forward: nothing of it is taken back any more.'],
    ['undo', 'un-a', 'It is being taken back already.'],
    ['after', 'x', 'It is being taken back already.'],
  ] as const)('says why it cannot be called off: %s %s', (path, step, why) => {
    expect(transitions.whyNotCalledOff({ path, step })).toBe(why);
  });

  test('stays where the answer is pending, and knows no step of another version', () => {
    expect(transitions.after(transitions.first, reply('pending'))).toBeUndefined();
    expect(transitions.at({ path: 'forward', step: 'gone' })).toBeUndefined();
    expect(() => transitions.after({ path: 'forward', step: 'gone' }, reply('done'))).toThrow('no step gone');
  });
});

describe('a table that cannot be executed is refused', () => {
  const { steps, otherwise } = saga;
  test.each([
    ['no pivot', { steps: [command('a')], otherwise }, 'one pivot, this one has 0'],
    ['two pivots', { steps: [...steps, { ...command('q'), pivot: true }], otherwise }, 'this one has 2'],
    [
      'an undo after the pivot',
      { steps: [...steps, { ...command('q'), undo: command('u') }], otherwise },
      'u',
    ],
    ['one name twice', { steps: [...steps, command('a')], otherwise }, 'one name'],
    ['a name that ends a string', { steps: [...steps, command("a'b")], otherwise }, 'no name of a step'],
  ] as [string, Saga<unknown>, string][])('%s', (_what, table, message) => {
    expect(() => defineSaga(table)).toThrow(message);
  });
});
