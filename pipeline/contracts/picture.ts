// What `banyan contract diff` shows to a person, in 80 columns: the broken first. Pure.
import { wrapped } from '../../src/cli/plain.ts';
import type { Style } from '../../src/cli/terminal.ts';
import { plural } from '../../src/cli/times.ts';
import { kinds } from './change.ts';
import type { DocumentDiff, Lists, PromiseDiff } from './diff.ts';

const WIDTH = 80;
/** Where paths begin: behind the longest of the three words. */
const AT = 13;

const colours = { broken: 'red', changed: 'yellow', added: 'green' } as const;

export function drawPromises(
  diff: PromiseDiff,
  { since, commit }: { readonly since: string; readonly commit: string },
  style: Style,
): string {
  const named =
    since === commit || commit.startsWith(since) ? since.slice(0, 12) : `${since} (${commit.slice(0, 12)})`;
  const section = (title: string, lists: Lists, below: readonly string[] = []) => [
    `  ${style('bold', title)}`,
    ...linesOf(lists, style),
    ...below.map((line) => `    ${line}`),
    '',
  ];
  return [
    `What is promised since ${named}`,
    '',
    ...diff.modules.flatMap((one) => section(one.module, one)),
    ...diff.host.flatMap((one) => section(`the host: ${one.module}`, one)),
    ...documentOf('/openapi.json', diff.openapi, section),
    ...documentOf('/asyncapi.json', diff.asyncapi, section),
    summary(diff, style),
    '',
  ].join('\n');
}

/** Left out where it says nothing that a contract does not. */
function documentOf(
  title: string,
  lists: DocumentDiff,
  section: (title: string, lists: Lists, below?: readonly string[]) => string[],
): string[] {
  if (kinds.every((kind) => lists[kind].length === 0)) return [];
  return section(
    title,
    lists,
    lists.said > 0 ? [`and ${plural(lists.said, 'place')} as the contracts say`] : [],
  );
}

function linesOf(lists: Lists, style: Style): string[] {
  return kinds.flatMap((kind) =>
    lists[kind].flatMap(({ path, message }) => [
      ...stepsOf(path).map(
        (line, at) =>
          `    ${at === 0 ? style(colours[kind], kind.padEnd(AT - 4)) : ' '.repeat(AT - 4)}${line}`,
      ),
      ...wrapped(message, WIDTH - AT - 2).map((line) => `${' '.repeat(AT + 2)}${line}`),
    ]),
  );
}

/** A path over several lines, between its steps. */
function stepsOf(path: string): string[] {
  const lines = [''];
  for (const step of path.match(/\/[^/]*/g) ?? [path]) {
    if (lines.at(-1) !== '' && lines.at(-1)!.length + step.length > WIDTH - AT) lines.push('  ');
    lines.push(lines.pop() + step);
  }
  return lines;
}

function summary({ broken, changed, added }: PromiseDiff, style: Style): string {
  if (broken + changed + added === 0) return 'Nothing differs.';
  const counts = `${broken} broken, ${changed} changed, ${added} added`;
  if (broken === 0) return `${style('green', 'compatible')}  ${counts}`;
  return [
    `${style('red', 'broken')}  ${counts}`,
    `${style('green', 'next')}    keep the old beside the new, or release it as a new major version:`,
    '        docs/pipeline.md says what may change',
  ].join('\n');
}
