// The difference of two reports as Markdown, for a comment on a pull request: the verdict, then for each figure that has
// one its ratio B / A in both, with the interval that says how sure it is. Pure.
import type { Figure, Report } from '../format/report.ts';
import type { Change, Diff } from './diff.ts';
import { inUnit, range, ratio, tick, times } from './elements/numbers.ts';

export function diffMarkdown(diff: Diff, older: Report, newer: Report): string {
  const { worse, better, threshold, notComparable } = diff;
  const more = `${tick((threshold - 1) * 100)} %`;
  const verdict = worse > 0 ? `${worse} worse by ${more} or more` : `nothing is worse by ${more} or more`;
  const before = new Map(older.figures.map((figure) => [figure.id, figure]));
  const after = new Map(newer.figures.map((figure) => [figure.id, figure]));
  const ratios = diff.changes
    .filter(({ what }) => what === 'B / A')
    .sort((one, other) => Number(other.primary) - Number(one.primary));
  const sides = diff.changes.filter(
    ({ what, verdict }) => what !== 'B / A' && verdict !== 'no difference found',
  );
  return [
    `### Comparison with main: ${verdict}${better > 0 ? `, ${better} better` : ''}`,
    '',
    `A is ${newer.shapes.a.label}, B ${newer.shapes.b.label}, the work ${newer.work.name}. Each ratio stands with the interval that covers 95 %; worse is`,
    'what is beyond the threshold where the intervals do not meet.',
    '',
    '| B / A | main | this change | |',
    '|---|---|---|---|',
    ...ratios.map((change) => row(change, before.get(change.id), after.get(change.id))),
    '',
    ...(sides.length > 0
      ? [
          '| one side | main | this change | |',
          '|---|---|---|---|',
          ...sides.map(
            ({ title, what, unit, before: was, after: is, factor, verdict }) =>
              `| ${title}, ${what} | ${inUnit(was, unit)} | ${inUnit(is, unit)} | ${times(factor)}, ${verdict}; no interval |`,
          ),
          '',
        ]
      : []),
    ...(notComparable.length > 0
      ? [`Sides are not compared, since these differ: ${notComparable.join('; ')}.`, '']
      : []),
  ].join('\n');
}

function row(
  { title, primary, verdict }: Change,
  before: Figure | undefined,
  after: Figure | undefined,
): string {
  const name = primary ? `**${title}**` : title;
  return `| ${name} | ${inWords(before)} | ${inWords(after)} | ${verdict} |`;
}

function inWords(figure: Figure | undefined): string {
  return figure?.ratio ? `${ratio(figure.ratio)} (${range(figure.ratio, times)})` : '';
}
