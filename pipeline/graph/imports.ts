// What one source file imports, as the compiler sees it: the statements by a parser, types included (a type is a promise,
// too); and by their form the expressions that name a file (`import('./a.ts')`, `new URL('./a.ts', import.meta.url)`).
import { parseSync } from 'rolldown/utils';

const NAMED_IN_EXPRESSIONS =
  /\bimport\(\s*(['"`])([^'"`$]+)\1|\bnew URL\(\s*(['"`])(\.[^'"`$]+)\3\s*,\s*import\.meta\.url/g;

/** The specifiers, as they are written. */
export function specifiersOf(path: string, text: string): string[] {
  const { staticImports, staticExports } = parseSync(path, text).module;
  const found = [
    ...staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ),
    ...[...text.matchAll(NAMED_IN_EXPRESSIONS)].map(([, , imported, , named]) => (imported ?? named)!),
  ];
  return [...new Set(found)];
}
