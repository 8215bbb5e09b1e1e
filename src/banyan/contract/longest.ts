// How long the JSON of a valid value can be, from its schema alone: what the doors derive the limit of a body from.
// Guarantees: every valid value fits, however its texts are escaped, as long as everything in it has a limit. What has
// none (free data, a text without maxLength) counts as next to nothing: a schema that says nothing asks for nothing.
// White space between the values is not counted; it knows no door.
import type { TSchema } from 'typebox';

type Node = Readonly<Record<string, unknown>>;

/** A character outside the BMP is two halves, each written as \uXXXX. */
const PER_CHARACTER = 12;

/** Of formats that set a length themselves. A time may have nine digits of a second and an offset. */
const byFormat: Readonly<Record<string, number>> = { uuid: 36, 'date-time': 40 };

/** `-12345678901234567890.12e-300` and the like: a number may be written in more ways than it has digits. */
const NUMBER = 32;

/** The longest JSON of a valid value, in bytes. */
export function longestJson(schema: TSchema): number {
  return longest(schema as unknown as Node);
}

function longest(node: Node): number {
  if (node.const !== undefined) return literal(node.const);
  if (Array.isArray(node.enum)) return Math.max(0, ...node.enum.map(literal));
  if (Array.isArray(node.anyOf)) return Math.max(0, ...(node.anyOf as Node[]).map(longest));
  if (node.type === 'string') return textual(node);
  if (node.type === 'integer' || node.type === 'number') return NUMBER;
  if (node.type === 'array')
    return 2 + ((node.maxItems as number | undefined) ?? 1) * (longest((node.items ?? {}) as Node) + 1);
  if (node.type === 'object') return members((node.properties ?? {}) as Readonly<Record<string, Node>>);
  // true, false and null; and what may be anything.
  return 5;
}

function textual({ maxLength, format }: Node): number {
  const characters = (maxLength as number | undefined) ?? byFormat[format as string] ?? 0;
  return 2 + PER_CHARACTER * characters;
}

/** Braces, and per field its name, a colon, its value and a comma. */
function members(properties: Readonly<Record<string, Node>>): number {
  return Object.entries(properties).reduce(
    (sum, [name, node]) => sum + literal(name) + 1 + longest(node) + 1,
    2,
  );
}

/** A value that is given, with every character of it escaped. */
function literal(value: unknown): number {
  return typeof value === 'string' ? 2 + PER_CHARACTER * value.length : JSON.stringify(value).length;
}
