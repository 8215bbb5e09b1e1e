// The schema builders that contracts use, typed by TypeBox, written out here: plain JSON Schema 2020-12. Loading
// TypeBox for them costs every start 300 files and 85 ms, for a type compiler of which nothing is asked at run time.
// Guarantees: what it makes is what TypeBox makes (type.test.ts compares them).
import type { Type as TypeBox } from 'typebox';

type Schema = Record<string, unknown>;

/** Marks an optional property, as TypeBox does: not part of the schema that is written out. */
const OPTIONAL = '~optional';

const text = (options?: Schema): Schema => ({ type: 'string', ...options });
const isOptional = (schema: Schema) => OPTIONAL in schema;

function ObjectOf(properties: Record<string, Schema>, options?: Schema): Schema {
  const required = Object.keys(properties).filter((name) => !isOptional(properties[name]!));
  return { type: 'object', ...(required.length > 0 && { required }), properties, ...options };
}

function Optional(schema: Schema): Schema {
  const copy = Object.create(null, Object.getOwnPropertyDescriptors(schema)) as Schema;
  Object.setPrototypeOf(copy, Object.prototype);
  return Object.defineProperty(copy, OPTIONAL, { value: true });
}

export const Type = {
  Array: (items: Schema, options?: Schema) => ({ type: 'array', items, ...options }),
  Boolean: (options?: Schema) => ({ type: 'boolean', ...options }),
  Integer: (options?: Schema) => ({ type: 'integer', ...options }),
  Literal: (value: unknown, options?: Schema) => ({ type: typeof value, const: value, ...options }),
  Null: (options?: Schema) => ({ type: 'null', ...options }),
  Number: (options?: Schema) => ({ type: 'number', ...options }),
  Object: ObjectOf,
  Optional,
  Record: (_key: Schema, value: Schema, options?: Schema) => ({
    type: 'object',
    patternProperties: { '^.*$': value },
    ...options,
  }),
  String: text,
  Union: (anyOf: readonly Schema[], options?: Schema) => ({ anyOf, ...options }),
  Unknown: (options?: Schema) => ({ ...options }),
  Unsafe: (schema: Schema) => schema,
} as unknown as Pick<
  typeof TypeBox,
  | 'Array'
  | 'Boolean'
  | 'Integer'
  | 'Literal'
  | 'Null'
  | 'Number'
  | 'Object'
  | 'Optional'
  | 'Record'
  | 'String'
  | 'Union'
  | 'Unknown'
  | 'Unsafe'
>;
