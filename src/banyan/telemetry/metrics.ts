// The numbers of a host, named after Prometheus' conventions and OpenTelemetry's: one registry, handed to whoever measures;
// nothing global. They leave by two ways, as Prometheus' text under /metrics and by OTLP (otlp-metrics.ts).
// docs/observability.md lists all of them.
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import { EDGES } from './edges.ts';
import { type Instruments, instrumentsOf } from './instruments.ts';
import { JobAttempts } from './job-attempts.ts';
import { countProblems, type ProblemCounts } from './problem-counts.ts';
import { Stats } from './stats.ts';
import { exposeStats } from './stats-series.ts';

export type { Count, LabelValues, Observe } from './instruments.ts';
export type { MetricSample, ReadSamples } from './reading.ts';

export interface Metrics extends Instruments {
  readonly registry: Registry;
  /** Requests and calls by module, side and operation: of those whose side this host decided. */
  readonly stats: Stats;
  /** Attempts of jobs by module. */
  readonly attempts: JobAttempts;
  /** Seconds of a request on an HTTP port, by method, route and status. */
  readonly request: Histogram<'method' | 'route' | 'status'>;
  /** Seconds of a call to another process, by module, operation and outcome. */
  readonly call: Histogram<'module' | 'operation' | 'outcome'>;
  /** Answers that were problems. */
  readonly problems: ProblemCounts;
  /** Requests that the gateway sent to another instance because one refused. */
  readonly rerouted: Counter<'module'>;
}

/** A gauge by module, style, step and state. */
export const SAGAS_OPEN = 'banyan_sagas_open';

const buckets = [...EDGES];

export function createMetrics(host: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ host });
  collectDefaultMetrics({ register: registry });
  const stats = new Stats();
  exposeStats(registry, stats);
  const instruments = instrumentsOf(registry);
  const attempts = new JobAttempts();
  exposeAttempts(instruments, attempts);
  const registers = [registry];
  return {
    ...instruments,
    registry,
    stats,
    attempts,
    problems: countProblems(instruments.counter),
    request: new Histogram({
      name: 'http_server_request_duration_seconds',
      help: 'Duration of HTTP requests',
      labelNames: ['method', 'route', 'status'],
      buckets,
      registers,
    }),
    call: new Histogram({
      name: 'rpc_client_duration_seconds',
      help: 'Duration of calls to modules in other processes',
      labelNames: ['module', 'operation', 'outcome'],
      buckets,
      registers,
    }),
    rerouted: new Counter({
      name: 'banyan_gateway_rerouted_total',
      help: 'Requests sent to another instance because one refused',
      labelNames: ['module'],
      registers,
    }),
  };
}

function exposeAttempts({ total }: Instruments, attempts: JobAttempts): void {
  const by = (field: 'n' | 'bad') => () =>
    Object.entries(attempts.read()).map(([module, one]) => ({ labels: { module }, value: one[field] }));
  total(
    'banyan_job_attempts_total',
    'Attempts at rows that waited and at steps of sagas',
    ['module'],
    by('n'),
  );
  total('banyan_job_attempts_failed_total', 'Those that failed', ['module'], by('bad'));
}
