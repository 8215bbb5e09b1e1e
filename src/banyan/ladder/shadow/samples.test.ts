// Samples: nothing of a customer's is in them that the contract does not mark plain, and equal values are seen to be equal.
import { expect, test } from 'vitest';
import { nullable } from '../../contract/fields.ts';
import { plain } from '../../contract/plain.ts';
import { Type } from '../../contract/type.ts';
import type { Answer } from './comparison.ts';
import { MOST_OF_ONE, MOST_SAMPLES, mayKeep, redacted } from './samples.ts';
import { shapeOf } from './shape.ts';

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    state: { type: 'string', plain: true },
    count: { anyOf: [{ type: 'integer', plain: true }, { type: 'null' }] },
    mixed: { anyOf: [{ type: 'string', plain: true }, { type: 'string' }] },
    lines: {
      type: 'array',
      items: {
        type: 'object',
        properties: { name: { type: 'string' }, at: { type: 'string', plain: true } },
      },
    },
  },
};
const shapes = { body: shapeOf(schema), events: new Map([['parcels.parcel-sent.v1', shapeOf(schema)]]) };
const body = {
  name: 'Ada Lovelace',
  state: 'placed',
  count: 3,
  mixed: 'Ada',
  lines: [{ name: 'Ada Lovelace', at: 'noon' }],
  'ada@example.com': 'Ada',
  nobody: null,
};
const answer = (status = 200, more: object = body): Answer => ({
  status,
  body: more,
  events: [{ type: 'parcels.parcel-sent.v1', key: 'ada-1', data: { name: 'Ada', state: 'sent' } }],
});

test('a value is its type, its length and a keyed hash, unless it is marked plain', () => {
  const sample = redacted(answer(), shapes, 'key') as { body: Record<string, unknown>; events: unknown[] };
  const hidden = { type: 'string', length: 12, hash: expect.stringMatching(/^[0-9a-f]{16}$/) };
  expect(sample.body).toMatchObject({
    name: hidden,
    state: 'placed',
    count: 3,
    mixed: { type: 'string', length: 3 },
  });
  expect(sample.body.lines).toEqual([{ name: sample.body.name, at: 'noon' }]);
  expect(sample.events).toMatchObject([{ key: { length: 5 }, data: { name: { length: 3 }, state: 'sent' } }]);
  expect(JSON.stringify(sample)).not.toMatch(/ada|lovelace/i);
});

test('a mark of a contract holds for all that a union can be, and for what may be left out or null', () => {
  const status = plain(Type.Union([Type.Literal('placed'), Type.Literal('done')]));
  const marked = Type.Object({
    status,
    was: Type.Optional(status),
    count: nullable(plain(Type.Integer())),
    name: Type.String(),
  });
  const shown = redacted(
    { status: 200, body: { status: 'placed', was: 'done', count: 2, name: 'Ada' }, events: [] },
    { body: shapeOf(marked), events: new Map() },
    'key',
  );
  expect(shown).toMatchObject({ body: { status: 'placed', was: 'done', count: 2, name: { length: 3 } } });
});

test('without the key nobody finds out by trying', () => {
  const [one, other] = ['a', 'b'].map((key) => JSON.stringify(redacted(answer(), shapes, key)));
  expect(one).not.toBe(other);
  expect(JSON.stringify(redacted(answer(), shapes, 'a'))).toBe(one);
});

test('a problem shows what is the house’s own, and not what it says of a value', () => {
  const detail = 'ada@example.com is taken';
  const sample = redacted(answer(409, { code: 'taken', status: 409, detail }), shapes, 'key');
  expect(sample).toMatchObject({ body: { code: 'taken', status: 409, detail: { length: detail.length } } });
});

test('a sample is not as large as any answer', () => {
  const large = answer(200, { lines: Array.from({ length: 100_000 }, () => ({ name: 'Ada' })) });
  const sample = redacted(large, shapes, 'key');
  expect(JSON.stringify(sample).length).toBeLessThan(100_000);
  expect(sample).toMatchObject({ cutOff: true });
  expect(redacted(answer(), shapes, 'key')).not.toHaveProperty('cutOff');
});

test('at most 50 are kept of an operation, and one difference leaves room for others', () => {
  const kept = new Map<string, number>();
  let all = 0;
  for (let i = 0; i < 1_000; i += 1) {
    const why = `difference ${i % 7}`;
    if (!mayKeep(kept, why)) continue;
    kept.set(why, (kept.get(why) ?? 0) + 1);
    all += 1;
  }
  expect(all).toBe(MOST_SAMPLES);
  expect(mayKeep(new Map([['a', MOST_OF_ONE]]), 'a')).toBe(false);
  expect(mayKeep(new Map([['a', MOST_OF_ONE]]), 'b')).toBe(true);
});
