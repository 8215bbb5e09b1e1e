// `npm run rehearse -- restore` as a command: its options, progress on stderr, what was found on stdout in 80 columns or
// as JSON. It decides nothing of what is right.
import { wrap } from '../../../compare/report/terminal.ts';
import { countOf, oneOf, readArguments } from '../../../scripts/arguments.ts';
import { asJson, played } from '../played.ts';
import { type RestoreOutcome, rehearseRestore } from './rehearsal.ts';

const usage = `npm run rehearse -- restore [options]
  --orders N     before the backup ends, up to the point, after it: each (300)
  --rate N       orders a second (30)
  --log WORD     postgres (the log is put back with the stores), or kafka (it is
                 not, and is ahead of them then)
  --what WORD    all, or orders: its store, on a server of its own, alone (all)
  --json         what was found as JSON`;

/** The words after `restore`. Ends the process. */
export async function play(words: readonly string[]): Promise<never> {
  const known = {
    orders: { type: 'string', default: '300' },
    rate: { type: 'string', default: '30' },
    log: { type: 'string', default: 'postgres' },
    what: { type: 'string', default: 'all' },
    json: { type: 'boolean', default: false },
  } as const;
  const values = readArguments(usage, known, words);
  const options = {
    orders: countOf('orders', values.orders, usage),
    perSecond: countOf('rate', values.rate, usage),
    log: oneOf('log', values.log, ['postgres', 'kafka'], usage),
    what: oneOf('what', values.what, ['all', 'orders'], usage),
  };
  return played(async (meanwhile) => {
    const outcome = await rehearseRestore({ ...options, ...meanwhile });
    const shown = values.json ? asJson({ ...options, ...outcome }) : inWords(outcome);
    return { shown, wrong: outcome.wrong };
  });
}

const figure = (n: number) => n.toLocaleString('en-US');

function inWords(found: RestoreOutcome): string {
  const { backup, ended } = found;
  const megabytes = Math.round(backup.bytes / 1_000_000);
  const lines = [
    `backup while it worked: ${figure(backup.files)} files, ${megabytes} MB in ${backup.seconds.toFixed(1)} s`,
    `made again up to the point: ${found.serverSeconds.toFixed(1)} s; the shop on it: ${found.shopSeconds.toFixed(1)} s`,
    `compared at the point: ${figure(found.rows)} rows of ${found.tables} tables`,
    `orders that were promised: ${figure(found.kept)} up to the point, ${figure(found.lost)} after it`,
    `events: lost ${ended.lost}, doubled ${ended.doubled}, out of order ${ended.inverted}, dropped ${ended.dropped}`,
    '',
    'the start said:',
    ...found.said.flatMap((line) => wrap(line, 0, '- ')),
    '',
    ...found.wrong.flatMap((sentence) => wrap(sentence, 0, 'WRONG  ')),
    found.wrong.length === 0 ? 'all of it held' : `${found.wrong.length} things differ`,
  ];
  return `${lines.join('\n')}\n`;
}
