// OpenTelemetry traces, exported over OTLP/HTTP. Loaded only where an endpoint is configured.
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type IdGenerator, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { Tracing } from './tracing.ts';

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const;

/** A collector that does not answer holds up no host's end for longer. */
const CLOSE_MS = 2_000;

/** The SDK asks for ids when a span starts; it gets the ones that the trace context already carries. */
class GivenIds implements IdGenerator {
  traceId = '';
  spanId = '';
  generateTraceId = () => this.traceId;
  generateSpanId = () => this.spanId;
}

export function createTracing(endpoint: string, host: string): Tracing {
  const ids = new GivenIds();
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` });
  const provider = new NodeTracerProvider({
    idGenerator: ids,
    resource: resourceFromAttributes({ 'service.name': 'banyan', 'service.instance.id': host }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('banyan');
  return {
    enabled: true,
    record({ name, kind, traceparent, parent, startMs, endMs, failed, attributes }) {
      // The client decided for the whole trace whether it is kept (W3C Trace Context, 3.2.2.5).
      if ((Number.parseInt(traceparent.slice(53, 55), 16) & TraceFlags.SAMPLED) === 0) return;
      ids.traceId = traceparent.slice(3, 35);
      ids.spanId = traceparent.slice(36, 52);
      const context = parent
        ? trace.setSpanContext(ROOT_CONTEXT, {
            traceId: ids.traceId,
            spanId: parent,
            traceFlags: TraceFlags.SAMPLED,
            isRemote: true,
          })
        : ROOT_CONTEXT;
      const span = tracer.startSpan(
        name,
        { kind: kinds[kind], startTime: startMs, attributes: { ...attributes } },
        context,
      );
      if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(endMs);
    },
    close: () => within(CLOSE_MS, provider.shutdown()),
  };
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => {}), late]);
  clearTimeout(timer);
}
