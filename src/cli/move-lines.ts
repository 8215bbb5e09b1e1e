// How a module is moved, in the lines below it in `banyan status`: its ladder, and what of its requests is tried on its
// service. Pure, in 80 columns.
import type { Entry } from '../banyan/placement/admin-contract.ts';
import type { StoreEntry } from '../banyan/servers/desk/contract.ts';
import { placeInWords, rungInWords } from './ladder-picture.ts';
import { oneLine, shorten } from './plain.ts';
import type { Style } from './terminal.ts';
import { local } from './times.ts';

const WIDTH = 80;

/** What of it the service is only tried on. */
export const mirrorsInWords = ({ mirror }: Pick<Entry, 'mirror'>) =>
  mirror ? `tried on ${mirror.reads}% of reads and ${mirror.writes}% of writes` : '';

export function drawMirror(entry: Entry, style: Style): string[] {
  const { mirror, mirrorPaused } = entry;
  return [
    ...(mirror ? [style('dim', `  · its service is ${mirrorsInWords(entry)}`)] : []),
    ...(mirrorPaused === undefined
      ? []
      : [style('yellow', shorten(`  ! that pauses: ${oneLine(mirrorPaused)}`, WIDTH))]),
  ];
}

/** What is over and done with by a later placement is left out. */
export function drawLadder(entry: Entry, style: Style): string[] {
  const { ladder } = entry;
  if (!ladder) return [];
  const { state, rung, reason } = ladder;
  const at = placeInWords(rung);
  const said = (mark: string, words: string) =>
    shorten(`  ${mark} ${words}${reason === '' ? '' : `: ${oneLine(reason)}`}`, WIDTH);
  if (state === 'running') return [style('cyan', said('↑', `its ladder climbs, ${at}`))];
  if (state === 'paused') return [style('yellow', said('↑', `its ladder pauses ${at}`))];
  if (state === 'done') return [style('dim', '  ↑ it came up by a ladder or is guarded, and is watched')];
  return cameDown(entry) ? [style('red', said('↓', `it came down from ${rungInWords(rung)}`))] : [];
}

/** By itself, and nobody placed it since. */
export const cameDown = ({ ladder, placement, changedBy }: Entry): boolean =>
  ladder?.state === 'demoted' && placement === 'in-process' && changedBy === 'judge';

export const climbs = ({ ladder }: Entry): boolean =>
  ladder?.state === 'running' || ladder?.state === 'paused';

/** Where its store is, where that is not as it always was. */
export function drawStoreLine(store: StoreEntry | undefined, style: Style): string[] {
  if (!store) return [];
  const { module, server, state, step } = store;
  const left = leftInWords(store).map((text) => style('dim', shorten(`  · ${text}`, WIDTH)));
  if (state === 'single' && server === 'shared') return left;
  if (state === 'broken')
    return [
      style(
        'red',
        shorten(
          `  ! its store is on ${server}, and its pair is broken: npx banyan store show ${module}`,
          WIDTH,
        ),
      ),
    ];
  const doing =
    state === 'moving' ? `moves, at ${step}` : `is on ${server}${state === 'paired' ? ', paired' : ''}`;
  return [style('dim', shorten(`  · its store ${doing}`, WIDTH)), ...left];
}

/** The tables of before, or where they went and a move there was ended, its copy. Of a version before the answer has none. */
export const leftInWords = ({ left = [] }: Partial<Pick<StoreEntry, 'left'>>): string[] =>
  left.map(
    ({ server, dropAt }) => `what is left of it on ${oneLine(server)} is dropped after ${local(dropAt)}`,
  );
