// All counted trials of one side in one: histograms merged, cost by process, events by path.

import type { ProcessCost, SideMeasured } from './format/report.ts';
import { highestLag } from './measure/events.ts';
import { Latencies } from './statistics/histogram.ts';
import type { Measured } from './trials.ts';

/** @param kinds every kind that the report tells of, in its order. */
export function summarise(
  trials: readonly Measured[],
  kinds: readonly string[],
  idleCpuSecondsPerMinute: number | null,
): SideMeasured {
  const requests = sum(trials.map(({ trial }) => trial.requests));
  const failures = sum(trials.map(({ trial }) => trial.failures));
  const wires = trials.flatMap(({ wire, trial }) => (wire ? [{ ...wire, requests: trial.requests }] : []));
  const perRequest = (read: (one: (typeof wires)[number]) => number) =>
    wires.length === 0 ? null : sum(wires.map(read)) / Math.max(1, sum(wires.map((one) => one.requests)));
  const processes = costs(trials, requests);
  return {
    latency: ['all', ...kinds].map((kind) => {
      const all = new Latencies();
      for (const { latencies } of trials) {
        const one = latencies.get(kind);
        if (one) all.add(one);
      }
      return {
        kind,
        samples: all.count,
        failures: sum(trials.map((one) => one.failures.get(kind) ?? 0)),
        ...all.quantiles(),
        curve: all.curve(),
      };
    }),
    processes,
    cpuSecondsPer1000: sum(
      processes.filter(({ role }) => role !== 'generator').map((one) => one.cpuSecondsPer1000),
    ),
    peakMemoryBytes: highest(trials.map(({ trial }) => trial.memoryBytes)),
    idleCpuSecondsPerMinute,
    wire: {
      callsPerRequest: perRequest((one) => one.calls),
      bytesPerRequest: perRequest((one) => one.bytes),
    },
    events: eventsOf(trials),
    requests,
    failures,
    failureExamples: [...new Set(trials.flatMap((one) => one.examples))].slice(0, 10),
  };
}

function costs(trials: readonly Measured[], requests: number): ProcessCost[] {
  const found = new Map<string, { first: Measured['processes'][number]; cpu: number; memory: number }>();
  for (const one of trials.flatMap(({ processes }) => processes)) {
    const known = found.get(one.name) ?? { first: one, cpu: 0, memory: 0 };
    known.cpu += one.cpuSeconds;
    known.memory = Math.max(known.memory, one.memoryBytes ?? 0);
    found.set(one.name, known);
  }
  return [...found.values()].map(({ first: { name, role, modules }, cpu, memory }) => ({
    name,
    role,
    modules: [...modules],
    cpuSecondsPer1000: (cpu / Math.max(1, requests)) * 1000,
    peakMemoryBytes: memory || null,
  }));
}

function eventsOf(trials: readonly Measured[]): SideMeasured['events'] {
  const times = trials.flatMap(({ events }) => events);
  const latencies = (some: typeof times) => {
    const all = new Latencies();
    for (const { publishedMs, effectMs } of some) all.record(Math.max(0, effectMs - publishedMs));
    return all;
  };
  const all = latencies(times);
  const paths = [...new Set(times.map(({ event, consumer }) => `${event} ${consumer}`))].sort();
  return {
    samples: times.length,
    p50Ms: all.quantile(0.5),
    p99Ms: all.quantile(0.99),
    maxMs: all.maxMs,
    highestLag: times.length === 0 ? null : Math.max(...trials.map(({ events }) => highestLag(events))),
    paths: paths.map((path) => {
      const [event, consumer] = path.split(' ') as [string, string];
      const some = latencies(times.filter((one) => one.event === event && one.consumer === consumer));
      return { event, consumer, samples: some.count, p50Ms: some.quantile(0.5), p99Ms: some.quantile(0.99) };
    }),
  };
}

const sum = (values: readonly number[]) => values.reduce((total, one) => total + one, 0);

function highest(values: readonly (number | null)[]): number | null {
  const known = values.filter((one) => one !== null);
  return known.length === 0 ? null : Math.max(...known);
}
