// What was found, in words: one line that says it all, and what speaks against either side, in the same size.
// Only differences that were found are told as such; where the interval contains 1 it says "no difference found".

import type { Fault, Figure, Report } from './format/report.ts';
import { bytes } from './report/elements/numbers.ts';

type Parts = Pick<Report, 'figures' | 'shapes' | 'isolation' | 'self' | 'rough' | 'work' | 'measured'>;

export function findingOf(report: Parts): Pick<Report, 'finding' | 'against'> {
  const against = sides(report);
  const primary = report.figures.filter((one) => one.primary);
  const told = primary.filter(({ verdict }) => verdict === 'b-higher' || verdict === 'b-lower');
  const rough = report.rough ? ' (rough)' : '';
  const { a, b } = report.shapes;
  const what = a.label === b.label ? `${a.label} against itself` : `${subject(report)}`;
  if (told.length === 0) {
    const left = primary.filter(({ verdict }) => verdict === 'n/a').map(({ title }) => title);
    const note = left.length > 0 ? `; n/a (too few pairs or samples): ${left.join(', ')}` : '';
    return {
      finding: `${what}: no difference found on ${report.work.name}${note}${isolated(report)}${rough}.`,
      against,
    };
  }
  const words = told.map(clause);
  return {
    finding: `${what} ${joined(words)} on ${report.work.name}${isolated(report)}${rough}.`,
    against,
  };
}

/** `Extracting orders`, `Extracting everything`, `A against B`. */
function subject({ shapes: { a, b } }: Parts): string {
  const moved = b.modules.filter(({ placement }) => placement === 'service').map(({ module }) => module);
  const inProcess = a.modules.every(({ placement }) => placement === 'in-process');
  if (!inProcess || moved.length === 0) return `${capital(b.label)}, against ${a.label},`;
  return moved.length === b.modules.length ? 'Extracting everything' : `Extracting ${joined(moved)}`;
}

function clause({ id, a, b, ratio, difference }: Figure): string {
  const by = ratio!.median;
  if (id === 'cpu') return by >= 1 ? `costs ${times(by)} CPU` : `saves CPU (${times(by)})`;
  if (id === 'memory') return by >= 1 ? `takes ${times(by)} memory` : `saves memory (${times(by)})`;
  const ms = difference?.median ?? b! - a!;
  return `${ms >= 0 ? 'adds' : 'takes away'} ${Math.abs(ms).toFixed(Math.abs(ms) < 10 ? 1 : 0)} ms at ${id}`;
}

/** `; when orders dies, 11 % of requests fail instead of 100 %`. */
function isolated({ isolation, work }: Parts): string {
  // Of several the one that the work writes to, which is what people ask about.
  const wanted = work.kinds.findLast(({ share }) => share === 0)?.needs[0];
  const faults = isolation?.faults ?? [];
  const found =
    pairOf(
      faults.filter(({ side, module }) => side === 'a' || module === wanted),
      'killed',
    ) ?? pairOf(faults, 'killed');
  if (!found) return '';
  const { a, b, module } = found;
  return `; when ${module} dies, ${percent(b.failedShare)} of requests fail instead of ${percent(a.failedShare)}`;
}

interface Pair {
  readonly a: Fault;
  readonly b: Fault;
  readonly module: string;
}

/** The same fault of each module on both sides, as far as it was tried on both. */
function pairsOf(faults: readonly Fault[], kind: Fault['fault']): Pair[] {
  const of = (side: Fault['side']) => faults.filter((one) => one.side === side && one.fault === kind);
  return of('b')
    .filter(({ module }) => module !== 'gateway')
    .flatMap((b) => {
      const a = of('a').find((one) => one.module === b.module || one.sharedWith.includes(b.module));
      return a ? [{ a, b, module: b.module }] : [];
    });
}

const pairOf = (faults: readonly Fault[], kind: Fault['fault']): Pair | undefined => pairsOf(faults, kind)[0];

const impact = ({ failedShare, slowedShare }: Fault) => failedShare + slowedShare;

/** In which side's disfavour a fault is: less than a hundredth of the requests is nobody's. */
function sufferer({ a, b }: Pair): 'a' | 'b' | 'neither' {
  if (Math.abs(impact(a) - impact(b)) < 0.01) return 'neither';
  return impact(a) > impact(b) ? 'a' : 'b';
}

/** A line for one fault of all modules that share what it does in A: what it does to each of them in B. */
function faultLine(kind: Fault['fault'], pairs: readonly Pair[]): string {
  const [{ a, b, module }] = pairs as [Pair];
  if (pairs.length === 1)
    return `${module} ${kind}: ${percent(impact(a))} of requests fail or slow in A, ${percent(impact(b))} in B (exploratory)`;
  const each = pairs.map((one) => `${one.module} ${percent(impact(one.b))}`).join(', ');
  return `${kind}: ${percent(impact(a))} of requests fail or slow in A; in B: ${each} (exploratory)`;
}

function sides({ figures, isolation }: Parts): Report['against'] {
  const found: Report['against'] = { a: [], b: [], neither: [] };
  for (const one of figures) {
    if (one.verdict === 'n/a' || (one.kind !== null && !one.id.startsWith('p50'))) continue;
    const line = `${one.title}: ${words(one)}${one.primary ? '' : ' (exploratory)'}`;
    if (one.verdict === 'no difference found') found.neither.push(`${one.title}: no difference found`);
    else {
      const bHigher = one.verdict === 'b-higher';
      found[bHigher === (one.better === 'lower') ? 'b' : 'a'].push(line);
    }
  }
  for (const kind of ['killed', 'frozen', 'cpu-burn', 'memory-leak'] as const) {
    for (const side of ['a', 'b', 'neither'] as const) {
      const pairs = pairsOf(isolation?.faults ?? [], kind).filter((pair) => sufferer(pair) === side);
      for (const shared of Map.groupBy(pairs, ({ a }) => a).values())
        found[side].push(faultLine(kind, shared));
    }
  }
  return found;
}

function words({ ratio, a, b, unit }: Figure): string {
  const { median, low, high } = ratio!;
  const show = (value: number) => (unit === 'bytes' ? bytes(value) : `${round(value)} ${unit}`);
  const range = low === null || high === null ? '' : ` (${round(low)} to ${round(high)})`;
  return `${times(median)}${range}, ${show(a!)} against ${show(b!)}`;
}

const times = (ratio: number) => `${round(ratio)}x`;
const percent = (share: number) => (share > 0 && share < 0.01 ? 'under 1 %' : `${Math.round(share * 100)} %`);
const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1);

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function joined(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
