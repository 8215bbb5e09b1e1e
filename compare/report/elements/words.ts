// What the terminal and the page both say of a report, in the same words: names of the sides, of faults, of verdicts,
// and why something is missing.
import type { Fault, Figure, Report, Side } from '../../format/report.ts';

/** Colours of a terminal, or none. */
export type Paint = (look: 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', text: string) => string;

export const SIDES: readonly Side[] = ['a', 'b'];
export const NAME: Readonly<Record<Side, string>> = { a: 'A', b: 'B' };

export const FAULTS: Readonly<Record<Fault['fault'], string>> = {
  killed: 'killed',
  frozen: 'frozen',
  'cpu-burn': 'burning CPU',
  'memory-leak': 'leaking memory',
};

export function verdict(figure: Figure): string {
  if (figure.verdict === 'n/a') return figure.why ? `n/a: ${figure.why}` : 'n/a';
  if (figure.verdict === 'no difference found') return figure.verdict;
  return figure.verdict === 'b-higher' ? 'B higher' : 'B lower';
}

/** Whom a difference speaks against; undefined where none was found. */
export function against(figure: Figure): Side | undefined {
  if (figure.verdict !== 'b-higher' && figure.verdict !== 'b-lower') return undefined;
  return (figure.verdict === 'b-higher') === (figure.better === 'lower') ? 'b' : 'a';
}

const FULL_ALONE = ['capacity', 'flips', 'scaling', 'model', 'change'];

/** Why a part of the report is not there. */
export function absent({ mode }: Report, part: string): string {
  if (mode === 'quick') return 'Not measured with --quick.';
  return mode === 'default' && FULL_ALONE.includes(part) ? 'Not measured: part of --full.' : 'Not measured.';
}

/** `checkout, 120 requests/s, 8 pairs of rounds of 20 s`. */
export function howMeasured({ work, settings }: Report): string {
  const pairs = settings.pairs === 1 ? 'one pair' : `${settings.pairs} pairs`;
  return `${work.name}, ${settings.perSecond} requests/s, ${pairs} of rounds of ${settings.roundSeconds} s`;
}

/** The fault that was put on this module, or on the process that it shares with others. */
export function faultOn(report: Report, side: Side, kind: Fault['fault'], module: string): Fault | undefined {
  const found = report.isolation?.faults.filter((one) => one.side === side && one.fault === kind);
  return (
    found?.find((one) => one.module === module) ??
    found?.find((one) => one.sharedWith.includes(module)) ??
    // The gateway is in the monolith's process, whichever module that was hit for.
    (module === 'gateway' ? found?.find((one) => one.process === 'monolith') : undefined)
  );
}

/** Every kind of fault with the modules it was put on, on whichever side, in the order of the report. */
export function faultedModules(report: Report): [Fault['fault'], string[]][] {
  const found = new Map<Fault['fault'], string[]>();
  for (const { fault, module } of report.isolation?.faults ?? []) {
    const modules = found.get(fault) ?? [];
    if (!modules.includes(module)) modules.push(module);
    found.set(fault, modules);
  }
  return [...found];
}
