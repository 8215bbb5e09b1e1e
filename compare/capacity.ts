// Capacity: the highest rate at which p99 stays under a stated bound and nothing fails. Up by half until it does not
// hold, then halving what is between. A step is long enough for a p99 of its own where the rate allows; at low rates
// at most one request in a hundred may be over the bound, which is the same with less to go by. Processes are warm
// before the first step, and the rate at which the way up ends must fail twice: one stall is no limit.
import type { Fixture } from './fixture.ts';
import type { Capacity } from './format/report.ts';
import { CONNECTIONS } from './rate.ts';
import { Latencies } from './statistics/histogram.ts';
import type { Instance } from './topology/instance.ts';
import { histograms, judgeGenerator, requestTimeoutMs } from './trials.ts';
import { record } from './workload/record.ts';

type Step = Capacity['searches'][number]['steps'][number];

export const P99_BOUND_MS = 100;
const STEP_MS = 4000;
const LONGEST_STEP_MS = 8000;
const WARM_UP_MS = 4000;
/** 2,000 for a p99, and a tenth more: arrivals are random. */
const SAMPLES = 2200;
const BISECTIONS = 3;
const MOST_STEPS = 14;
/** Less than this of what was offered was answered in time: a queue grows. */
const ACHIEVED = 0.95;

export interface Searched {
  readonly perSecond: number | null;
  readonly atLeast: boolean;
  readonly steps: Step[];
}

export async function searchCapacity(
  fixture: Fixture,
  instance: Instance,
  start: number,
  name: string,
): Promise<Searched> {
  const { say, signal } = fixture.options;
  const steps: Step[] = [];
  const holds = async (perSecond: number): Promise<Step> => {
    signal.throwIfAborted();
    say('capacity', `${instance.topology.label}: ${Math.round(perSecond)} a second`);
    const step = await tryRate(fixture, instance, perSecond, stepMs(perSecond), `${name}-${steps.length}`);
    steps.push(step);
    return step;
  };
  say('capacity', `${instance.topology.label}: warm-up`);
  await tryRate(fixture, instance, start / 2, WARM_UP_MS, `${name}-warm-up`);
  let good = 0;
  let bad: number | undefined;
  let rate = start;
  while (steps.length < MOST_STEPS) {
    let step = await holds(rate);
    if (!step.ok && !step.generatorWasTheLimit) step = await holds(rate);
    if (step.generatorWasTheLimit) return { perSecond: good || null, atLeast: true, steps };
    if (step.ok) good = rate;
    else bad = rate;
    if (bad === undefined) rate *= 1.5;
    else if (good === 0) {
      rate /= 2;
      if (rate < 5) break;
    } else break;
  }
  for (let i = 0; i < BISECTIONS && good > 0 && bad !== undefined; i++) {
    const step = await holds((good + bad) / 2);
    if (step.generatorWasTheLimit) break;
    if (step.ok) good = step.perSecond;
    else bad = step.perSecond;
  }
  return { perSecond: good || null, atLeast: good > 0 && bad === undefined, steps };
}

function stepMs(perSecond: number): number {
  return Math.min(LONGEST_STEP_MS, Math.max(STEP_MS, (SAMPLES / perSecond) * 1000));
}

async function tryRate(
  fixture: Fixture,
  instance: Instance,
  perSecond: number,
  ms: number,
  run: string,
): Promise<Step> {
  const { options, generator, stock, files } = fixture;
  const { requests } = record(options.workload, stock, { perSecond, ms, seed: options.seed, run });
  const result = await generator.run({
    url: instance.url,
    requests,
    connections: CONNECTIONS,
    timeoutMs: requestTimeoutMs,
    files,
  });
  const { latencies } = histograms(requests, result);
  const all = latencies.get('all') ?? new Latencies();
  const failures = result.failed.reduce((sum, one) => sum + one, 0);
  const achievedPerSecond =
    (requests.length - failures) / (Math.max(ms, lastAnswer(requests, result)) / 1000);
  const tooSlow = result.latencyMs.reduce((sum, ms) => sum + (ms > P99_BOUND_MS ? 1 : 0), 0);
  return {
    perSecond,
    achievedPerSecond,
    p99Ms: all.quantile(0.99),
    failures,
    ok:
      failures === 0 &&
      tooSlow <= requests.length / 100 &&
      achievedPerSecond >= ACHIEVED * (requests.length / (ms / 1000)),
    generatorWasTheLimit: judgeGenerator(result, all).wasTheLimit,
  };
}

/** When the last request was answered; following an order to its decision is not part of it. */
function lastAnswer(
  requests: readonly { atMs: number }[],
  { latencyMs }: { latencyMs: Float64Array },
): number {
  let last = 0;
  for (const [index, { atMs }] of requests.entries()) last = Math.max(last, atMs + latencyMs[index]!);
  return last;
}

/** Searches on both sides, in the order A B B A. */
export async function compareCapacity(fixture: Fixture, start: number, pairs: number): Promise<Capacity> {
  const searches: Capacity['searches'] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const order = pair % 2 === 0 ? (['a', 'b'] as const) : (['b', 'a'] as const);
    for (const side of order) {
      const found = await searchCapacity(fixture, fixture.instances[side], start, `capacity-${pair}`);
      searches.push({ pair, side, ...found });
    }
  }
  return { p99BoundMs: P99_BOUND_MS, stepSeconds: STEP_MS / 1000, searches };
}
