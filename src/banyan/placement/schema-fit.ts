// Whether every value of one JSON Schema is valid under another, for the part of JSON Schema that
// contracts are written in (objects, arrays, unions, literals, strings and numbers with limits).
// Guarantees: when it finds no misfit there is none, but for one reading of its own: a field that the
// narrow side does not name is not sent, though an open object would allow it.
// Where a keyword is unknown to it, only equal schemas fit.
import { type Json, type JsonObject, own } from './canonical.ts';

export interface Misfit {
  readonly path: string;
  readonly message: string;
}

/** Where `narrow` allows what `wide` refuses; empty when every value of `narrow` is one of `wide`. */
export function misfits(narrow: Json, wide: Json, path = ''): Misfit[] {
  if (JSON.stringify(narrow) === JSON.stringify(wide)) return [];
  if (!isObject(narrow) || !isObject(wide)) return [{ path, message: 'cannot be compared' }];
  if (Object.keys(wide).length === 0) return [];
  const variants = anyOf(narrow);
  if (variants)
    return variants.flatMap((one) => {
      const found = misfits(one, wide, path);
      return found.length === 0 || anyOf(wide) ? found : explain(one, wide, path, [found]);
    });
  const choices = anyOf(wide);
  if (choices) {
    const found: Misfit[][] = [];
    for (const one of choices) {
      const last = misfits(narrow, one, path);
      if (last.length === 0) return [];
      found.push(last);
    }
    return explain(narrow, wide, path, found);
  }
  if (narrow.const !== undefined || wide.const !== undefined || wide.enum !== undefined)
    return literals(narrow, wide, path);
  if (!typeFits(narrow.type, wide.type))
    return [{ path, message: `is ${word(narrow)} where ${word(wide)} is expected` }];
  if (wide.type === 'object') return objects(narrow, wide, path);
  const found = limits(narrow, wide, path);
  if (wide.type === 'array' && isObject(wide.items))
    found.push(...misfits(narrow.items ?? {}, wide.items, `${path}/items`));
  return found;
}

/**
 * The misfits of one variant: with the one choice of its kind where there is one, else in a sentence.
 * @param found what it has against each choice: to look again would double the work at each level.
 */
function explain(one: Json, wide: JsonObject, path: string, found: readonly Misfit[][]): Misfit[] {
  const choices = anyOf(wide) ?? [wide];
  const alike = choices.filter((choice) => isObject(choice) && isObject(one) && choice.type === one.type);
  if (alike.length === 1 && isObject(one) && one.const === undefined)
    return found[choices.indexOf(alike[0]!)]!;
  return [{ path, message: `${word(one)} is not among ${choices.map(word).join(', ')}` }];
}

function objects(narrow: JsonObject, wide: JsonObject, path: string): Misfit[] {
  const found: Misfit[] = [];
  const given = (narrow.properties ?? {}) as JsonObject;
  const known = (wide.properties ?? {}) as JsonObject;
  const always = (narrow.required ?? []) as readonly string[];
  for (const name of (wide.required ?? []) as readonly string[]) {
    if (!always.includes(name))
      found.push({
        path: `${path}/${name}`,
        message: own(given, name) ? 'is required, and may be left out' : 'is required, and is never given',
      });
  }
  for (const [name, schema] of Object.entries(given)) {
    const wanted = own(known, name);
    if (wanted !== undefined) found.push(...misfits(schema, wanted, `${path}/${name}`));
    else if (wide.additionalProperties === false)
      found.push({ path: `${path}/${name}`, message: 'is not a known field' });
  }
  if (narrow.additionalProperties !== false && wide.additionalProperties === false)
    found.push({ path, message: 'takes no unknown fields' });
  return [...found, ...values(narrow, wide, path)];
}

/** What stands under names that no schema names. */
function values(narrow: JsonObject, wide: JsonObject, path: string): Misfit[] {
  const [given, wanted] = [narrow, wide].map((one) => one.patternProperties ?? one.additionalProperties);
  if (!isObject(wanted) || JSON.stringify(given) === JSON.stringify(wanted)) return [];
  const [one, other] = [anyName(narrow), anyName(wide)];
  return one && other
    ? misfits(one, other, `${path}/*`)
    : [{ path, message: 'the schema of its values differs' }];
}

const ANY_NAME = '^.*$';

/** The schema of all values of a record; undefined: it depends on their names, or there is none. */
function anyName({ patternProperties, additionalProperties }: JsonObject): JsonObject | undefined {
  const schema = isObject(patternProperties) ? own(patternProperties, ANY_NAME) : additionalProperties;
  const isAlone = !isObject(patternProperties) || Object.keys(patternProperties).length === 1;
  return isAlone && isObject(schema) ? schema : undefined;
}

const lower = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems'];
const upper = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems'];
const structural = new Set(['type', 'items', 'properties', 'required', 'additionalProperties']);

function limits(narrow: JsonObject, wide: JsonObject, path: string): Misfit[] {
  const found: Misfit[] = [];
  for (const [key, limit] of Object.entries(wide)) {
    if (structural.has(key)) continue;
    const mine = own(narrow, key);
    const inside =
      typeof limit === 'number' && typeof mine === 'number'
        ? (lower.includes(key) && mine >= limit) || (upper.includes(key) && mine <= limit) || mine === limit
        : JSON.stringify(mine) === JSON.stringify(limit);
    if (!inside)
      found.push({
        path,
        message: `${key} is ${JSON.stringify(mine) ?? 'open'} where ${JSON.stringify(limit)} is the limit`,
      });
  }
  return found;
}

function literals(narrow: JsonObject, wide: JsonObject, path: string): Misfit[] {
  const given = narrow.const !== undefined ? [narrow.const] : (narrow.enum as readonly Json[] | undefined);
  const allowed = wide.const !== undefined ? [wide.const] : (wide.enum as readonly Json[] | undefined);
  if (given && !allowed)
    return typeFits(narrow.type ?? typeof given[0], wide.type)
      ? limits(narrow, wide, path)
      : unlike(narrow, wide, path);
  if (!given || !allowed) return unlike(narrow, wide, path);
  return given
    .filter((value) => !allowed.some((one) => JSON.stringify(one) === JSON.stringify(value)))
    .map((value) => ({
      path,
      message: `${JSON.stringify(value)} is not among ${allowed.map((a) => JSON.stringify(a)).join(', ')}`,
    }));
}

const unlike = (narrow: JsonObject, wide: JsonObject, path: string): Misfit[] => [
  { path, message: `is ${word(narrow)} where ${word(wide)} is expected` },
];

function typeFits(narrow: Json | undefined, wide: Json | undefined): boolean {
  return wide === undefined || narrow === wide || (narrow === 'integer' && wide === 'number');
}

function anyOf(schema: Json): readonly Json[] | undefined {
  return isObject(schema) && Array.isArray(schema.anyOf) ? (schema.anyOf as Json[]) : undefined;
}

function word(schema: Json): string {
  if (!isObject(schema)) return JSON.stringify(schema);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return JSON.stringify(schema.enum);
  return typeof schema.type === 'string' ? schema.type : 'another schema';
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
