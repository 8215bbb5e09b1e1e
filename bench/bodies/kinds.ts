// Bodies that were slow once, or look as if they could be: for one operation, each as large as it may be. In every
// field of the operation as well as beside them. JSON text, since some of it no object could be.
import type { OperationSpec } from '../../src/banyan/contract/contract.ts';

type Kind = readonly [name: string, body: string];

/** Text of this many bytes, made of one piece. */
const filled = (piece: string, bytes: number) => piece.repeat(Math.max(1, Math.floor(bytes / piece.length)));
const list = (item: string, bytes: number) => `[${filled(`${item},`, bytes - item.length - 2)}${item}]`;
const names = (bytes: number) => {
  const all: string[] = [];
  for (let length = 2; length < bytes - 12; length += all.at(-1)!.length + 1) all.push(`"a${all.length}":1`);
  return `{${all.join(',')}}`;
};

function values(bytes: number): Kind[] {
  const texts = [
    'a',
    'a.',
    'a@',
    ' ',
    '-',
    '0',
    'é',
    '😀',
    'e\u0301',
    '\\u0061',
    '\\ud83d\\ude00',
    'A-1_',
    '"',
  ];
  return [
    ['unknown names', names(bytes)],
    ['9,900 unknown names', names(Math.min(bytes, 99_000))],
    ...['{}', '0', 'null', '""', '[]', '{"a":1}', '"019b76da-a800-7000-8000-01a6aa00d43e"'].map(
      (item): Kind => [`a list of ${item}`, list(item, bytes)],
    ),
    ...['{}', '0'].map((item): Kind => [`9,900 of ${item}`, list(item, Math.min(bytes, 9_900 * 2))]),
    ['lists nested', `${'['.repeat(bytes / 2)}${']'.repeat(bytes / 2)}`],
    ['9,900 lists nested', `${'['.repeat(9_900)}${']'.repeat(9_900)}`],
    ['objects nested', `${'{"a":'.repeat(bytes / 6)}1${'}'.repeat(bytes / 6)}`],
    ['digits', filled('7', bytes)],
    ['one name again and again', `{${filled('"a":1,', bytes - 8)}"a":1}`],
    ['a long name', `{"${filled('n', bytes - 6)}":1}`],
    ...texts.map((text): Kind => {
      const piece = text.startsWith('\\') ? text : JSON.stringify(text).slice(1, -1);
      return [`a text of ${text}`, `"${filled(piece, bytes - 2)}"`];
    }),
  ];
}

export function kinds(spec: OperationSpec, example: object, limit: number): Kind[] {
  const found: Kind[] = [['the longest that is valid', JSON.stringify(longest(spec.input))]];
  for (const [name, value] of values(limit - 2)) found.push([`${name}, alone`, value]);
  for (const field of [...Object.keys(example), 'stranger']) {
    const text = JSON.stringify({ ...example, [field]: 'HERE' });
    for (const [name, value] of values(limit - text.length))
      found.push([`${name} in ${field}`, text.replace('"HERE"', () => value)]);
  }
  for (const [field, value] of Object.entries(example))
    if (Array.isArray(value))
      found.push([
        `more ${field} than may be`,
        JSON.stringify({ ...example, [field]: [] }).replace(
          `"${field}":[]`,
          () => `"${field}":${list(JSON.stringify(value[0]), limit - 500)}`,
        ),
      ]);
  return found;
}

/** A valid value of every length that it may have. */
function longest(schema: unknown): unknown {
  const node = schema as Record<string, unknown>;
  if (node.const !== undefined) return node.const;
  if (Array.isArray(node.enum)) return node.enum[0];
  if (Array.isArray(node.anyOf)) return longest(node.anyOf[0]);
  if (node.type === 'string') {
    if (node.format === 'uuid') return '019b76da-a800-7000-8000-01a6aa00d43e';
    if (node.format === 'date-time') return '2026-01-01T12:00:00.000Z';
    if (node.format === 'email') return `${'a'.repeat(60)}@${'b'.repeat(60)}.example`;
    return String(node.pattern).includes('A-Z')
      ? 'ABC'
      : '😀'.repeat((node.maxLength as number | undefined) ?? 10);
  }
  if (node.type === 'array')
    return Array((node.maxItems as number | undefined) ?? 1000).fill(longest(node.items));
  if (node.type === 'object')
    return Object.fromEntries(
      Object.entries((node.properties ?? {}) as object).map(([name, one]) => [name, longest(one)]),
    );
  return node.type === 'integer' ? (node.maximum ?? 1) : node.type === 'boolean';
}
