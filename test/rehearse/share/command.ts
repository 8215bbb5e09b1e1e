// `npm run rehearse -- share` as a command: its options, progress on stderr, what was found on stdout in 80 columns or
// as JSON. It decides nothing of what is right.
import { wrap } from '../../../compare/report/terminal.ts';
import { countOf, readArguments, refuse } from '../../../scripts/arguments.ts';
import { asJson, played } from '../played.ts';
import { rehearseShare, type ShareOutcome } from './rehearsal.ts';

const usage = `npm run rehearse -- share [options]
  --requests N   while the share is changed (100000)
  --changes N    of it meanwhile (200)
  --keys N       users asked at each share, and half as many other keys (1000)
  --seed S       of keys, requests and changes (a random one; it is printed)
  --json         what was found as JSON`;

/** The words after `share`. Ends the process. */
export async function play(words: readonly string[]): Promise<never> {
  const options = read(words);
  return played(async (meanwhile) => {
    const outcome = await rehearseShare({ ...options, ...meanwhile });
    return { shown: options.json ? asJson(outcome) : inWords(outcome), wrong: outcome.wrong };
  });
}

function read(words: readonly string[]) {
  const random = String(1 + Math.floor(Math.random() * 1_000_000));
  const known = {
    requests: { type: 'string', default: '100000' },
    changes: { type: 'string', default: '200' },
    keys: { type: 'string', default: '1000' },
    seed: { type: 'string', default: random },
    json: { type: 'boolean', default: false },
  } as const;
  const values = readArguments(usage, known, words);
  const number = (name: 'requests' | 'changes' | 'keys' | 'seed') => countOf(name, values[name], usage);
  const options = {
    requests: number('requests'),
    changes: number('changes'),
    keys: number('keys'),
    seed: number('seed'),
    json: values.json,
  };
  if (options.changes > options.requests)
    refuse('--changes is at most --requests: there is a request between two changes.', usage);
  return options;
}

const figure = (n: number) => n.toLocaleString('en-US');

function inWords({ seed, sets, changes, seconds, wrong }: ShareOutcome): string {
  const column = (text: string | number, width = 12) => String(text).padStart(width);
  const sides = ({ inside, of }: { inside: number; of: number }) => column(`${inside} of ${of}`, 14);
  const lines = [
    `share, seed ${seed}: each key on one side, by every way in, at three hosts`,
    '',
    `${column('percent', 7)}${column('catalog', 14)}${column('orders', 14)}${column('in both', 10)}${column('refs', 12)}${column('answers', 9)}`,
    ...sets.map(
      ({ percent, catalog, orders, both, refs, answers }) =>
        `${column(percent, 7)}${sides(catalog)}${sides(orders)}${column(both, 10)}${column(`${refs.inside} of ${refs.of}`, 12)}${column(figure(answers), 9)}`,
    ),
    '',
    `${figure(changes.requests)} requests in ${changes.seconds.toFixed(0)} s, ${figure(changes.changes)} changes of a share meanwhile`,
    ...Object.entries(changes.ways).map(([way, n]) => `${column(figure(n))}  ${way}`),
    ...Object.entries(changes.hosts).map(([host, n]) => `${column(figure(n))}  by ${host}`),
    `${column(figure(changes.settled))}  between two changes, of which ${changes.unsticky} on the wrong side`,
    `${column(figure(changes.requests - changes.settled))}  during one: either side is right`,
    `${column(figure(changes.failed))}  failed`,
    `a change took ${changes.changeMs.median} ms, at most ${changes.changeMs.most} ms; ${changes.deferred} asked for again, ${changes.lagging} late`,
    '',
    ...wrong.flatMap((sentence) => wrap(sentence, 0, 'WRONG  ')),
    wrong.length === 0 ? `all of it held, in ${seconds.toFixed(0)} s` : `${wrong.length} things differ`,
  ];
  return `${lines.join('\n')}\n`;
}
