// `npm run rehearse -- alarms` as a command: its options, progress on stderr, what was found on stdout in 80 columns or as JSON.
// It decides nothing of what is right.
import { wrap } from '../../../compare/report/terminal.ts';
import { countOf, readArguments, refuse } from '../../../scripts/arguments.ts';
import { asJson, played } from '../played.ts';
import { FAULTS } from './faults.ts';
import { missing, programOf } from './prometheus.ts';
import { type AlarmOutcome, rehearseAlarms } from './rehearsal.ts';
import { writeTable } from './table.ts';

const usage = `npm run rehearse -- alarms [options]
  --only LIST    of faults, by their names: ${FAULTS.slice(0, 4)
    .map(({ name }) => name)
    .join(',')},...
  --list         what faults there are, and which alarms they are for
  --scale N      every duration of the rules divided by it (1: as delivered,
                 some 40 minutes; 15: some 10)
  --calm S       seconds of ordinary traffic first, in which nothing may fire
                 (600)
  --write        what was measured goes into docs/operations.md
  --json         what was found as JSON
It needs prometheus: on the PATH, or in the folder PROMETHEUS_BIN.`;

/** The words after `alarms`. Ends the process. */
export async function play(words: readonly string[]): Promise<never> {
  const { only, list, scale, calm, write, json } = read(words);
  if (list) {
    process.stdout.write(listed());
    process.exit(0);
  }
  if (!programOf('prometheus')) {
    process.stderr.write(`${missing('prometheus')}\n`);
    process.exit(3);
  }
  return played(async (meanwhile) => {
    const faults = only ? FAULTS.filter(({ name }) => only.includes(name)) : FAULTS;
    const outcome = await rehearseAlarms({ faults, scale, calmS: calm, ...meanwhile });
    if (write) writeTable(outcome);
    return { shown: json ? asJson(outcome) : inWords(outcome), wrong: outcome.wrong };
  });
}

function read(words: readonly string[]) {
  const known = {
    only: { type: 'string' },
    list: { type: 'boolean', default: false },
    scale: { type: 'string', default: '1' },
    calm: { type: 'string', default: '600' },
    write: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  } as const;
  const { only, list, write, json, ...values } = readArguments(usage, known, words);
  const names = only?.split(',');
  const unknown = names?.find((one) => FAULTS.every(({ name }) => name !== one));
  if (unknown !== undefined)
    refuse(`--only has no fault "${unknown}"; npm run rehearse -- alarms --list has them.`, usage);
  const number = (name: 'scale' | 'calm') => countOf(name, values[name], usage);
  return { only: names, list, write, json, scale: number('scale'), calm: number('calm') };
}

function listed(): string {
  const lines = FAULTS.flatMap(({ name, part, alarms }) => [
    `${name.padEnd(16)}${part}`,
    ...alarms.map(({ alarm }) => `${' '.repeat(18)}${alarm}`),
  ]);
  return `${lines.join('\n')}\n`;
}

function inWords({ observed, scale, calmS, leftOut, seconds, wrong }: AlarmOutcome): string {
  const figure = (s: number | null) => (s === null ? '-' : s.toFixed(1)).padStart(10);
  const lines = [
    `alarms of ${new Set(observed.map(({ fault }) => fault)).size} faults, their times divided by ${scale}, after ${calmS} s of calm`,
    '',
    `${'seconds'.padEnd(44)}${'to fire'.padStart(10)}${'to end'.padStart(10)}`,
    ...observed.map(
      ({ fault, alarm, firedS, endedS }) =>
        `${fault.padEnd(16)}${alarm.padEnd(28)}${figure(firedS)}${figure(endedS)}`,
    ),
    ...Object.entries(leftOut).flatMap(([name, why]) => wrap(`${name} was left out: ${why}`, 0)),
    '',
    ...wrong.flatMap((sentence) => wrap(sentence, 0, 'WRONG  ')),
    wrong.length === 0 ? `all of it held, in ${seconds.toFixed(0)} s` : `${wrong.length} things differ`,
  ];
  return `${lines.join('\n')}\n`;
}
