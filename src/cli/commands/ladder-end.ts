// How a ladder that was watched ended, for a person and for a script: 0 at its end, 3 when it came down, 4 when it pauses
// for want of traffic, 1 when somebody stopped it.
import type { Ladder } from '../../banyan/ladder/desk/contract.ts';
import type { Entry } from '../../banyan/placement/admin-contract.ts';
import { placeInWords, rungInWords } from '../ladder-picture.ts';
import { oneLine, wrapped } from '../plain.ts';
import { Reported } from '../several.ts';
import { type Style, styleFor, type Terminal } from '../terminal.ts';

/** @param entry the placement as it is; who stopped the ladder may have placed the module elsewhere. */
export function sayEnd(ladder: Ladder, terminal: Terminal, json: boolean, entry?: Entry): void {
  const { module, state, rung, reason } = ladder;
  if (state === 'done') {
    const style = styleFor(terminal, terminal.out);
    const where =
      rung === 'background' ? 'serves from its service, background work too' : `stays ${placeInWords(rung!)}`;
    if (!json)
      terminal.out.write(
        `${style('bold', module)} ${style('green', where)}; it is watched, and comes down by itself\n`,
      );
    return;
  }
  const [colour, word, title, exitCode, next] = ends(ladder, entry);
  if (!json) {
    const style: Style = styleFor(terminal, terminal.err);
    const why = wrapped(oneLine(reason ?? ''), 76).map((line) => `  ${line}\n`);
    terminal.err.write(
      `${style(colour, word)} ${title}\n${why.join('')}${style('green', 'next')}  ${next}\n`,
    );
  }
  throw new Reported(exitCode);
}

function ends(
  { module, state, rung }: Ladder,
  entry?: Entry,
): [colour: 'red' | 'yellow', string, string, number, string] {
  const at = rungInWords(rung!);
  const where = placeInWords(rung!);
  if (state === 'demoted')
    return [
      'red',
      'down',
      `${module} is back in-process, from ${at}`,
      3,
      `npx banyan ladder status ${module}`,
    ];
  if (state === 'paused')
    return [
      'yellow',
      'paused',
      `${module} stays ${where}: too little traffic to judge it by`,
      4,
      `npx banyan ladder resume ${module}`,
    ];
  return [
    'yellow',
    'stopped',
    `${module} stays where it is, ${entry?.placement ? placed(entry) : where}`,
    1,
    `npx banyan ladder status ${module}`,
  ];
}

const placed = ({ placement, percent }: Entry): string =>
  placement === 'canary' ? `at ${percent} %` : placement === 'shadow' ? 'in shadow' : oneLine(placement);
