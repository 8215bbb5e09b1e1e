// Telemetry that leaves a host by OTLP/HTTP: each signal that has an endpoint, from one resource, and nothing loaded of the
// others. Guarantees: nobody waits for whoever takes it, neither a request nor, for longer than a second, the end of the host;
// what waits is bounded (delivery.ts). Loaded only where there is an endpoint at all.
import { arch, hostname } from 'node:os';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { Logger } from 'pino';
import { Delivery, Outage } from './delivery.ts';
import type { LineSink } from './log-lines.ts';
import type { Metrics } from './metrics.ts';
import { type OtlpTarget, type Signal, signals } from './otlp-target.ts';
import type { Sending } from './sending.ts';
import { noTracing, type Tracing } from './tracing.ts';

/** A host, as telemetry names it. */
export interface Teller {
  readonly hostId: string;
  /** `monolith`, `gateway`, or the modules of a service. */
  readonly name: string;
  readonly version: string;
}

export interface Otlp {
  readonly tracing: Tracing;
  /** Absent: lines stay here. */
  readonly lines: LineSink | undefined;
  /** The signals whose endpoint does not take what it is sent, as far as is known. */
  down(): readonly Signal[];
  /** Sends what there is, and ends within a second; at once where nobody answers. */
  close(): Promise<void>;
}

const TIMEOUT_MS = 5_000;
/** The exporter says why it failed before a batch says that it took too long. */
const batching = {
  maxQueueSize: 4_096,
  scheduledDelayMillis: 1_000,
  exportTimeoutMillis: TIMEOUT_MS + 1_000,
};
const CLOSE_MS = 1_000;

export async function openOtlp(
  target: OtlpTarget,
  teller: Teller,
  metrics: Metrics,
  log: Logger,
): Promise<Otlp> {
  const { endpoints, headers, intervalMs, attributes } = target;
  const resource = resourceOf(teller, attributes);
  const outage = new Outage(log);
  const counts = countsOf(metrics);
  const open = new Map<Signal, Delivery>();
  const sendingOf = (signal: Signal): Sending | undefined => {
    const url = endpoints[signal];
    if (url === undefined) return undefined;
    const delivery = new Delivery(signal, outage, counts);
    open.set(signal, delivery);
    const exporting = { url, headers: { ...headers }, timeoutMillis: TIMEOUT_MS };
    return { exporting, batching, resource, delivery };
  };
  const [forTraces, forMetrics, forLogs] = signals.map(sendingOf);
  const [traces, numbers, lines] = await Promise.all([
    forTraces && import('./otlp-traces.ts').then(({ sendTraces }) => sendTraces(forTraces)),
    forMetrics &&
      import('./otlp-metrics.ts').then(({ sendMetrics }) =>
        sendMetrics(forMetrics, metrics.registry, intervalMs),
      ),
    forLogs && import('./otlp-logs.ts').then(({ sendLogs }) => sendLogs(forLogs)),
  ]);
  const down = () => [...open].filter(([, one]) => one.isDown).map(([signal]) => signal);
  return {
    tracing: traces ?? noTracing,
    lines,
    down,
    async close() {
      const isDown = down().length > 0;
      const sent = Promise.allSettled([traces?.close(), numbers?.close(), lines?.close()]);
      if (!isDown) await within(CLOSE_MS, sent);
    },
  };
}

/** After OpenTelemetry's semantic conventions; what an operator says of all hosts does not replace what one says of itself. */
function resourceOf({ hostId, name, version }: Teller, attributes: OtlpTarget['attributes']): Resource {
  return resourceFromAttributes({
    'service.namespace': 'banyan',
    ...attributes,
    'service.name': name,
    'service.version': version,
    'service.instance.id': hostId,
    'host.name': hostname(),
    'host.arch': arch(),
    'process.pid': process.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
  });
}

function countsOf({ counter }: Metrics) {
  return {
    dropped: counter('banyan_otlp_dropped_total', 'Spans and log lines that were not sent', {
      signal: ['traces', 'logs'],
    }),
    failures: counter('banyan_otlp_failures_total', 'Exports that were not taken', { signal: signals }),
  };
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
