// The host's numbers as OpenTelemetry's metrics, sent by OTLP/HTTP now and then. They are those of the one registry that
// /metrics reads, by the same names: counters as monotonic sums, histograms with explicit edges, both cumulative since the
// process began. Loaded only where metrics have an endpoint. It measures nothing itself.
import { type HrTime, ValueType } from '@opentelemetry/api';
import { millisToHrTime } from '@opentelemetry/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import type { Resource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type MetricProducer,
  PeriodicExportingMetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { Registry } from 'prom-client';
import type { Sending } from './sending.ts';

/** What a registry answers of one metric. */
interface Read {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly Value[];
}

interface Value {
  readonly value: number;
  readonly labels: Readonly<Partial<Record<string, string | number>>>;
  /** Of the parts of a histogram. */
  readonly metricName?: string;
}

export function sendMetrics(
  { exporting, batching, resource, delivery }: Sending,
  registry: Registry,
  intervalMs: number,
): { close(): Promise<void> } {
  const exporter = delivery.noted<ResourceMetrics, OTLPMetricExporter>(
    new OTLPMetricExporter(exporting),
    () => 0,
  );
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: intervalMs,
    exportTimeoutMillis: Math.min(batching.exportTimeoutMillis, intervalMs),
  });
  reader.setMetricProducer(new RegistryProducer(registry, resource));
  return { close: () => reader.shutdown() };
}

export class RegistryProducer implements MetricProducer {
  readonly #registry: Registry;
  readonly #resource: Resource;

  constructor(registry: Registry, resource: Resource) {
    this.#registry = registry;
    this.#resource = resource;
  }

  async collect(): Promise<CollectionResult> {
    const read = (await this.#registry.getMetricsAsJSON()) as unknown as Read[];
    const span = { startTime: millisToHrTime(performance.timeOrigin), endTime: millisToHrTime(Date.now()) };
    const metrics = read.flatMap((one) => metricOf(one, span) ?? []);
    return {
      resourceMetrics: { resource: this.#resource, scopeMetrics: [{ scope: { name: 'banyan' }, metrics }] },
      errors: [],
    };
  }
}

type Span = Pick<DataPoint<unknown>, 'startTime' | 'endTime'> & { readonly startTime: HrTime };

/** Undefined: there is nothing to tell of it, or it is of a kind that OTLP has not (a summary; we have none). */
function metricOf({ name, help, type, values }: Read, span: Span): MetricData | undefined {
  const told = values.filter(({ value }) => Number.isFinite(value));
  if (told.length === 0) return undefined;
  const about = {
    descriptor: { name, description: help, unit: unitOf(name), valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  const points = () =>
    told.map(({ value, labels }) => ({ ...span, attributes: attributesOf(labels), value }));
  if (type === 'counter')
    return { ...about, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: points() };
  if (type === 'gauge') return { ...about, dataPointType: DataPointType.GAUGE, dataPoints: points() };
  if (type === 'histogram')
    return { ...about, dataPointType: DataPointType.HISTOGRAM, dataPoints: histogramsOf(name, told, span) };
  return undefined;
}

/** By the names' endings, in UCUM. */
function unitOf(name: string): string {
  const bare = name.replace(/_total$/, '');
  if (bare.endsWith('_seconds')) return 's';
  if (bare.endsWith('_bytes')) return 'By';
  return bare.endsWith('_ratio') ? '1' : '';
}

const attributesOf = ({ le: _, ...labels }: Value['labels']) => labels as Record<string, string | number>;

interface Parts {
  readonly attributes: Record<string, string | number>;
  readonly edges: { readonly upTo: number; readonly count: number }[];
  sum: number;
  count: number;
}

/** Prometheus counts in each bucket all below it, too; here each has its own. */
function histogramsOf(name: string, values: readonly Value[], span: Span): DataPoint<Histogram>[] {
  const series = new Map<string, Parts>();
  for (const { labels, metricName, value } of values) {
    const attributes = attributesOf(labels);
    const key = JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
    const parts: Parts = series.get(key) ?? { attributes, edges: [], sum: 0, count: 0 };
    series.set(key, parts);
    if (metricName === `${name}_sum`) parts.sum = value;
    else if (metricName === `${name}_count`) parts.count = value;
    else if (labels.le !== '+Inf') parts.edges.push({ upTo: Number(labels.le), count: value });
  }
  return [...series.values()].map(({ attributes, edges, sum, count }) => {
    edges.sort((a, b) => a.upTo - b.upTo);
    const upTo = [...edges.map((one) => one.count), count];
    const counts = upTo.map((total, at) => total - (upTo[at - 1] ?? 0));
    const buckets = { boundaries: edges.map((one) => one.upTo), counts };
    return { ...span, attributes, value: { buckets, sum, count } };
  });
}
