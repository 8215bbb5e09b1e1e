// What is measured beyond the rounds, by mode: nothing when quick; two faults, flips, change and traces by default;
// every fault of every module, capacity and scaling in full. Between two of the same shape there is nothing to flip.
import { compareCapacity, P99_BOUND_MS } from './capacity.ts';
import { deploySizes, killToReady } from './change.ts';
import { flipUnderLoad } from './flips.ts';
import type { Ground } from './ground.ts';
import { thresholdOf } from './harm.ts';
import { isolate } from './isolation.ts';
import { modelOf } from './model.ts';
import type { Report, Side } from './report-shape.ts';
import type { Measured } from './rounds.ts';
import { scaleModule } from './scaling.ts';
import { Latencies } from './statistics/histogram.ts';
import { traceBoth } from './traces.ts';

type Beyond = Pick<Report, 'capacity' | 'isolation' | 'flips' | 'scaling' | 'model' | 'change' | 'traces'>;

const nothing: Beyond = {
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

export async function measureBeyond(
  ground: Ground,
  rounds: readonly Measured[],
  measured: Report['measured'],
  perSecond: number,
): Promise<Beyond> {
  const { options, instances } = ground;
  const { mode, self } = options;
  if (mode === 'quick') return nothing;
  const full = mode === 'full';
  const services = [...options.b.services.keys()];
  await ground.restart();
  const capacity = full ? await compareCapacity(ground, perSecond * 1.25, CAPACITY_PAIRS) : null;
  if (self || services.length === 0)
    return { ...nothing, capacity, model: modelOf(measured, perSecond, P99_BOUND_MS, capacity) };

  const chosen = full ? services : [choose(ground)];
  const hot = hottest(ground);
  const scaling = full && hot !== undefined ? await scaleModule(ground, hot, measured.b, perSecond) : null;
  const { flips, flipMs } = await flipUnderLoad(ground, chosen, perSecond, full ? 4 : 3);
  options.say('change', 'from kill to ready');
  const ready = {
    a: await killToReady(instances.a, options.signal),
    b: await killToReady(instances.b, options.signal),
  };
  const isolation = await isolate(ground, {
    faults: full ? ['killed', 'frozen', 'cpu-burn', 'memory-leak'] : ['killed', 'frozen'],
    modules: full ? [...services, 'gateway'] : chosen,
    perSecond: Math.max(20, Math.round(perSecond / 2)),
    thresholds: { a: thresholds(rounds, 'a'), b: thresholds(rounds, 'b') },
  });
  const change = {
    a: { killToReadyMs: ready.a, flipMs: [], startMs: instances.a.readyMs, deploy: deploySizes(instances.a) },
    b: { killToReadyMs: ready.b, flipMs, startMs: instances.b.readyMs, deploy: deploySizes(instances.b) },
  };
  const traces = await traceBoth(ground);
  return {
    capacity,
    isolation,
    flips,
    scaling,
    model: modelOf(measured, perSecond, P99_BOUND_MS, capacity),
    change,
    traces,
  };
}

/** The service that the work needs for what writes, else the first that it needs, else the first. */
function choose({ options }: Ground): string {
  const services = options.b.services;
  const needed = Object.values(options.work.kinds)
    .sort((a, b) => Number(b.until !== undefined) - Number(a.until !== undefined))
    .flatMap(({ needs }) => needs ?? []);
  return needed.find((one) => services.has(one)) ?? [...services.keys()][0]!;
}

/** The service that most requests need. */
function hottest({ options }: Ground): string | undefined {
  const kinds = Object.values(options.work.kinds).sort((a, b) => b.share - a.share);
  return kinds.flatMap(({ needs }) => needs ?? []).find((one) => options.b.services.has(one));
}

function thresholds(rounds: readonly Measured[], side: Side): Map<string, number> {
  const all = new Map<string, Latencies>();
  for (const { latencies } of rounds.filter(({ round }) => round.side === side)) {
    for (const [kind, one] of latencies) {
      const sum = all.get(kind) ?? new Latencies();
      sum.add(one);
      all.set(kind, sum);
    }
  }
  return new Map([...all].map(([kind, one]) => [kind, thresholdOf(one)]));
}
