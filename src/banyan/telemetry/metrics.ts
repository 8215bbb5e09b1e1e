// Metrics in Prometheus' format, named after OpenTelemetry's semantic conventions. One registry per host,
// handed to whoever measures; nothing global.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { EDGES, Stats } from './stats.ts';
import { exposeStats } from './stats-series.ts';

export interface Metrics {
  readonly registry: Registry;
  /** Requests and calls by module, side and operation: of those whose side this host decided. */
  readonly stats: Stats;
  /** Seconds of a request on an HTTP port, by method, route and status. */
  readonly request: Histogram<'method' | 'route' | 'status'>;
  /** Seconds of a call to another process, by module, operation and outcome. */
  readonly call: Histogram<'module' | 'operation' | 'outcome'>;
  /** Requests that the gateway sent to another instance because one refused. */
  readonly rerouted: Counter<'module'>;
  /** A gauge whose value is read when somebody scrapes. Of one name there may be several: their labels differ. */
  gauge(
    name: string,
    help: string,
    labels: readonly string[],
    read: () => Promise<MetricSample[]> | MetricSample[],
  ): void;
  /** A counter that somebody else counts, read when somebody scrapes; it only grows while the process lives. */
  total(name: string, help: string, labels: readonly string[], read: () => MetricSample[]): void;
}

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const buckets = [...EDGES];

export function createMetrics(host: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ host });
  collectDefaultMetrics({ register: registry });
  const stats = new Stats();
  exposeStats(registry, stats);
  const registers = [registry];
  const gauges = new Map<string, (() => Promise<MetricSample[]> | MetricSample[])[]>();
  return {
    registry,
    stats,
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
    gauge(name, help, labels, read) {
      const reads = gauges.get(name);
      if (reads) return void reads.push(read);
      const all = [read];
      gauges.set(name, all);
      new Gauge({
        name,
        help,
        labelNames: [...labels],
        registers,
        async collect() {
          this.reset();
          for (const one of all) for (const { labels: at, value } of await one()) this.set(at, value);
        },
      });
    },
    total(name, help, labels, read) {
      new Counter({
        name,
        help,
        labelNames: [...labels],
        registers,
        collect() {
          this.reset();
          for (const { labels: at, value } of read()) this.inc(at, value);
        },
      });
    },
  };
}
