// The history of placements in 80 columns, newest first: one line a change, and its reason and numbers below it. Pure.
import type { Evidence } from '../banyan/ladder/contract.ts';
import type { Change } from '../banyan/placement/history-contract.ts';
import { mirrorsInWords, servesInWords } from './picture.ts';
import { oneLine, shorten } from './plain.ts';
import type { Style } from './terminal.ts';
import { local, thousands } from './times.ts';

const WIDTH = 80;

export function drawHistory(items: readonly Change[], style: Style): string {
  const longest = Math.max(6, ...items.map(({ module }) => module.length));
  const head = `  ${'when'.padEnd(19)}  ${'module'.padEnd(longest)}  ${'serves'.padEnd(11)}  by`;
  return ['', style('dim', head), ...items.flatMap((item) => drawChange(item, longest, style)), '', ''].join(
    '\n',
  );
}

function drawChange(item: Change, longest: number, style: Style): string[] {
  const { at, module, to, percent, mirror, actor, by, reason, evidence } = item;
  const where = servesInWords({ placement: to, percent }).padEnd(11);
  const room = WIDTH - 2 - 19 - 2 - longest - 2 - 11 - 2;
  const who = shorten(oneLine(actor === 'judge' && by !== 'judge' ? `judge, ${by}` : by), room);
  const below = (text: string) => `  ${' '.repeat(21)}${style('dim', shorten(oneLine(text), WIDTH - 23))}`;
  return [
    `  ${local(at)}  ${module.padEnd(longest)}  ${to === 'in-process' ? where : style('cyan', where)}  ${who}`,
    ...(mirror ? [below(`its service is ${mirrorsInWords({ mirror })}`)] : []),
    ...(reason === null ? [] : [below(reason)]),
    ...(evidence === null ? [] : countsOf(evidence).map(below)),
  ];
}

/** Of a ladder what was counted on both sides; of anything else what it is. */
function countsOf(evidence: NonNullable<Change['evidence']>): string[] {
  const { counts } = evidence as { readonly counts?: readonly Evidence[] };
  if (!Array.isArray(counts)) return [JSON.stringify(evidence)];
  const part = ({ n, bad }: Evidence['near']) => `${thousands(bad)} of ${thousands(n)}`;
  return counts.map(
    ({ metric, near, far, verdict }) =>
      `${metric} ${verdict}: ${part(far)} at the service, ${part(near)} at the monolith`,
  );
}
