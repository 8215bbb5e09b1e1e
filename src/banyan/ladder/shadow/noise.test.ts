// Noise: what differs nearly always is masked, what differs now and then is counted, and only values are masked.
import { expect, test } from 'vitest';
import { type Answer, compared } from './comparison.ts';
import {
  isLearned,
  maskedPlaces,
  merged,
  mostOften,
  noRecord,
  type OperationRecord,
  withPair,
  withShadow,
} from './noise.ts';

let ids = 0;
const answer = (more: object = {}): Answer => {
  ids += 1;
  return { status: 200, body: { id: `id-${ids}`, state: 'placed', ...more }, events: [] };
};

/** Pairs of the near side, of which every fourth finds another state. */
function pairs(count: number, record: OperationRecord = noRecord): OperationRecord {
  let all = record;
  for (let i = 0; i < count; i += 1)
    all = withPair(all, compared(answer(), answer(i % 4 === 0 ? { state: 'paid' } : {})));
  return all;
}

const shadow = (record: OperationRecord, far: Answer, terms = {}) =>
  withShadow(record, compared(answer(), far), terms);

test('nothing is compared before the noise is known', () => {
  const early = pairs(29);
  expect(isLearned(early)).toBe(false);
  expect(shadow(early, answer({ state: 'lost' }))).toEqual({ record: early, differences: [] });
  expect(isLearned(pairs(30))).toBe(true);
  expect(isLearned(pairs(5), { least: 5 })).toBe(true);
});

test('ids are masked, a state that moves is counted on both sides', () => {
  const record = pairs(70);
  expect(maskedPlaces(record)).toEqual(['/body/id']);
  expect(record.near).toEqual({ n: 40, bad: 10 });
  expect(shadow(record, answer()).differences).toEqual([]);
  const one = shadow(record, answer({ state: 'paid' }));
  expect(one.differences.map(({ why }) => why)).toEqual(['body /state differs']);
  expect(one.record.far).toEqual({ n: 1, bad: 1 });
});

test('an id that is missing, or of another type, is none of the noise', () => {
  const record = pairs(30);
  const { record: after } = shadow(record, answer({ id: undefined }));
  expect(mostOften(shadow(after, answer({ id: undefined })).record)).toBe('body /id is missing');
  expect(shadow(record, answer({ id: 7 })).differences).toHaveLength(1);
});

test('a place is masked by the pairs that have it', () => {
  let record = noRecord;
  for (let i = 0; i < 90; i += 1)
    record = withPair(record, i % 3 === 0 ? compared(answer(), answer()) : compared(problem, problem));
  expect(maskedPlaces(record)).toEqual(['/body/id']);
});
const problem: Answer = { status: 409, body: { code: 'taken' }, events: [] };

test('what the contract ignores is ignored, with all beneath it', () => {
  const record = pairs(30);
  const far = answer({ state: 'lost', list: [{ at: 1 }] });
  const near = answer({ list: [{ at: 2 }] });
  const left = (ignore: string[]) =>
    withShadow(record, compared(near, far), { ignore }).differences.map(({ path }) => path);
  expect(left([])).toEqual(['/body/state', '/body/list/*/at']);
  expect(left(['/body/state'])).toEqual(['/body/list/*/at']);
  expect(left(['/body/list/*', '/body/sta'])).toEqual(['/body/state']);
  expect(left(['/body/*'])).toEqual([]);
});

test('two hosts have one record together, and it is plain data', () => {
  const [one, other] = [pairs(15), pairs(15)];
  const both = merged(one, JSON.parse(JSON.stringify(other)));
  expect(isLearned(both)).toBe(true);
  expect(maskedPlaces(both)).toEqual(['/body/id']);
  const [a, b] = [shadow(both, answer({ state: 'x' })).record, shadow(both, answer()).record];
  expect(merged(a, b)).toMatchObject({ far: { n: 2, bad: 1 }, whys: { 'body /state differs': 1 } });
});
