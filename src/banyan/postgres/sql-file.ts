// SQL that stands in files of its own beside the code that runs it: read once, when that code is loaded, so that a
// file that is missing ends a start and no request. What is made by it is made by the schema's owner with the schema
// alone in the search path (roles.ts: asOwner): so the files name no schema, and a function of theirs that reads tables
// keeps that path for itself (SET search_path FROM CURRENT), whoever calls it.
import { readFileSync } from 'node:fs';

/**
 * The files in this order, as one script. Comments that have a line to themselves stay behind: a database runs the
 * script once more when its text has changed (provision.ts), and a better word is no reason.
 * @param from the `import.meta.url` of the code beside which they stand.
 */
export function readSql(from: string, ...names: readonly string[]): string {
  return names
    .map((name) => readFileSync(new URL(name, from), 'utf8').replaceAll(/^[ \t]*--.*\n/gm, ''))
    .join('\n');
}
