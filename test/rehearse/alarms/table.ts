// What was measured, as the table of docs/operations.md, between two marks there; nobody writes it by hand. A fault that was not
// struck this time keeps its line.
import { readFileSync, writeFileSync } from 'node:fs';
import { FAULTS } from './faults.ts';
import type { AlarmOutcome, Observed } from './rehearsal.ts';
import { readAlarms } from './rules.ts';

const PAGE = new URL('../../../docs/operations.md', import.meta.url);
const BEGIN = '<!-- measured alarms: npm run rehearse -- alarms --write -->';
const END = '<!-- end of measured alarms -->';

export function writeTable({ observed, scale }: Pick<AlarmOutcome, 'observed' | 'scale'>): void {
  const page = readFileSync(PAGE, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < 0) throw new Error(`docs/operations.md lacks ${from < 0 ? BEGIN : END}: put it back`);
  const before = page.slice(from + BEGIN.length, to);
  const lines = FAULTS.flatMap(({ name, alarms }) =>
    alarms.flatMap(({ alarm }) => {
      const seen = observed.find((one) => one.fault === name && one.alarm === alarm);
      const known = before.split('\n').find((line) => line.includes(`<a id="${name}-${alarm}"`));
      return seen && seen.firedS !== null ? lineOf(seen, scale) : known === undefined ? [] : known;
    }),
  );
  const table = [
    '| what is away | struck by | alarm | its `for` | fires after | ends after |',
    '|---|---|---|---|---|---|',
    ...lines,
  ];
  writeFileSync(PAGE, `${page.slice(0, from)}${BEGIN}\n\n${table.join('\n')}\n\n${page.slice(to)}`);
}

/** As delivered. */
const waits = (alarm: string): string => readAlarms().find(({ name }) => name === alarm)!.for ?? 'none';

/** Of what was measured faster than it is delivered the factor is said. */
function lineOf({ fault, part, struck, alarm, firedS, endedS }: Observed, scale: number): string {
  const seconds = (s: number | null) => (s === null ? 'not in time' : `${Math.round(s)} s`);
  const faster = scale === 1 ? '' : ` (at 1/${scale})`;
  const mark = `<a id="${fault}-${alarm}"></a>`;
  return `| ${mark}${part} | ${struck} | \`${alarm}\` | ${waits(alarm)} | ${seconds(firedS)}${faster} | ${seconds(endedS)}${faster} |`;
}
