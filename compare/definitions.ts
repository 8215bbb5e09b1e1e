// What of a trial is compared: the four primary figures first, then the exploratory ones, each with how it is read
// from a trial. It judges nothing (figures.ts does). A quantile of one trial needs five samples beyond it, not the
// twenty of one that is told alone: what is told is the median over the pairs (docs/adr/0140).
import type { Figure } from './format/report.ts';
import { TAIL_SAMPLES_IN_A_TRIAL } from './statistics/histogram.ts';
import { median } from './statistics/intervals.ts';
import type { Measured } from './trials.ts';

export interface Pair {
  readonly a: Measured;
  readonly b: Measured;
}

export type Read = (one: Measured) => number | null | undefined;

export interface Definition
  extends Pick<Figure, 'id' | 'title' | 'unit' | 'group' | 'kind' | 'better' | 'primary'> {
  readonly read: Read;
  /** Why it cannot be told of these pairs, where its own words say more than the usual ones. */
  readonly missing?: (pairs: readonly Pair[]) => string | undefined;
}

export function definitions(kinds: readonly string[]): Definition[] {
  const latency = (id: string, q: number, kind: string | null, primary: boolean): Definition => ({
    id: kind === null ? id : `${id}:${kind}`,
    title: `${id}${kind === null ? ' of all requests' : ` of ${kind}`}`,
    unit: 'ms',
    group: 'latency',
    kind,
    better: 'lower',
    primary,
    read: ({ latencies }) => latencies.get(kind ?? 'all')?.quantile(q, TAIL_SAMPLES_IN_A_TRIAL),
    ...(kind === null && { missing: (pairs: readonly Pair[]) => tooFew(id, q, pairs) }),
  });
  const role =
    (wanted: string): Read =>
    ({ processes, trial }) =>
      (processes.filter((one) => one.role === wanted).reduce((sum, one) => sum + one.cpuSeconds, 0) /
        Math.max(1, trial.requests)) *
      1000;
  const cost = (id: string, title: string, unit: string, primary: boolean, read: Read): Definition => ({
    id,
    title,
    unit,
    group: 'cost',
    kind: null,
    better: 'lower',
    primary,
    read,
  });
  return [
    cost('cpu', 'CPU per 1,000 requests', 's', true, ({ trial }) => trial.cpuSecondsPer1000),
    latency('p50', 0.5, null, true),
    latency('p99', 0.99, null, true),
    cost('memory', 'peak memory', 'bytes', true, ({ trial }) => trial.memoryBytes),
    cost('cpu-hosts', 'CPU of hosts per 1,000 requests', 's', false, role('host')),
    cost('cpu-postgres', 'CPU of PostgreSQL per 1,000 requests', 's', false, role('postgres')),
    latency('p90', 0.9, null, false),
    ...kinds.flatMap((kind) => [
      latency('p50', 0.5, kind, false),
      latency('p90', 0.9, kind, false),
      latency('p99', 0.99, kind, false),
    ]),
    {
      id: 'events-p50',
      title: 'publication to effect, p50',
      unit: 'ms',
      group: 'events',
      kind: null,
      better: 'lower',
      primary: false,
      read: ({ events }) =>
        events.length < 40
          ? null
          : Math.max(0.001, median(events.map(({ publishedMs, effectMs }) => effectMs - publishedMs))),
    },
  ];
}

/** `too few samples: a p99 takes 500 in every round, and one has 240`. */
function tooFew(id: string, q: number, pairs: readonly Pair[]): string | undefined {
  const counts = pairs.flatMap(({ a, b }) => [a, b].map((one) => one.latencies.get('all')?.count ?? 0));
  const fewest = Math.min(...counts);
  const needed = Math.round(TAIL_SAMPLES_IN_A_TRIAL / (1 - q));
  return fewest < needed
    ? `too few samples: a ${id} takes ${needed} in every round, and one has ${fewest}`
    : undefined;
}
