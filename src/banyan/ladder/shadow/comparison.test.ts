// Both answers compared: every difference is found and named, and neither its place nor its words have a customer's data.
import { expect, test } from 'vitest';
import { type Answer, compared, isSame, type PublishedEvent } from './comparison.ts';
import { shapeOf } from './shape.ts';

const sent: PublishedEvent = { type: 'parcels.parcel-sent.v1', key: 'p1', data: { id: 'p1', grams: 5 } };
const lost: PublishedEvent = { type: 'parcels.parcel-lost.v1', key: 'p1', data: { id: 'p1' } };
const answer = (body: unknown, events = [sent], status = 200): Answer => ({ status, body, events });
const whys = (near: Answer, far: Answer) => compared(near, far).differences.map(({ why }) => why);

test('alike is alike, in whatever order fields stand', () => {
  const near = answer({ a: 1, b: [{ c: null }], none: undefined, at: new Date(0) });
  const far = answer({ at: '1970-01-01T00:00:00.000Z', b: [{ c: null }], a: 1 });
  expect(compared(near, far).differences).toEqual([]);
  expect(compared(near, far).places).toContain('/body/b/*/c');
  expect(isSame(near, structuredClone(near))).toBe(true);
});

test.each([
  [
    'another status, and nothing besides',
    answer({ a: 1 }),
    answer({ b: 2 }, [], 500),
    ['status 200 against 500'],
  ],
  ['a value', answer({ total: 5 }), answer({ total: 6 }), ['body /total differs']],
  [
    'a value of another type',
    answer({ total: 5 }),
    answer({ total: '5' }),
    ['body /total is number against string'],
  ],
  ['null is a type', answer({ total: null }), answer({ total: 5 }), ['body /total is null against number']],
  ['the whole body', answer('a'), answer('b'), ['body differs']],
  ['a field that is missing', answer({ a: 1, b: 2 }), answer({ a: 1 }), ['body /b is missing']],
  [
    'one too many',
    answer({ a: 1 }),
    answer({ a: 1, b: 2 }),
    ['body /b is there, and is not on the near side'],
  ],
  [
    'entries of a list, once',
    answer([{ a: 1 }, { a: 2 }]),
    answer([{ a: 3 }, { a: 4 }]),
    ['body /*/a differs'],
  ],
  [
    'the number of entries',
    answer({ l: [1, 2] }),
    answer({ l: [1] }),
    ['body /l has another number of entries'],
  ],
  ['a missing event', answer(1), answer(1, []), ['missing event parcel-sent']],
  ['one of two events', answer(1, [sent, sent]), answer(1), ['missing event parcel-sent (2 against 1)']],
  ['an additional event', answer(1), answer(1, [sent, lost]), ['additional event parcel-lost']],
  ['the order of events', answer(1, [sent, lost]), answer(1, [lost, sent]), ['events in another order']],
  [
    'the data of an event',
    answer(1),
    answer(1, [{ ...sent, data: { id: 'p1', grams: 6 } }]),
    ['event parcel-sent /data/grams differs'],
  ],
  ['the key of an event', answer(1), answer(1, [{ ...sent, key: 'p2' }]), ['event parcel-sent /key differs']],
])('%s', (_, near, far, expected) => {
  expect(whys(near, far)).toEqual(expected);
  expect(isSame(near, far)).toBe(false);
});

test('a name that the contract does not have is not repeated', () => {
  const free = { type: 'object', patternProperties: {} };
  const schema = { anyOf: [{ type: 'object', properties: { notes: free } }, { type: 'null' }] };
  const shapes = { body: shapeOf(schema), events: new Map() };
  const { differences } = compared(
    answer({ notes: { 'ada@example.com': 1 } }),
    answer({ notes: { 'bob@example.com': 1 } }),
    shapes,
  );
  expect(differences.map(({ why }) => why)).toEqual([
    'body /notes/* is missing',
    'body /notes/* is there, and is not on the near side',
  ]);
  expect(JSON.stringify(differences)).not.toMatch(/example/);
});

test('an answer of any size ends', () => {
  const many = (from: number) =>
    answer(Array.from({ length: 20_000 }, (_, i) => ({ [`f${i % 3}`]: i + from })));
  expect(whys(many(0), many(1))).toHaveLength(3);
});
