// The builders of type.ts make what TypeBox's own make.
import { Type as TypeBox } from 'typebox';
import { expect, test } from 'vitest';
import { Type } from './type.ts';

const made = (of: typeof Type) => {
  const id = of.String({ format: 'uuid', description: 'an id' });
  const line = of.Object({ id, quantity: of.Integer({ minimum: 1 }) }, { additionalProperties: false });
  return {
    line,
    none: of.Object({}),
    allOptional: of.Object({ a: of.Optional(of.Number()) }),
    mixed: of.Object({ needed: of.Boolean(), not: of.Optional(line), also: of.Optional(of.Optional(id)) }),
    list: of.Array(of.Union([line, of.Null()]), { maxItems: 3 }),
    word: of.Union([of.Literal('a'), of.Literal(1), of.Literal(true)]),
    map: of.Record(of.String(), of.Unknown(), { description: 'anything' }),
    own: of.Unsafe<string>({ type: 'string', minLength: 2 }),
    spread: of.Object({ ...line.properties, more: of.Optional(of.String()) }),
  };
};

test('every builder makes what TypeBox makes', () => {
  const [ours, theirs] = [made(Type), made(TypeBox as unknown as typeof Type)];
  for (const name of Object.keys(ours) as (keyof typeof ours)[])
    expect(JSON.parse(JSON.stringify(ours[name])), name).toEqual(JSON.parse(JSON.stringify(theirs[name])));
});

test('optional is a property of the place, not of the schema', () => {
  const text = Type.String();
  expect(Type.Object({ a: Type.Optional(text) })).not.toHaveProperty('required');
  expect(Type.Object({ a: text })).toHaveProperty('required', ['a']);
});
