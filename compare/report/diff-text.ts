// The difference of two reports in 80 columns: the verdict first, then what changed, worst first.
import type { Change, Diff } from './diff.ts';
import { inUnit, tick, times } from './elements/numbers.ts';
import type { Paint } from './elements/words.ts';
import { wrap } from './terminal.ts';

/** More than these are counted, not listed. */
const ROWS = 16;

export function diffText(diff: Diff, paint: Paint): string {
  const { changes, worse, better, threshold, notComparable, missing } = diff;
  const more = `${tick((threshold - 1) * 100)} %`;
  const shown = changes.filter(({ verdict }) => verdict !== 'no difference found').sort(worstFirst);
  const same = changes.length - shown.length;
  return [
    paint(
      'bold',
      worse > 0
        ? `${count(worse, 'figure')} worse by ${more} or more.`
        : `Nothing is worse by ${more} or more${better > 0 ? `, ${count(better, 'figure')} better` : ''}.`,
    ),
    '',
    ...(shown.length > 0
      ? [
          paint(
            'dim',
            `  ${'figure'.padEnd(33)}${''.padEnd(7)}${'before'.padStart(11)}${'after'.padStart(11)}${'by'.padStart(8)}`,
          ),
        ]
      : []),
    ...shown.slice(0, ROWS).map((one) => row(one, paint)),
    ...(shown.length > ROWS ? [paint('dim', `  and ${shown.length - ROWS} more`)] : []),
    ...(same > 0 ? [`  ${count(same, 'figure')} without a difference that was found`] : []),
    ...(notComparable.length > 0
      ? wrap(`Only ratios B / A are compared, for these differ: ${notComparable.map(short).join('; ')}.`, 2)
      : []),
    ...(missing.length > 0 ? wrap(`In one report alone: ${missing.join(', ')}.`, 2) : []),
    '',
  ].join('\n');
}

function row({ title, what, unit, before, after, factor, verdict, primary }: Change, paint: Paint): string {
  const write = (value: number) => (unit === 'x' ? times(value) : inUnit(value, unit)).padStart(11);
  const name = `${title}${primary ? '' : ' *'}`;
  const line = `  ${(name.length > 32 ? `${name.slice(0, 31)}…` : name).padEnd(33)}${what.padEnd(7)}${write(before)}${write(after)}${times(factor).padStart(8)}`;
  return `${line} ${paint(verdict === 'worse' ? 'red' : 'green', verdict)}`;
}

function worstFirst(one: Change, other: Change): number {
  if (one.verdict !== other.verdict) return one.verdict === 'worse' ? -1 : 1;
  return Math.abs(Math.log(other.factor)) - Math.abs(Math.log(one.factor));
}

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;
/** A hash says nothing to people. */
const short = (sentence: string) => sentence.replaceAll(/\b([0-9a-f]{8})[0-9a-f]{32,}\b/g, '$1…');
