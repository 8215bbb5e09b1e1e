// The numbers of stats.ts under /metrics: made when somebody scrapes, of what was counted anyway. As many series as
// contracts have operations, at most, for each side. It counts nothing itself.
import type { Registry } from 'prom-client';
import { EDGES } from './edges.ts';
import type { Counted, Stats } from './stats.ts';

interface Value {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

type Labels = { readonly module: string; readonly operation: string; readonly side: string };

export function exposeStats(registry: Registry, stats: Stats): void {
  const add = (
    name: string,
    type: 'counter' | 'histogram',
    help: string,
    valuesOf: (counter: Counted, labels: Labels) => readonly Value[],
  ) => {
    const values = () =>
      [...stats].flatMap(([module, side, operation, counter]) =>
        valuesOf(counter, { module, operation, side }),
      );
    // What a registry asks of a metric; its own classes keep the numbers themselves.
    const metric = {
      name,
      help,
      type,
      get: async () => ({ name, help, type, values: values() }),
      reset() {},
    };
    registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0]);
  };
  const total = (name: string, help: string, field: 'count' | 'bad' | 'slow') =>
    add(name, 'counter', help, (counter, labels) => [{ labels, value: counter[field] }]);

  total('banyan_requests_total', 'Requests and calls by the side that this host decided on', 'count');
  total('banyan_requests_bad_total', 'Those watched that failed: 5xx, too late, no answer', 'bad');
  total(
    'banyan_requests_slow_total',
    'Those watched that took longer than the threshold of their module',
    'slow',
  );
  add(
    'banyan_request_duration_seconds',
    'histogram',
    'Duration of those watched: all but near calls, of which one in 16',
    durations,
  );
}

/** As a histogram is written: each bucket with all below it. */
function durations({ watched, seconds, buckets }: Counted, labels: Labels): Value[] {
  const name = 'banyan_request_duration_seconds';
  let below = 0;
  const upTo = EDGES.map((le, at) => {
    below += buckets[at]!;
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: below };
  });
  return [
    ...upTo,
    { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: watched },
    { metricName: `${name}_sum`, labels, value: seconds },
    { metricName: `${name}_count`, labels, value: watched },
  ];
}
