// What is measured beside the trials, by mode: nothing when quick; two faults, flips, change and traces by default;
// every fault of every module, capacity and scaling in full. Between two of the same topology there is nothing to flip.
import { compareCapacity, P99_BOUND_MS } from './capacity.ts';
import { deploySizes, killToReady } from './change.ts';
import type { Fixture } from './fixture.ts';
import { flipUnderLoad } from './flips.ts';
import type { Change, Report, Side } from './format/report.ts';
import { thresholdOf } from './impact.ts';
import { isolate } from './isolation.ts';
import { modelOf } from './model.ts';
import { scaleModule } from './scaling.ts';
import { Latencies } from './statistics/histogram.ts';
import { traceBoth } from './traces.ts';
import type { Measured } from './trials.ts';

type Parts = Pick<Report, 'capacity' | 'isolation' | 'flips' | 'scaling' | 'model' | 'change' | 'traces'>;

export interface Experiments {
  readonly parts: Parts;
  /** Parts that broke off: the rest of a report is not lost for them. */
  readonly broken: Report['thrownAway'];
}

const nothing: Parts = {
  capacity: null,
  isolation: null,
  flips: null,
  scaling: null,
  model: null,
  change: null,
  traces: null,
};

/** Pairs of searches for capacity: each takes half a minute a side. */
const CAPACITY_PAIRS = 3;

export async function runExperiments(
  fixture: Fixture,
  trials: readonly Measured[],
  measured: Report['measured'],
  perSecond: number,
): Promise<Experiments> {
  const { options } = fixture;
  const { mode, self, signal } = options;
  const broken: Report['thrownAway'] = [];
  if (mode === 'quick') return { parts: nothing, broken };
  const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T | null> => {
    try {
      signal.throwIfAborted();
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      broken.push({ what, why: `it broke off: ${(error as Error).message}` });
      await fixture.restart();
      return null;
    }
  };
  const full = mode === 'full';
  const services = [...options.b.services.keys()];
  await fixture.restart();
  const capacity = full
    ? await attempt('capacity', () => compareCapacity(fixture, perSecond * 1.25, CAPACITY_PAIRS))
    : null;
  const model = modelOf(measured, perSecond, P99_BOUND_MS, capacity);
  if (self || services.length === 0) return { parts: { ...nothing, capacity, model }, broken };

  const chosen = full ? services : [choose(fixture)];
  const hot = hottest(fixture);
  const scaling =
    full && hot !== undefined
      ? await attempt('scaling', () => scaleModule(fixture, hot, measured.b, perSecond))
      : null;
  const flipped = await attempt('flips', () => flipUnderLoad(fixture, chosen, perSecond, full ? 4 : 3));
  const change = await attempt('change', () => measureChange(fixture, flipped?.flipMs ?? []));
  const isolation = await attempt('failure isolation', () =>
    isolate(fixture, {
      faults: full ? ['killed', 'frozen', 'cpu-burn', 'memory-leak'] : ['killed', 'frozen'],
      modules: full ? [...services, 'gateway'] : chosen,
      perSecond: Math.max(20, Math.round(perSecond / 2)),
      thresholds: { a: thresholds(trials, 'a'), b: thresholds(trials, 'b') },
    }),
  );
  const traces = await attempt('traces', () => traceBoth(fixture));
  return {
    parts: { capacity, isolation, flips: flipped?.flips ?? null, scaling, model, change, traces },
    broken,
  };
}

async function measureChange(
  { options, instances: { a, b } }: Fixture,
  flipMs: Change['flipMs'],
): Promise<Report['change']> {
  options.say('change', 'from kill to ready');
  return {
    a: {
      killToReadyMs: await killToReady(a, options.signal),
      flipMs: [],
      startMs: a.readyMs,
      deploy: deploySizes(a),
    },
    b: {
      killToReadyMs: await killToReady(b, options.signal),
      flipMs,
      startMs: b.readyMs,
      deploy: deploySizes(b),
    },
  };
}

/** The service that the workload needs for what writes, else the first that it needs, else the first. */
function choose({ options }: Fixture): string {
  const services = options.b.services;
  const needed = Object.values(options.workload.kinds)
    .sort((a, b) => Number(b.until !== undefined) - Number(a.until !== undefined))
    .flatMap(({ needs }) => needs ?? []);
  return needed.find((one) => services.has(one)) ?? [...services.keys()][0]!;
}

/** The service that most requests need. */
function hottest({ options }: Fixture): string | undefined {
  const kinds = Object.values(options.workload.kinds).sort((a, b) => b.share - a.share);
  return kinds.flatMap(({ needs }) => needs ?? []).find((one) => options.b.services.has(one));
}

function thresholds(trials: readonly Measured[], side: Side): Map<string, number> {
  const all = new Map<string, Latencies>();
  for (const { latencies } of trials.filter(({ trial }) => trial.side === side)) {
    for (const [kind, one] of latencies) {
      const sum = all.get(kind) ?? new Latencies();
      sum.add(one);
      all.set(kind, sum);
    }
  }
  return new Map([...all].map(([kind, one]) => [kind, thresholdOf(one)]));
}
