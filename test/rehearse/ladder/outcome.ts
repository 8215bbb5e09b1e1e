// What a piece of the ladder's rehearsal came to: figures by name, and sentences of what did not hold. As it is printed, it
// can be put into bench/RESULTS.md. It knows of no piece what it plays.
import { cpus, release, totalmem, type } from 'node:os';
import { wrap } from '../../../compare/report/terminal.ts';

export interface Outcome {
  readonly piece: string;
  /** With which it can be played again. */
  readonly command: string;
  readonly seconds: number;
  /** Names of columns, and the rows. */
  readonly table: readonly [readonly string[], ...(readonly (readonly (string | number)[])[])];
  /** Sentences that belong to the table. */
  readonly notes: readonly string[];
  /** None: all held. */
  readonly wrong: readonly string[];
}

export interface Play {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export const figure = (n: number): string => n.toLocaleString('en-US');

export function machine(): string {
  const [first] = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} x ${first?.model.trim() ?? 'unknown'}, ${gigabytes} GB, ${type()} ${release()}, Node ${process.versions.node}`;
}

export function inWords({ piece, command, seconds, table, notes, wrong }: Outcome): string {
  const [head, ...rows] = table;
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  return [
    `### ${piece[0]!.toUpperCase()}${piece.slice(1)}`,
    `\`${command}\``,
    '',
    ...wrap(
      `${new Date().toISOString().slice(0, 10)}, ${machine()}; ${seconds.toFixed(0)} s. ${notes.join(' ')}`,
      0,
    ),
    '',
    line(head),
    line(head.map(() => '---')),
    ...rows.map(line),
    '',
    ...wrong.flatMap((sentence) => wrap(sentence, 0, 'WRONG  ')),
    wrong.length === 0 ? 'all of it held' : `${wrong.length} things differ`,
    '',
  ].join('\n');
}
