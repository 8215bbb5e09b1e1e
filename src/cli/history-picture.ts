// The history of placements in 80 columns, newest first: one line a change, and its reason and numbers below it. Pure.
import type { Change } from '../banyan/placement/history-contract.ts';
import { servesInWords } from './picture.ts';
import { oneLine, shorten } from './plain.ts';
import type { Style } from './terminal.ts';
import { local } from './times.ts';

const WIDTH = 80;

export function drawHistory(items: readonly Change[], style: Style): string {
  const longest = Math.max(6, ...items.map(({ module }) => module.length));
  const head = `  ${'when'.padEnd(19)}  ${'module'.padEnd(longest)}  ${'serves'.padEnd(11)}  by`;
  return ['', style('dim', head), ...items.flatMap((item) => drawChange(item, longest, style)), '', ''].join(
    '\n',
  );
}

function drawChange(item: Change, longest: number, style: Style): string[] {
  const { at, module, to, percent, actor, by, reason, evidence } = item;
  const where = servesInWords({ placement: to, percent }).padEnd(11);
  const room = WIDTH - 2 - 19 - 2 - longest - 2 - 11 - 2;
  const who = shorten(oneLine(actor === 'judge' ? `judge, ${by}` : by), room);
  const below = (text: string) => `  ${' '.repeat(21)}${style('dim', shorten(oneLine(text), WIDTH - 23))}`;
  return [
    `  ${local(at)}  ${module.padEnd(longest)}  ${to === 'in-process' ? where : style('cyan', where)}  ${who}`,
    ...(reason === null ? [] : [below(reason)]),
    ...(evidence === null ? [] : [below(JSON.stringify(evidence))]),
  ];
}
