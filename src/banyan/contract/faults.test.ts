// What is wrong with a value: the same as TypeBox says, of values of every kind, but at a bounded cost.
import { describe, expect, it } from 'vitest';
import { closed } from './contract.ts';
import { type Fault, findFaults, MAX_FAULTS } from './faults.ts';
import { currency, id, line, nullable, time, visible } from './fields.ts';
import { Type } from './type.ts';
import { compile, loadChecks } from './validation.ts';

const schema = closed({
  email: line({ format: 'email', maxLength: 30 }),
  name: visible({ minLength: 1, maxLength: 10 }),
  style: Type.Union([Type.Literal('plain'), Type.Literal('fancy')]),
  imageId: Type.Optional(nullable(id())),
  at: Type.Optional(time()),
  price: Type.Optional(
    Type.Object({ cents: Type.Integer({ minimum: 0, maximum: 9 }), currency: currency() }),
  ),
  owner: Type.Optional(nullable(Type.Object({ id: id(), yes: Type.Boolean() }))),
  counts: Type.Optional(Type.Record(Type.String(), Type.Integer({ minimum: 0 }))),
  lines: Type.Array(closed({ productId: id(), quantity: Type.Integer({ minimum: 1 }) }), {
    minItems: 1,
    maxItems: 3,
  }),
  anything: Type.Optional(Type.Unknown()),
});

const uuid = '019b76da-a800-7000-8000-01a6aa00ffff';
const good = {
  email: 'a@example.com',
  name: 'A',
  style: 'plain',
  price: { cents: 1, currency: 'EUR' },
  owner: { id: uuid, yes: true },
  counts: { a: 1 },
  lines: [{ productId: uuid, quantity: 1 }],
};

/** Stand-ins for any field; the last says that it is left out. */
const odd = [null, 7, -1, 1.5, '', 'text', uuid, true, [], [null], {}, { a: 1, 'b/~': -1 }, undefined];

/** Every field of the good one as every odd value, and every pair of fields so. */
function* oddities(): Generator<unknown> {
  yield* odd;
  const fields = [...Object.keys(good), 'imageId', 'at', 'stranger'];
  for (const one of fields)
    for (const value of odd) {
      yield { ...good, [one]: value };
      for (const other of fields)
        yield { ...good, [one]: value, [other]: odd[(fields.indexOf(other) * 5) % 13] };
    }
  for (const value of odd) {
    yield { ...good, lines: [value] };
    yield { ...good, lines: [{ productId: value, quantity: value, stranger: value }] };
    yield { ...good, price: { cents: value, currency: value }, owner: { id: value } };
    yield { ...good, counts: { a: value, b: value } };
  }
}

const judge = (one: object, value: unknown) => loadChecks().Errors(one, value)[1] as readonly Fault[];
const shown = (faults: readonly Fault[]) =>
  faults.map(({ keyword, instancePath, params }) => ({ keyword, instancePath, params }));

describe('faults', () => {
  it('are those that TypeBox finds, in its order', () => {
    let wrong = 0;
    for (const value of oddities()) {
      const theirs = judge(schema, value);
      wrong += theirs.length > 0 ? 1 : 0;
      expect(shown(findFaults(schema, value, judge)), JSON.stringify(value)).toEqual(shown(theirs));
    }
    expect(wrong).toBeGreaterThan(500);
  });

  it('are looked for no further than what is named', () => {
    let judged = 0;
    const counting = (one: object, value: unknown) => {
      judged += 1;
      return judge(one, value);
    };
    const names = Array.from({ length: 90_000 }, (_, n) => [`a${n}`, n]);
    expect(findFaults(schema, Object.fromEntries(names), counting)).toHaveLength(MAX_FAULTS);
    findFaults(schema, { ...good, lines: Array(500_000).fill({}) }, counting);
    const tooMany = findFaults(schema, { ...good, lines: Array(500_000).fill(good.lines[0]) }, counting);
    expect(tooMany.map(({ keyword }) => keyword)).toEqual(['maxItems']);
    expect(judged).toBeLessThan(100);
  });

  it('name no field at any length', () => {
    const long = compile(schema).errors({ ...good, ['n'.repeat(60_000)]: 1 });
    expect(long).toEqual([{ path: `/${'n'.repeat(100)}…`, message: 'is not a known field' }]);
  });
});
