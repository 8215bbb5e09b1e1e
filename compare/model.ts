// What a topology could do with other cores, from what its requests cost each process (the utilisation law: U = X * D).
// A Node process runs on one core, so the costliest process is a limit of its own; the rest shares all cores. A
// queue keeps a topology from being used up: mean latency D / (1 - U), and p99 of it 4.6 times that (exponential).
import { availableParallelism } from 'node:os';
import type { Capacity, Model, Report, Side, SideMeasured } from './format/report.ts';

const CORES = [1, 2, 4, 8, 16, 32];
/** ln(100): the 99th percentile of an exponential distribution, in means. */
const P99_IN_MEANS = Math.log(100);

interface Demand {
  readonly process: string;
  readonly role: string;
  readonly demandMs: number;
}

export function demandsOf({ processes }: SideMeasured): Demand[] {
  return processes
    .filter(({ role }) => role !== 'generator')
    .map(({ name, role, cpuSecondsPer1000 }) => ({ process: name, role, demandMs: cpuSecondsPer1000 }));
}

/** The highest rate with p99 under the bound, and what limits it. */
export function predictCapacity(
  demands: readonly Demand[],
  cores: number,
  boundMs: number,
): { perSecond: number; bottleneck: string } {
  const total = demands.reduce((sum, one) => sum + one.demandMs, 0);
  // How far a core can be used before p99 passes the bound.
  const most = Math.max(0.05, 1 - (P99_IN_MEANS * total) / boundMs);
  const single = demands
    .filter(({ role }) => role === 'host')
    .map(({ process, demandMs }) => ({ bottleneck: process, perSecond: (1000 / demandMs) * most }));
  const shared = { bottleneck: 'cores', perSecond: ((cores * 1000) / total) * most };
  return [shared, ...single].reduce((least, one) => (one.perSecond < least.perSecond ? one : least));
}

export function modelOf(
  measured: Report['measured'],
  perSecond: number,
  boundMs: number,
  capacity: Capacity | null,
): Model {
  const here = availableParallelism();
  // Where no trial counts there is no demand to reckon with.
  const sides = (['a', 'b'] as const)
    .map((side) => ({ side, demands: demandsOf(measured[side]) }))
    .filter(({ demands }) => demands.some(({ demandMs }) => demandMs > 0));
  return {
    notes: [
      `Demands are CPU milliseconds per request at ${perSecond} a second; the generator shares the cores here and is left out.`,
      `On ${here} cores every shape is limited by the cores together, so this says little about scaling out: the model is for more of them.`,
      'Each process is counted once: a monolith can be run as replicas too, each with the whole demand.',
      'It knows no locks, no disk and no network: those make it too good.',
      'It counts what follows an answer as part of its request, and knows no work in groups, which costs less at higher rates: those make it too bad.',
    ],
    demands: sides.flatMap(({ side, demands }) => demands.map((one) => ({ side, ...one }))),
    predictions: sides.flatMap(({ side, demands }) =>
      CORES.map((cores) => ({ side, cores, ...predictCapacity(demands, cores, boundMs) })),
    ),
    checks: sides.flatMap(({ side, demands }) => [
      ...checkLatency(side, demands, measured[side], perSecond, here),
      ...checkCapacity(side, demands, capacity, boundMs, here),
    ]),
  };
}

/** The mean of an exponential distribution lies at 1 / ln 2 of its median. */
function checkLatency(
  side: Side,
  demands: readonly Demand[],
  { latency }: SideMeasured,
  perSecond: number,
  cores: number,
): Model['checks'] {
  const median = latency.find(({ kind }) => kind === 'all')?.p50Ms;
  const total = demands.reduce((sum, one) => sum + one.demandMs, 0);
  const used = (perSecond * total) / 1000 / cores;
  if (median === null || median === undefined || used >= 1) return [];
  return [check(side, 'p50 at the rate of the rounds', 'ms', (total / (1 - used)) * Math.LN2, median)];
}

function checkCapacity(
  side: Side,
  demands: readonly Demand[],
  capacity: Capacity | null,
  boundMs: number,
  cores: number,
): Model['checks'] {
  const found = (capacity?.searches ?? []).filter(
    (one) => one.side === side && one.perSecond !== null && !one.atLeast,
  );
  if (found.length === 0) return [];
  const sorted = found.map((one) => one.perSecond!).sort((a, b) => a - b);
  const predicted = predictCapacity(demands, cores, boundMs).perSecond;
  return [
    check(side, `capacity on ${cores} cores`, '1/s', predicted, sorted[Math.floor(sorted.length / 2)]!),
  ];
}

function check(
  side: Side,
  what: string,
  unit: string,
  predicted: number,
  measured: number,
): Model['checks'][number] {
  return { side, what, unit, predicted, measured, error: predicted / measured - 1 };
}
