// How deep data may be nested where a schema leaves it free. Whoever writes JSON does so by recursion, PostgreSQL
// included: 6,000 levels end in a stack overflow. No event of ours has more than 4.
// Guarantees: its own recursion ends at the limit. It must not know what the data is for.
import { escapePointer } from './pointer.ts';

export const MAX_LEVELS = 64;

export const TOO_DEEP = `is nested more than ${MAX_LEVELS} levels deep`;

/** The JSON Pointer to the first value that lies too deep; undefined when none does. */
export function tooDeep(value: unknown, left = MAX_LEVELS): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (left === 0) return '';
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) {
      const found = tooDeep(value[at], left - 1);
      if (found !== undefined) return `/${at}${found}`;
    }
    return undefined;
  }
  for (const name in value) {
    const found = tooDeep((value as Record<string, unknown>)[name], left - 1);
    if (found !== undefined) return `/${escapePointer(name)}${found}`;
  }
  return undefined;
}

/** Whether a schema leaves anything free, so that a value which fits may still be of any depth. */
export function leavesFree(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return true;
  const { type, anyOf, items, properties, patternProperties, additionalProperties, ...more } =
    schema as Record<string, unknown>;
  if ('const' in more || 'enum' in more) return false;
  if (Array.isArray(anyOf)) return anyOf.some(leavesFree);
  if (type === 'array') return leavesFree(items);
  if (type !== 'object') return type === undefined;
  const values = [properties, patternProperties].flatMap((one) => Object.values((one ?? {}) as object));
  const open = patternProperties === undefined && additionalProperties !== false;
  return open || values.some(leavesFree);
}
