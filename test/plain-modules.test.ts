// Modules are read first, so they stay plain: no statement is long or has many parameters but in the one file that
// ADR 175 names, and nothing there speaks of what makes the store fast.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const clever = 'src/modules/catalog/reservations.ts';
const MOST_LINES = 15;
const MOST_PARAMETERS = 8;

interface Statement {
  readonly lines: number;
  readonly parameters: number;
}

/** The texts in quotes or backticks that are SQL. */
function statementsOf(source: string): Statement[] {
  const texts = source.match(/`(?:[^`\\]|\\.)*`|'(?:[^'\\\n]|\\.)*'/g) ?? [];
  return texts
    .filter((text) => /\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b/.test(text))
    .map((text) => ({
      lines: text.split('\n').filter((line) => /[^\s`]/.test(line)).length,
      parameters: Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map(([, n]) => Number(n))),
    }));
}

const files = globSync('src/modules/**/*.ts', { cwd: root }).filter(
  (file) => !/\.(test|fixture)\.ts$/.test(file),
);
const sources = files.map((file) => [file, readFileSync(join(root, file), 'utf8')] as const);

test('a statement is found with its lines and parameters', () => {
  const source =
    "query('SELECT 1 WHERE $2')\nquery(`\n  UPDATE t\n  SET a = $11`, [])\nconst other = 'no SQL';";
  expect(statementsOf(source)).toEqual([
    { lines: 1, parameters: 2 },
    { lines: 2, parameters: 11 },
  ]);
});

test(`no statement of a module has more than ${MOST_LINES} lines or ${MOST_PARAMETERS} parameters`, () => {
  const found = sources.flatMap(([file, source]) =>
    statementsOf(source).map((statement) => ({ file, ...statement })),
  );
  expect(found.length).toBeGreaterThan(20);
  expect(found.filter(({ lines, parameters }) => lines > MOST_LINES || parameters > MOST_PARAMETERS)).toEqual(
    [],
  );
});

test('only one file is clever: statements of many parts are there', () => {
  const parts = /\b\w+ AS (?:MATERIALIZED )?\(/g;
  const many = sources.filter(([, source]) => (source.match(parts) ?? []).length > 2).map(([file]) => file);
  expect(many).toEqual([clever]);
});

test.each([
  'interleaves',
  'unhurried',
  'emit_event',
  'eventArguments',
  'committed()',
  '.writes',
  'rawTransaction',
  '.pool',
])('no module speaks of %s', (word) =>
  expect(sources.filter(([, source]) => source.includes(word)).map(([file]) => file)).toEqual([]),
);
