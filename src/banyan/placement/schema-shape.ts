// Whether a value that came as a JSON Schema is one, as far as schemas are compared here (schema-fit.ts): what is read
// as a list is a list, what is read as schemas by name is such. It must not judge whether the schema fits any other.
import { escapePointer } from '../contract/pointer.ts';
import type { FieldError } from '../contract/problem.ts';

type Judge = (value: unknown, path: string) => FieldError[];

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const must =
  (fits: (value: unknown) => boolean, message: string): Judge =>
  (value, path) =>
    fits(value) ? [] : [{ path, message }];

const byName: Judge = (value, path) =>
  isObject(value)
    ? Object.entries(value).flatMap(([name, one]) => schemaFaults(one, `${path}/${escapePointer(name)}`))
    : [{ path, message: 'must be an object of schemas' }];

const several: Judge = (value, path) =>
  Array.isArray(value)
    ? value.flatMap((one, at) => schemaFaults(one, `${path}/${at}`))
    : [{ path, message: 'must be a list of schemas' }];

const names = must(
  (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
  'must be a list of names',
);

const keywords: ReadonlyMap<string, Judge> = new Map([
  ['properties', byName],
  ['patternProperties', byName],
  ['items', (value, path) => schemaFaults(value, path)],
  ['anyOf', several],
  ['required', names],
  ['enum', must(Array.isArray, 'must be a list')],
  ['additionalProperties', (value, path) => (typeof value === 'boolean' ? [] : schemaFaults(value, path))],
]);

export function schemaFaults(schema: unknown, path: string): FieldError[] {
  if (!isObject(schema)) return [{ path, message: 'must be a JSON Schema' }];
  return Object.entries(schema).flatMap(([keyword, value]) =>
    (keywords.get(keyword) ?? nothing)(value, `${path}/${escapePointer(keyword)}`),
  );
}

const nothing: Judge = () => [];
