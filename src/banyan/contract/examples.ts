// An example of a schema: the one it names, or one that follows from its formats and limits. What /openapi.json shows
// of every operation, so that whoever reads it can send it.
// Guarantees: the schema accepts it (openapi-examples.test.ts sends them all). It must not know what the fields mean:
// where a derived text would be no real value, the contract names one (`examples`, or `example` of the operation).
import type { Contract, OperationSpec } from './contract.ts';

type Node = Readonly<Record<string, unknown>>;

const byFormat: Readonly<Record<string, string>> = {
  uuid: '019b76da-a800-7000-8000-01a6aa00d43e',
  'date-time': '2026-01-01T12:00:00.000Z',
  email: 'ada@example.com',
};

export function exampleOf(schema: unknown, name = 'text'): unknown {
  const node = schema as Node;
  if (Array.isArray(node.examples) && node.examples.length > 0) return node.examples[0];
  if (node.const !== undefined) return node.const;
  if (Array.isArray(node.enum)) return node.enum[0];
  if (Array.isArray(node.anyOf)) return exampleOf(node.anyOf[0], name);
  switch (node.type) {
    case 'string':
      return byFormat[node.format as string] ?? textOf(node, name);
    case 'integer':
    case 'number':
      return numberOf(node);
    case 'boolean':
      return true;
    case 'array':
      return Array(Math.max(1, (node.minItems as number | undefined) ?? 1)).fill(exampleOf(node.items, name));
    case 'object':
      return ofFields((node.properties ?? {}) as Readonly<Record<string, Node>>);
    default:
      return null;
  }
}

/** A whole input, by field: what the operation itself says goes first, and undefined leaves a field out. */
export function exampleInput(
  { input, example }: OperationSpec,
  contracts: readonly Contract[],
): Readonly<Record<string, unknown>> {
  const derived = exampleOf(input) as Record<string, unknown>;
  const whole = { ...derived, ...example?.(contracts) };
  return Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined));
}

function ofFields(fields: Readonly<Record<string, Node>>): object {
  return Object.fromEntries(Object.entries(fields).map(([name, node]) => [name, exampleOf(node, name)]));
}

/** The name of the field stands for a text that says nothing of itself, as long as the text must be. */
function textOf({ minLength = 0, maxLength = Number.POSITIVE_INFINITY }: Node, name: string): string {
  return name.padEnd(minLength as number, 'x').slice(0, maxLength as number);
}

function numberOf({ minimum, maximum }: Node): number {
  const least = (minimum as number | undefined) ?? 0;
  return Math.min(Math.max(least, 1), (maximum as number | undefined) ?? Number.POSITIVE_INFINITY);
}
