// The history of placements, of where stores are and of processes that ended without a drain, newest first: one line a change, and its reason and numbers below it: broken
// between words where a line has an end, whole where it has none. Pure.

import { servesInWords } from '../banyan/console/shared/words.ts';
import type { Evidence } from '../banyan/ladder/desk/contract.ts';
import type { Change, End, StoreChange } from '../banyan/placement/history-contract.ts';
import { metricInWords } from './evidence-picture.ts';
import { placeInWords } from './ladder-picture.ts';
import { mirrorsInWords } from './move-lines.ts';
import { oneLine, shorten, wrapped } from './plain.ts';
import type { Style } from './terminal.ts';
import { local, plural } from './times.ts';

const WIDTH = 80;
/** Where the lines below a change begin. */
const BELOW = 23;

/** @param columns of the terminal; undefined: nobody breaks lines, as in a pipe. */
export function drawHistory(
  items: readonly Change[],
  stores: readonly StoreChange[],
  ended: readonly End[],
  style: Style,
  columns?: number,
): string {
  const below = (text: string) => {
    const room = columns === undefined ? Number.POSITIVE_INFINITY : Math.max(20, columns - BELOW);
    return wrapped(oneLine(text), room).map((line) => `${' '.repeat(BELOW)}${style('dim', line)}`);
  };
  const longest = Math.max(6, ...[...items, ...stores, ...ended].map(({ module }) => module.length));
  const all = [
    ...items.map((item) => ({ at: item.at, lines: drawChange(item, longest, style, below) })),
    ...stores.map((one) => ({ at: one.at, lines: drawStoreChange(one, longest, style, below) })),
    ...ended.map((one) => ({ at: one.at, lines: drawEnd(one, longest, style, below) })),
  ].sort((one, other) => other.at.localeCompare(one.at));
  const head = `  ${'when'.padEnd(19)}  ${'module'.padEnd(longest)}  ${'serves'.padEnd(11)}  by`;
  return ['', style('dim', head), ...all.flatMap(({ lines }) => lines), '', ''].join('\n');
}

type Below = (text: string) => string[];

function drawStoreChange(item: StoreChange, longest: number, style: Style, below: Below): string[] {
  const { at, module, task, from, to, state, by, why, pause, rows } = item;
  const servers =
    task === 'drop'
      ? `on ${to}`
      : task === 'finish' || task === 'abort'
        ? `(${from}, ${to})`
        : `${from} → ${to}`;
  const numbers = [
    ...(pause === null ? [] : [`a pause of ${Math.round(pause)} ms`]),
    ...(rows === null ? [] : [plural(rows, 'row')]),
  ];
  const room = WIDTH - 2 - 19 - 2 - longest - 2 - 11 - 2;
  return [
    `  ${local(at)}  ${module.padEnd(longest)}  ${style('cyan', 'its store'.padEnd(11))}  ${shorten(oneLine(by), room)}`,
    ...below(`${task} ${servers}: ${state === 'running' ? 'under way' : state}`),
    ...(numbers.length === 0 ? [] : below(numbers.join(', '))),
    ...(why === null ? [] : below(why)),
  ];
}

const endedInWords = ({ how, silent }: End) =>
  how ?? (silent ? 'it was not heard of any more' : 'nobody saw how it ended');

function drawEnd(end: End, longest: number, style: Style, below: Below): string[] {
  const { at, module, id } = end;
  return [
    `  ${local(at)}  ${module.padEnd(longest)}  ${style('red', 'ended'.padEnd(11))}  ${oneLine(id)}`,
    ...below(endedInWords(end)),
  ];
}

function drawChange(item: Change, longest: number, style: Style, below: Below): string[] {
  const { at, module, to, percent, mirror, actor, by, reason, evidence, failed } = item;
  const where = servesInWords({ placement: to, percent }).padEnd(11);
  const room = WIDTH - 2 - 19 - 2 - longest - 2 - 11 - 2;
  const who = shorten(oneLine(actor === 'judge' && by !== 'judge' ? `judge, ${by}` : by), room);
  return [
    `  ${local(at)}  ${module.padEnd(longest)}  ${to === 'in-process' ? where : style('cyan', where)}  ${who}`,
    ...(mirror ? below(`its service is ${mirrorsInWords({ mirror })}`) : []),
    ...ladderOf(evidence).flatMap(below),
    ...(reason === null ? [] : below(reason)),
    // A host of the version before has none.
    ...(failed == null ? [] : below(`failed during this flip: ${failed}`)),
    ...(evidence === null ? [] : countsOf(evidence).flatMap(below)),
  ];
}

/** What moves a ladder may place nothing: which one it was is said. */
function ladderOf(evidence: Change['evidence']): string[] {
  const { now } = (evidence ?? {}) as { readonly now?: { readonly state: string; readonly rung: string } };
  if (typeof now?.state !== 'string') return [];
  const at = placeInWords(String(now.rung));
  return [`its ladder ${states[now.state] ?? now.state}${now.state === 'demoted' ? '' : ` ${at}`}`];
}

const states: Readonly<Record<string, string>> = {
  running: 'goes on',
  paused: 'pauses',
  done: 'is at its end,',
  stopped: 'is stopped',
  demoted: 'brought it down',
};

/** Of a ladder what was counted on both sides; of anything else what it is. */
function countsOf(evidence: NonNullable<Change['evidence']>): string[] {
  const { counts } = evidence as { readonly counts?: readonly Evidence[] };
  if (!Array.isArray(counts)) return [JSON.stringify(evidence)];
  return counts.map(({ metric, verdict, ...sides }) => {
    const [near, far] = metricInWords(metric, sides);
    return `${metric} ${verdict}: ${near === '' ? far : `${far} at the service, ${near} at the monolith`}`;
  });
}
