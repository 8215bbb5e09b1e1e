// What a statement of a module may cost its reader: 15 lines, eight parameters told apart by their place. What is more is
// two statements, or takes one row of JSON.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { type Breach, slashed } from './sources.ts';
import { nodesOf } from './syntax.ts';

const MOST_LINES = 15;
const MOST_PARAMETERS = 8;
const STATEMENT = /\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE|ALTER)\b/;

/** @param path of a file of a module, TypeScript or SQL. */
export function longStatements(root: string, path: string): Breach[] {
  const file = slashed(relative(root, path));
  const text = readFileSync(path, 'utf8');
  return statementsOf(file, text).flatMap(({ text: statement, start }) => {
    const line = text.slice(0, start).split('\n').length;
    const lines = statement.trim().split('\n').length;
    const parameters = Math.max(0, ...[...statement.matchAll(/\$(\d+)/g)].map((match) => Number(match[1])));
    const breach = (what: string) => ({
      file,
      line,
      message: `a statement of ${what}. A module's has at most ${MOST_LINES} lines and ${MOST_PARAMETERS} parameters: make it two, or give it one row of JSON.`,
    });
    return [
      ...(lines > MOST_LINES ? [breach(`${lines} lines`)] : []),
      ...(parameters > MOST_PARAMETERS ? [breach(`${parameters} parameters`)] : []),
    ];
  });
}

function statementsOf(file: string, text: string): { text: string; start: number }[] {
  const pieces = file.endsWith('.sql')
    ? [...text.matchAll(/[^;]+/g)].map((match) => ({ text: match[0], start: match.index }))
    : nodesOf(text)
        .filter(({ type }) => type === 'TemplateLiteral')
        .map(({ start, end }) => ({ text: text.slice(start + 1, end - 1), start }));
  return pieces.filter((one) => STATEMENT.test(one.text));
}
