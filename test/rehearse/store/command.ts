// `npm run rehearse -- store` as a command: its options, progress on stderr, what was found on stdout in 80 columns or
// as JSON. It decides nothing of what is right.
import { wrap } from '../../../compare/report/terminal.ts';
import { countOf, readArguments } from '../../../scripts/arguments.ts';
import { asJson, played } from '../played.ts';
import { percentile, rehearseStore, type StoreOutcome } from './rehearsal.ts';

const usage = `npm run rehearse -- store [options]
  --rows N       in the store of orders before the first move (1000000)
  --writes N     orders that customers place a second (50): a thousand
                 rows inserted, changed or deleted in the store of orders
  --reads N      lists and single orders that they ask for a second (20)
  --moves N      there and back (20); none is begun after 8 minutes, so that
                 a hundred are several of these
  --json         what was found as JSON`;

/** The words after `store`. Ends the process. */
export async function play(words: readonly string[]): Promise<never> {
  const known = {
    rows: { type: 'string', default: '1000000' },
    writes: { type: 'string', default: '50' },
    reads: { type: 'string', default: '20' },
    moves: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
  } as const;
  const values = readArguments(usage, known, words);
  const number = (name: keyof Omit<typeof known, 'json'>) => countOf(name, values[name], usage);
  const options = {
    rows: number('rows'),
    perSecond: number('writes'),
    readsPerSecond: number('reads'),
    moves: number('moves'),
  };
  return played(async (meanwhile) => {
    const outcome = await rehearseStore({ ...options, ...meanwhile });
    const shown = values.json ? asJson({ ...options, ...outcome }) : inWords(options, outcome);
    return { shown, wrong: outcome.wrong };
  });
}

const figure = (n: number) => n.toLocaleString('en-US');

function inWords(
  { rows, perSecond }: { rows: number; perSecond: number },
  { moves, failed, books, before, seconds, wrong }: StoreOutcome,
): string {
  const row = (name: string, all: readonly number[]) => {
    const of = [percentile(all, 0.5), percentile(all, 0.99), Math.round(Math.max(0, ...all))];
    return `${name.padEnd(46)}${of.map((n) => figure(n).padStart(8)).join('')}`;
  };
  const lines = [
    `store of orders: ${figure(rows)} rows, ${perSecond} orders a second, ${moves.length} moves in ${seconds.toFixed(0)} s`,
    `(${figure(before.rowsPerSecond)} rows inserted, changed or deleted there a second)`,
    '',
    `${'ms'.padEnd(46)}${['p50', 'p99', 'max'].map((word) => word.padStart(8)).join('')}`,
    row(
      'pause, by the coordinator',
      moves.map(({ pauseMs }) => pauseMs),
    ),
    row(
      'longest wait of a customer for it',
      moves.map(({ longestMs }) => longestMs),
    ),
    row(
      'longest time without an answer',
      moves.map(({ gapMs }) => gapMs),
    ),
    row('an order, before the first move', before.writes),
    row('a list or a single order, before the first move', before.reads),
    row(
      'the same, in the first 10 s after a move',
      moves.flatMap(({ reads }) => reads),
    ),
    '',
    `${figure(books.answered)} orders promised, ${books.missing} missing, ${books.doubled} twice; ${figure(failed.length)} requests failed`,
    `${figure(books.events.sent)} events, lost ${books.events.lost}, doubled ${books.events.doubled}, out of order ${books.events.inverted}`,
    `${figure(moves.reduce((sum, one) => sum + one.rowsCompared, 0))} rows compared in all, ${figure(moves.at(-1)?.rowsCompared ?? 0)} by the last move`,
    `${moves.reduce((sum, one) => sum + one.attempts, 0)} pauses that came to nothing and were tried again`,
    '',
    ...wrong.flatMap((sentence) => wrap(sentence, 0, 'WRONG  ')),
    wrong.length === 0 ? 'all of it held' : `${wrong.length} things differ`,
  ];
  return `${lines.join('\n')}\n`;
}
