// `npm run rehearse -- ladder [piece…]` as a command: its pieces and options, progress on stderr, what was found on stdout as
// tables or as JSON. It decides nothing of what is right.
import { countOf, readArguments, refuse } from '../../../scripts/arguments.ts';
import { moduleNames } from '../../../src/banyan/config/environment.ts';
import { policyOf } from '../../../src/banyan/ladder/judge/rungs.ts';
import { shopApp } from '../../../src/shop.ts';
import { asJson, played } from '../played.ts';
import { playClimb } from './climb.ts';
import { playDefects } from './defects.ts';
import { inWords, type Outcome } from './outcome.ts';
import { playRunning } from './running.ts';
import { playSimulation } from './simulation.ts';
import { playTraces } from './traces.ts';

const PIECES = ['traces', 'running', 'climb', 'simulation', 'defects'] as const;
type Piece = (typeof PIECES)[number];

const usage = `npm run rehearse -- ladder [piece...] [options]
  traces       shadows of every operation, in calm, against locks and out of
               time, with kills in the middle: nothing may be left
    --shadows N       in all (10000)
    --kills N         of each kind: monolith and service, at four places, and
                      a service that freezes (3)
  running      shadows in a shop that runs: nothing may change but who lives,
               and what the ladder keeps
    --reads N         by clients, and as many orders that are only tried (500)
  climb        a ladder to its end under the shop's mix of requests: nothing
               may differ, no request may fail, the command ends with 0
    --module M        that climbs (orders)
    --requests N      at least (2000)
    --per-second N    requests (30)
    --steps LIST      as \`banyan ladder\` takes them (shadow,1,10,50,100)
    --min-seconds N   on each rung (20)
    --min-requests N  to the service, on each rung (100)
  simulation   ladders climbed by dice: how often the judge is wrong
    --runs N          ladders of each truth (1000)
    --traffic N       requests a second (400)
  defects      each kind of defect, in a real service: found at the first
               rung that can show it, in words
  --seed S     of all that is random but times (a random one; it is printed)
  --json       what was found as JSON
Without a piece: all of them, one after the other.`;

/** The words after `ladder`. Ends the process. */
export async function play(words: readonly string[]): Promise<never> {
  const options = read(words);
  const { pieces, seed, traces, running, climb, simulation, json } = options;
  return played(async (meanwhile) => {
    const plays: Record<Piece, () => Promise<Outcome>> = {
      traces: () => playTraces({ ...traces, seed, ...meanwhile }),
      running: () => playRunning({ ...running, ...meanwhile }),
      climb: () => playClimb({ ...climb, seed, ...meanwhile }),
      simulation: () => playSimulation({ ...simulation, seed, ...meanwhile }),
      defects: () => playDefects(meanwhile),
    };
    const outcomes: Outcome[] = [];
    for (const piece of pieces) {
      const outcome = await plays[piece]();
      outcomes.push(outcome);
      if (!json) process.stdout.write(`${inWords(outcome)}\n`);
    }
    return { shown: json ? asJson(outcomes) : '', wrong: outcomes.flatMap(({ wrong }) => wrong) };
  });
}

const numbers = {
  shadows: '10000',
  kills: '3',
  reads: '500',
  requests: '2000',
  'per-second': '30',
  'min-seconds': '20',
  'min-requests': '100',
  runs: '1000',
  traffic: '400',
} as const;

function read(words: readonly string[]) {
  const first = words.findIndex((word) => word.startsWith('-'));
  const named = first === -1 ? words : words.slice(0, first);
  const unknown = named.find((word) => !(PIECES as readonly string[]).includes(word));
  if (unknown !== undefined) refuse(`There is no piece "${unknown}"; there is ${PIECES.join(', ')}.`, usage);
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const known = {
    shadows: text(numbers.shadows),
    kills: text(numbers.kills),
    reads: text(numbers.reads),
    requests: text(numbers.requests),
    'per-second': text(numbers['per-second']),
    'min-seconds': text(numbers['min-seconds']),
    'min-requests': text(numbers['min-requests']),
    runs: text(numbers.runs),
    traffic: text(numbers.traffic),
    module: text('orders'),
    steps: text('shadow,1,10,50,100'),
    seed: text(String(1 + Math.floor(Math.random() * 1_000_000))),
    json: { type: 'boolean', default: false },
  } as const;
  const values = readArguments(usage, known, words.slice(named.length));
  const number = (name: keyof typeof numbers | 'seed') => countOf(name, values[name], usage);
  const { module, steps, json } = values;
  const modules = moduleNames(shopApp);
  if (!modules.includes(module)) refuse(`--module is one of ${modules.join(', ')}, not "${module}".`, usage);
  const policy = policyOf({ steps: steps.split(',') });
  if ('complaint' in policy) refuse(`--steps: ${policy.complaint}.`, usage);
  if (!steps.endsWith('100')) refuse(`--steps ends with 100: the piece climbs to the end.`, usage);
  return {
    pieces: named.length > 0 ? (named as Piece[]) : PIECES,
    seed: number('seed'),
    traces: { shadows: number('shadows'), kills: number('kills') },
    running: { reads: number('reads') },
    climb: {
      module,
      steps,
      requests: number('requests'),
      perSecond: number('per-second'),
      minSeconds: number('min-seconds'),
      minRequests: number('min-requests'),
    },
    simulation: { runs: number('runs'), perSecond: number('traffic') },
    json,
  };
}
