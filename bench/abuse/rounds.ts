// From the rounds of one abuse to the rows of its table. Guarantees: both figures of a pair are of the same round, since
// those two met the same machine; and a round without figures is named in a row, so that no median hides it.
import { type Figure, medianOf, spreadOf } from './figure.ts';

export type Side = 'before' | 'now';

export interface Outcome {
  readonly round: number;
  readonly side: Side;
  /** Undefined of a product that gave way; empty where the round does not count, for a reason of the bench's own. */
  readonly figures: readonly Figure[] | undefined;
}

export interface Pair {
  readonly round: number;
  readonly before: number;
  readonly now: number;
}

/** Nearly as much as before: less than this is a loss that somebody would notice. */
const LEAST = 0.95;

/** The rounds in which both sides came to this figure, in the order of their numbers. */
export function pairsOf(what: string, outcomes: readonly Outcome[]): Pair[] {
  const before = valuesOf(what, outcomes, 'before');
  const now = valuesOf(what, outcomes, 'now');
  return [...now.keys()]
    .filter((round) => before.has(round))
    .toSorted((a, b) => a - b)
    .map((round) => ({ round, before: before.get(round)!, now: now.get(round)! }));
}

/** Markdown: | abuse | before | now | goal | verdict |. A product that gave way in any round meets no goal. */
export function rowsOf(name: string, outcomes: readonly Outcome[]): string[] {
  const figures = new Map(
    outcomes.flatMap((one) => one.figures ?? []).map((figure) => [figure.what, figure] as const),
  );
  const gaveWay = outcomes.some(({ side, figures: came }) => side === 'now' && came === undefined);
  return [
    ...[...figures.values()].flatMap((figure) => [
      rowOf(figure, outcomes, gaveWay),
      ...ratioOf(figure, outcomes, gaveWay),
    ]),
    ...missingOf(`${name}: gave way`, outcomes, (came) => came === undefined, gaveWay ? 'MISSED' : 'met'),
    ...missingOf(`${name}: did not count`, outcomes, (came) => came?.length === 0),
  ];
}

function rowOf(figure: Figure, outcomes: readonly Outcome[], gaveWay: boolean): string {
  const { what, unit, goal } = figure;
  const of = (side: Side) => [...valuesOf(what, outcomes, side).values()];
  const cell = (side: Side) => spreadOf(of(side), unit) || 'n/a';
  const now = of('now');
  if (!goal || (now.length === 0 && !gaveWay)) return `| ${what} | ${cell('before')} | ${cell('now')} | | |`;
  const median = now.length === 0 ? Number.NaN : medianOf(now);
  const met = !gaveWay && (goal.at === 'most' ? median <= goal.value : median >= goal.value);
  const wanted = `at ${goal.at} ${goal.value}${unit === 'x' ? 'x' : ` ${unit}`}`;
  return `| ${what} | ${cell('before')} | ${cell('now')} | ${wanted} | ${met ? 'met' : 'MISSED'} |`;
}

function ratioOf({ what, asBefore }: Figure, outcomes: readonly Outcome[], gaveWay: boolean): string[] {
  const rounds = new Set(outcomes.map(({ round }) => round)).size;
  if (!asBefore || !outcomes.some(({ side }) => side === 'before')) return [];
  // Nothing before is nothing to compare with, and no pair.
  const ratios = pairsOf(what, outcomes).flatMap(({ before, now }) => (before > 0 ? [now / before] : []));
  const counted = ratios.length === rounds ? '' : ` (${ratios.length} of ${rounds} rounds have both)`;
  const met = !gaveWay && ratios.length > 0 && medianOf(ratios) >= LEAST;
  const verdict = ratios.length === 0 && !gaveWay ? '' : met ? 'met' : 'MISSED';
  return [
    `| … beside before${counted} | | ${spreadOf(ratios, 'x') || 'n/a'} | at least ${LEAST}x | ${verdict} |`,
  ];
}

/** A row for the rounds without figures; none where every round had some. */
function missingOf(
  what: string,
  outcomes: readonly Outcome[],
  missing: (figures: Outcome['figures']) => boolean,
  verdict = '',
): string[] {
  if (!outcomes.some(({ figures }) => missing(figures))) return [];
  const cell = (side: Side) => {
    const ran = outcomes.filter((one) => one.side === side);
    if (ran.length === 0) return 'n/a';
    const rounds = ran.filter(({ figures }) => missing(figures)).map(({ round }) => round);
    if (rounds.length === 0) return `in none of ${ran.length} rounds`;
    return `in round ${rounds.toSorted((a, b) => a - b).join(', ')} of ${ran.length}`;
  };
  const judged = verdict === '' ? '| | |' : `| never | ${verdict} |`;
  return [`| ${what} | ${cell('before')} | ${cell('now')} ${judged}`];
}

/** By round. */
function valuesOf(what: string, outcomes: readonly Outcome[], side: Side): Map<number, number> {
  return new Map(
    outcomes
      .filter((one) => one.side === side)
      .flatMap(({ round, figures }) =>
        (figures ?? []).filter((one) => one.what === what).map(({ value }) => [round, value] as const),
      ),
  );
}
