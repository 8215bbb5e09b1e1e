// The report on a terminal: one screen of 80 columns. Its first line begins the finding; what speaks for either side
// stands in the same size. What has no room is in the page, and the last lines say so.
import type { Figure, Report } from '../format/report.ts';
import { inUnit, percent, range, ratio, seconds } from './elements/numbers.ts';
import {
  absent,
  against,
  FAULTS,
  faultedModules,
  faultOn,
  howMeasured,
  NAME,
  type Paint,
  SIDES,
  verdict,
} from './elements/words.ts';

const WIDTH = 80;
/** Beyond the four primary figures, as many as leave room for the rest of the screen. */
const EXPLORATORY = 4;
const FAULT_ROWS = 6;
const POINTS = 4;

/** @param paint colours, or nothing where no person looks. */
export function terminalReport(report: Report, paint: Paint): string {
  const { shapes, finding } = report;
  const label = SIDES.map((side) => `${NAME[side]} ${shapes[side].label}`).join(', ');
  return [
    ...wrap(finding, 0).map((line) => paint('bold', line)),
    '',
    ...wrap(label, 2),
    ...wrap(howMeasured(report), 2).map((line) => paint('dim', line)),
    ...rough(report, paint),
    '',
    ...figures(report, paint),
    '',
    ...faults(report, paint),
    '',
    ...cases(report, paint),
    ...left(report, paint),
  ]
    .map((line) => line.trimEnd())
    .join('\n');
}

function rough({ rough: quick }: Report, paint: Paint): string[] {
  return quick ? [paint('yellow', '  rough: made with --quick, good for a look, not for a decision')] : [];
}

function figures({ figures: all }: Report, paint: Paint): string[] {
  const shown = [
    ...all.filter(({ primary }) => primary),
    ...all.filter(({ primary, ratio: one }) => !primary && one !== null).slice(0, EXPLORATORY),
  ];
  const head = `  ${'figure'.padEnd(24)}${'A'.padStart(10)}${'B'.padStart(10)}${'B / A'.padStart(8)}  interval`;
  const rows = shown.map((figure) => {
    const { title, unit, a, b, ratio: one, primary } = figure;
    const name = cut(`${title}${primary ? '' : ' *'}`, 24);
    const numbers = `${inUnit(a, unit).padStart(10)}${inUnit(b, unit).padStart(10)}${ratio(one).padStart(8)}`;
    return `  ${name}${numbers}  ${range(one).padEnd(14)} ${said(figure, paint)}`;
  });
  const exploratory = shown.some(({ primary }) => !primary);
  return [
    paint('dim', head),
    ...rows,
    ...(exploratory ? [paint('dim', '  * exploratory: a hint, not a proof')] : []),
  ];
}

function said(figure: Figure, paint: Paint): string {
  const words =
    figure.verdict === 'no difference found'
      ? 'no diff.'
      : figure.verdict === 'n/a'
        ? 'n/a'
        : verdict(figure);
  const worse = against(figure);
  return worse === undefined ? words : paint(worse === 'b' ? 'yellow' : 'cyan', words);
}

function faults(report: Report, paint: Paint): string[] {
  if (!report.isolation)
    return [paint('dim', `  When a module fails: ${absent(report, 'isolation').toLowerCase()}`)];
  const head = `  ${'requests that fail / are slow'.padEnd(31)}${'A'.padStart(15)}${'B'.padStart(15)}  well after A, B`;
  const rows = faultedModules(report).flatMap(([kind, modules]) =>
    modules.map((module) => {
      const [a, b] = SIDES.map((side) => faultOn(report, side, kind, module));
      const shares = [a, b]
        .map((fault) =>
          (fault ? `${percent(fault.failedShare)} / ${percent(fault.slowedShare)}` : 'n/a').padStart(15),
        )
        .join('');
      const well = [a, b]
        .map((fault) =>
          fault ? (fault.recoverySeconds === null ? 'not yet' : seconds(fault.recoverySeconds)) : 'n/a',
        )
        .join(', ');
      return `  ${cut(`${module} is ${FAULTS[kind]}`, 31)}${shares}  ${well}`;
    }),
  );
  const more = rows.length - FAULT_ROWS;
  return [
    paint('dim', head),
    ...rows.slice(0, FAULT_ROWS),
    ...(more > 0 ? [paint('dim', `  and ${more} more in the page`)] : []),
  ];
}

/** B first: it is what somebody is about to do. */
function cases({ against: points, shapes }: Report, paint: Paint): string[] {
  return SIDES.toReversed().flatMap((side) => [
    paint('bold', `  Against ${NAME[side]} (${shapes[side].label})`),
    ...(points[side].length === 0 ? ['    nothing was found'] : []),
    ...points[side].slice(0, POINTS).flatMap((point) => wrap(point, 4, '- ')),
    ...(points[side].length > POINTS
      ? [paint('dim', `    and ${points[side].length - POINTS} more in the page`)]
      : []),
  ]);
}

function left({ thrownAway, answers }: Report, paint: Paint): string[] {
  const lines: string[] = [];
  if (answers.different + answers.statusesDifferent > 0)
    lines.push(
      paint(
        'red',
        `  The sides did not answer alike: ${answers.different} bodies, ${answers.statusesDifferent} statuses differ.`,
      ),
    );
  if (thrownAway.length > 0)
    lines.push(
      ...wrap(`Thrown away: ${thrownAway.map(({ what, why }) => `${what} (${why})`).join('; ')}`, 2),
    );
  return lines.length > 0 ? ['', ...lines] : [];
}

function cut(text: string, room: number): string {
  return text.length > room - 1 ? `${text.slice(0, room - 2)}… ` : text.padEnd(room);
}

/** Broken between words; a first line may begin with a sign, the others stand below its text. */
export function wrap(text: string, indent: number, sign = ''): string[] {
  const room = WIDTH - indent - sign.length;
  const lines = [''];
  for (const word of text.replaceAll(/\s+/g, ' ').trim().split(' ')) {
    const last = lines.at(-1)!;
    if (last !== '' && last.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.map(
    (line, index) => `${' '.repeat(indent)}${index === 0 ? sign : ' '.repeat(sign.length)}${line}`,
  );
}
