// Two reports of the same comparison, one older: did anything become worse? For CI. Ratios B / A are compared always,
// since both sides ran on one machine; a side's own figures only where machine, work, load and settings are the same.
// Worse means beyond the threshold and, where both reports have intervals, that these do not meet: what rounds alone
// could explain is no regression. It reads no file and prints nothing.
import { Refusal } from '../errors/refusal.ts';
import type { Figure, Interval, Report } from '../format/report.ts';

export interface Change {
  readonly id: string;
  readonly title: string;
  /** What is compared: `B / A`, `A` or `B`. */
  readonly what: 'B / A' | 'A' | 'B';
  readonly unit: string;
  readonly primary: boolean;
  readonly before: number;
  readonly after: number;
  /** after / before. */
  readonly factor: number;
  readonly verdict: 'worse' | 'better' | 'no difference found';
}

export interface Diff {
  readonly threshold: number;
  /** What differs, so that sides are not compared; empty when they are. */
  readonly notComparable: readonly string[];
  readonly changes: readonly Change[];
  /** Figures that one of the two lacks. */
  readonly missing: readonly string[];
  readonly worse: number;
  readonly better: number;
}

/**
 * @param threshold 1.1: a figure is worse from 10 % on.
 * @throws Refusal when the two are of different work or shapes: their ratios mean different things.
 */
export function diffReports(older: Report, newer: Report, threshold: number): Diff {
  refuseOthers(older, newer);
  const notComparable = differences(older, newer);
  const known = new Map(older.figures.map((figure) => [figure.id, figure]));
  const pairs = newer.figures.flatMap((after) => {
    const before = known.get(after.id);
    return before ? [[before, after] as const] : [];
  });
  const changes = pairs.flatMap(([before, after]) => [
    ...ratioChange(before, after, threshold),
    ...(notComparable.length > 0 ? [] : sideChanges(before, after, threshold)),
  ]);
  const shared = new Set(pairs.map(([before]) => before.id));
  const missing = [...older.figures, ...newer.figures]
    .filter(({ id }) => !shared.has(id))
    .map(({ title }) => title);
  const counted = (verdict: Change['verdict']) => changes.filter((one) => one.verdict === verdict).length;
  return { threshold, notComparable, changes, missing, worse: counted('worse'), better: counted('better') };
}

function refuseOthers(older: Report, newer: Report): void {
  const of = ({ work, shapes }: Report) => ({
    work: work.name,
    'shape A': shapes.a.text,
    'shape B': shapes.b.text,
  });
  const before = of(older);
  const after = of(newer);
  const differ = (Object.keys(before) as (keyof typeof before)[]).filter((key) => before[key] !== after[key]);
  if (differ.length === 0) return;
  const words = differ.map(
    (key) => `${key} is "${before[key]}" in the old one and "${after[key]}" in the new one`,
  );
  throw new Refusal(
    'reports-differ',
    'The reports are not of the same comparison',
    `${words.join('; ')}.`,
    'Compare two reports of the same work and shapes.',
  );
}

/** What makes milliseconds of one report mean something else than those of the other. */
function differences(older: Report, newer: Report): string[] {
  const of = ({ machine, work, settings, mode }: Report) => ({
    machine: `${machine.cores} x ${machine.cpu}`,
    'rate of requests': settings.perSecond,
    'log of events': settings.log,
    'recorded requests': work.hash,
    mode,
  });
  const before = of(older);
  const after = of(newer);
  return (Object.keys(before) as (keyof typeof before)[])
    .filter((key) => before[key] !== after[key])
    .map((key) => `${key} (${before[key]}, then ${after[key]})`);
}

function ratioChange(before: Figure, after: Figure, threshold: number): Change[] {
  if (!before.ratio || !after.ratio) return [];
  const apart = !meet(before.ratio, after.ratio);
  return change(before, after, 'B / A', before.ratio.median, after.ratio.median, threshold, apart);
}

/** A side has no interval of its own: the threshold alone decides. */
function sideChanges(before: Figure, after: Figure, threshold: number): Change[] {
  return (['a', 'b'] as const).flatMap((side) => {
    const [one, other] = [before[side], after[side]];
    if (one === null || other === null) return [];
    return change(before, after, side === 'a' ? 'A' : 'B', one, other, threshold, true);
  });
}

function change(
  before: Figure,
  { id, title, primary, better }: Figure,
  what: Change['what'],
  from: number,
  to: number,
  threshold: number,
  apart: boolean,
): Change[] {
  if (from <= 0 || to <= 0) return [];
  const factor = to / from;
  const worsening = better === 'lower' ? factor : 1 / factor;
  const verdict =
    apart && worsening >= threshold
      ? 'worse'
      : apart && worsening <= 1 / threshold
        ? 'better'
        : 'no difference found';
  return [
    {
      id,
      title,
      what,
      unit: what === 'B / A' ? 'x' : before.unit,
      primary,
      before: from,
      after: to,
      factor,
      verdict,
    },
  ];
}

/** Unbounded intervals meet everything. */
function meet(one: Interval, other: Interval): boolean {
  if (one.low === null || one.high === null || other.low === null || other.high === null) return true;
  return one.low <= other.high && other.low <= one.high;
}
