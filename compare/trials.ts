// One trial: a recording sent to one topology, its warm-up left out, with what it cost and what it did between
// processes. Pairs of trials go A B, B A, A B …, so that a drift of the machine hits both alike.
import { availableParallelism } from 'node:os';
import type { Side, Trial } from './format/report.ts';
import type { Generator } from './load/generator-process.ts';
import type { LoadResult, Planned } from './load/plan.ts';
import { CostWatch, type Spent } from './measure/cost.ts';
import { type EventTime, eventTimes } from './measure/events.ts';
import { cpuSeconds, machineBusySeconds } from './measure/proc.ts';
import { type WireCount, WireWatch } from './measure/wire.ts';
import { Latencies, TAIL_SAMPLES_IN_A_TRIAL } from './statistics/histogram.ts';
import type { Instance } from './topology/instance.ts';
import type { Recording } from './workload/record.ts';

export interface TrialPlan {
  readonly pair: number;
  readonly recording: Recording;
  /** Requests before this do not count. */
  readonly warmUpMs: number;
  readonly ms: number;
  readonly connections: number;
  readonly files: Readonly<Record<string, { type: string; bytes: Uint8Array }>>;
}

/** A trial with all that came out of it: what the report keeps is `trial`, there called a round. */
export interface Measured {
  readonly trial: Trial;
  /** By kind; `order-decided` where a kind is followed. */
  readonly latencies: ReadonlyMap<string, Latencies>;
  readonly failures: ReadonlyMap<string, number>;
  readonly processes: readonly Spent[];
  readonly wire: WireCount | undefined;
  readonly events: readonly EventTime[];
  readonly statuses: Int16Array;
  readonly examples: readonly string[];
}

/** A request is late that left so long after its time; requests that are late are the generator's doing. */
const LATE_MS = 5;

export const requestTimeoutMs = 10_000;

export async function runTrial(
  instance: Instance,
  generator: Generator,
  plan: TrialPlan,
  modules: readonly string[],
): Promise<Measured> {
  const { recording, warmUpMs } = plan;
  const warm = recording.requests.filter(({ atMs }) => atMs < warmUpMs);
  const counted = recording.requests
    .filter(({ atMs }) => atMs >= warmUpMs)
    .map((one) => ({ ...one, atMs: one.atMs - warmUpMs }));
  const load = (requests: readonly Planned[]) =>
    generator.run({
      url: instance.url,
      requests,
      connections: plan.connections,
      timeoutMs: requestTimeoutMs,
      files: plan.files,
    });
  if (warm.length > 0) await load(warm);

  const wire = new WireWatch(instance.hosts);
  await wire.begin();
  const busyBefore = machineBusySeconds();
  const own = [process.pid, generator.pid];
  const ownBefore = own.map(cpuSeconds);
  const cost = new CostWatch(instance);
  const began = Date.now();
  const result = await load(counted);
  const spent = cost.end();
  const busy = difference(machineBusySeconds(), busyBefore);
  const seconds = (Date.now() - began) / 1000;
  const ours =
    spent.cpuSeconds + own.reduce((sum, pid, index) => sum + cpuSeconds(pid) - ownBefore[index]!, 0);
  const between = await wire.end();
  const events = await eventTimes(
    instance.databaseUrl,
    modules,
    result.startedAt,
    result.startedAt + plan.ms - warmUpMs,
  );

  const { latencies, failures } = histograms(counted, result);
  const all = latencies.get('all') ?? new Latencies();
  const failed = result.failed.reduce((sum, one) => sum + one, 0);
  const loadSeconds = Math.max((plan.ms - warmUpMs) / 1000, result.wallMs / 1000);
  const judged = judgeGenerator(result, all);
  return {
    trial: {
      index: 0,
      pair: plan.pair,
      side: instance.side,
      startedAt: new Date(result.startedAt).toISOString(),
      seconds,
      offeredPerSecond: counted.length / ((plan.ms - warmUpMs) / 1000),
      achievedPerSecond: (counted.length - failed) / loadSeconds,
      requests: counted.length,
      failures: failed,
      p50Ms: all.quantile(0.5, TAIL_SAMPLES_IN_A_TRIAL),
      p99Ms: all.quantile(0.99, TAIL_SAMPLES_IN_A_TRIAL),
      cpuSecondsPer1000: (spent.cpuSeconds / Math.max(1, counted.length)) * 1000,
      memoryBytes: spent.memoryBytes ?? null,
      generator: judged,
      foreignCpuShare:
        busy === undefined ? null : Math.max(0, busy - ours) / (seconds * availableParallelism()),
      counted: !judged.wasTheLimit,
      thrownAway: judged.wasTheLimit ? 'the load generator was the limit' : null,
    },
    latencies,
    failures,
    processes: [
      ...spent.processes,
      {
        name: 'generator',
        role: 'generator',
        modules: [],
        cpuSeconds: result.cpuMs / 1000,
        memoryBytes: undefined,
      },
    ],
    wire: between,
    events,
    statuses: result.status,
    examples: result.examples,
  };
}

/** The generator was the limit where it had no CPU left, or where its own lateness is a good part of p99. */
export function judgeGenerator({ cpuMs, wallMs, lateMs }: LoadResult, all: Latencies): Trial['generator'] {
  const late = new Latencies();
  for (const ms of lateMs) late.record(Math.max(0, ms));
  const sorted = Float32Array.from(lateMs).sort();
  const lateP99Ms = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
  const cpuShare = wallMs === 0 ? 0 : cpuMs / wallMs;
  const p99 = all.quantile(0.99) ?? all.maxMs ?? 0;
  return {
    cpuShare,
    lateP99Ms: Math.max(0, lateP99Ms),
    wasTheLimit: cpuShare > 0.9 || (lateP99Ms > LATE_MS && lateP99Ms > p99 / 3),
  };
}

/** The name of what is measured until an order is decided. */
export const decidedKind = (kind: string) => `${kind}-decided`;

export function histograms(
  requests: readonly Planned[],
  { latencyMs, decidedMs, failed }: LoadResult,
): { latencies: Map<string, Latencies>; failures: Map<string, number> } {
  const latencies = new Map<string, Latencies>();
  const failures = new Map<string, number>();
  const of = (kind: string) => {
    let one = latencies.get(kind);
    if (!one) {
      one = new Latencies();
      latencies.set(kind, one);
    }
    return one;
  };
  for (const [index, { kind, until }] of requests.entries()) {
    if (failed[index]) {
      for (const one of ['all', kind]) failures.set(one, (failures.get(one) ?? 0) + 1);
      continue;
    }
    of('all').record(latencyMs[index]!);
    of(kind).record(latencyMs[index]!);
    if (until) of(decidedKind(kind)).record(decidedMs[index]!);
  }
  return { latencies, failures };
}

function difference(after: number | undefined, before: number | undefined): number | undefined {
  return after === undefined || before === undefined ? undefined : after - before;
}

/** A B, B A, A B … */
export function orderOf(pair: number): readonly Side[] {
  return pair % 2 === 0 ? ['a', 'b'] : ['b', 'a'];
}
