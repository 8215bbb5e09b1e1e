// What `banyan doctor` shows, in 80 columns: pure, from the admin answer. What is well is a number for each check, unless all of it
// is asked for.
import type { Examined } from '../banyan/doctor/contract.ts';
import type { Level } from '../banyan/doctor/finding.ts';
import { oneLine, shorten, wrapped } from './plain.ts';
import type { Style } from './terminal.ts';
import { local, plural } from './times.ts';

type Item = Examined['items'][number];

const WIDTH = 80;
/** Of what stands below a level. */
const INDENT = 11;

const colours: Readonly<Record<Level, Parameters<Style>[0]>> = {
  error: 'red',
  warning: 'yellow',
  unknown: 'yellow',
  ok: 'green',
};

export function drawExamined(
  { items, at, host }: Examined,
  { style, all }: { readonly style: Style; readonly all: boolean },
): string {
  const well = items.filter(({ level }) => level === 'ok');
  const other = items.filter(({ level }) => level !== 'ok');
  const head = `${oneLine(host)} looked at ${local(at)}: ${inNumbers(items)}`;
  return [
    '',
    `  ${style('bold', shorten(head, WIDTH - 2))}`,
    '',
    ...other.flatMap((item) => [...drawItem(item, style), '']),
    ...(well.length === 0 ? [] : [...(all ? drawWell(well, style) : drawCounts(well, style)), '']),
    '',
  ].join('\n');
}

function inNumbers(items: readonly Item[]): string {
  const of = (level: Level) => items.filter((one) => one.level === level).length;
  const [errors, warnings, unknown] = [of('error'), of('warning'), of('unknown')];
  if (errors + warnings + unknown === 0) return 'all is well';
  return [
    ...(errors > 0 ? [plural(errors, 'error')] : []),
    ...(warnings > 0 ? [plural(warnings, 'warning')] : []),
    ...(unknown > 0 ? [`${unknown} not checked`] : []),
  ].join(', ');
}

function drawItem({ level, check, subject, found, remedy }: Item, style: Style): string[] {
  const what = shorten(`${oneLine(check).padEnd(12)} ${oneLine(subject)}`, WIDTH - INDENT);
  return [
    `  ${style(colours[level], level.padEnd(INDENT - 2))}${style('bold', what)}`,
    ...below(found).map((line) => `${' '.repeat(INDENT)}${line}`),
    ...below(remedy ?? '').map(
      (line, n) => `${(n === 0 ? 'next  ' : '').padStart(INDENT)}${style('green', line)}`,
    ),
  ];
}

/** A line each, and more where it needs them. */
function drawWell(well: readonly Item[], style: Style): string[] {
  return well.flatMap(({ check, subject, found }) => {
    const words = `${oneLine(check).padEnd(12)} ${oneLine(subject)}: ${oneLine(found)}`;
    return wrapped(words, WIDTH - INDENT).map((line, n) => `  ${lead(n === 0 ? 'ok' : '', style)}${line}`);
  });
}

function drawCounts(well: readonly Item[], style: Style): string[] {
  const counts = [...Map.groupBy(well, ({ check }) => check)].map(
    // What belongs together is not broken between two lines.
    ([check, some]) => `${oneLine(check)}\u00a0${some.length}`,
  );
  const lines = wrapped(`${counts.join(', ')}; npx\u00a0banyan\u00a0doctor\u00a0--all`, WIDTH - INDENT);
  return lines.map((line, n) => `  ${lead(n === 0 ? 'ok' : '', style)}${style('dim', line)}`);
}

const lead = (word: string, style: Style) => style('green', word.padEnd(INDENT - 2));

const below = (text: string) => (text === '' ? [] : wrapped(oneLine(text), WIDTH - INDENT));
