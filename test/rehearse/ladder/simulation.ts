// The piece `simulation`: whole ladders climbed by dice, for each truth of ladder/testing/simulation.ts, and ladders that end
// at 1 percent. How often a far side gets to the end that must not, and one that must: held against what is promised.
// Every truth has a seed of its own that follows from the run's, so that one alone gives what it gives among all.
import { Worker } from 'node:worker_threads';
import { type Outcomes, TRUTHS } from '../../../src/banyan/ladder/testing/simulation.ts';
import { Findings } from '../share/findings.ts';
import { figure, type Outcome, type Play } from './outcome.ts';
import { limitsOf, type Played, WAYS } from './promised.ts';

export interface SimulationOptions extends Play {
  /** Ladders of each truth. */
  readonly runs: number;
  readonly perSecond: number;
  readonly seed: number;
}

/** As many as the machines that this is made for have cores. */
const AT_ONCE = 2;

export async function playSimulation(options: SimulationOptions): Promise<Outcome> {
  const { runs, perSecond, seed, say } = options;
  const began = performance.now();
  const all: Played[] = Object.keys(WAYS).flatMap((way) =>
    TRUTHS.map(({ name, good }, truth) => ({ way: way as Played['way'], truth, name, good })),
  );
  const climbed = new Map<Played, Outcomes>();
  const left = all.toReversed();
  const some = async () => {
    for (let one = left.pop(); one; one = left.pop()) {
      climbed.set(one, await inWorker({ ...one, runs, perSecond, seed: seed + one.truth }, options.signal));
      say(`simulation: ${climbed.size} of ${all.length}; ${one.name}, ${WAYS[one.way].title}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
  const found = new Findings();
  for (const one of all)
    for (const sentence of limitsOf(one).broken(climbed.get(one)!))
      found.add(`${one.name}, ${WAYS[one.way].title}`, sentence);
  return {
    piece: 'simulation',
    command: `npm run rehearse -- ladder simulation --runs ${runs} --traffic ${perSecond} --seed ${seed}`,
    seconds: (performance.now() - began) / 1000,
    table: [
      ['far side', 'ladder', 'promised', 'promoted', 'demoted', 'paused', 'took, in the middle'],
      ...all.map((one) => rowOf(one, climbed.get(one)!)),
    ],
    notes: [
      `${figure(runs)} ladders of each, ${perSecond} requests a second in the middle; what is paused had too little traffic for a verdict within an hour on a rung.`,
    ],
    wrong: found.sentences(),
  };
}

const percent = (share: number) => `${(100 * share).toFixed(share > 0 && share < 0.01 ? 2 : 1)} %`;

function rowOf(one: Played, { promoted, demoted, paused, at, farRequests, seconds }: Outcomes) {
  const rungs = Object.entries(at).map(([rung, share]) => `${percent(share ?? 0)} at ${rung}`);
  return [
    one.name,
    WAYS[one.way].title,
    limitsOf(one).promise,
    percent(promoted),
    demoted > 0 ? `${percent(demoted)} (${rungs.join(', ')})` : '0.0 %',
    percent(paused),
    `${figure(seconds)} s, ${figure(farRequests)} requests of the far side`,
  ];
}

export interface Work extends Pick<Played, 'way' | 'truth'> {
  readonly runs: number;
  readonly perSecond: number;
  readonly seed: number;
}

async function inWorker(work: Work, signal: AbortSignal): Promise<Outcomes> {
  signal.throwIfAborted();
  const worker = new Worker(new URL('simulated.ts', import.meta.url), { workerData: work });
  const abort = () => void worker.terminate();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await new Promise<Outcomes>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(signal.reason ?? new Error('the dice ended without an outcome')));
    });
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
