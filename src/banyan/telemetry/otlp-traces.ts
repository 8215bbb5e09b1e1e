// Finished spans as OpenTelemetry's, sent by OTLP/HTTP. Loaded only where traces have an endpoint.
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  BatchSpanProcessor,
  type IdGenerator,
  NodeTracerProvider,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-node';
import { withoutSecrets } from './secrets.ts';
import type { Sending } from './sending.ts';
import type { FinishedSpan, Tracing } from './tracing.ts';

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const;

/** The SDK asks for ids when a span starts; it gets the ones that the trace context already carries. */
class GivenIds implements IdGenerator {
  traceId = '';
  spanId = '';
  generateTraceId = () => this.traceId;
  generateSpanId = () => this.spanId;
}

export function sendTraces({ exporting, batching, resource, delivery }: Sending): Tracing {
  const ids = new GivenIds();
  const exporter = delivery.noted<ReadableSpan[], OTLPTraceExporter>(
    new OTLPTraceExporter(exporting),
    (spans) => spans.length,
  );
  const provider = new NodeTracerProvider({
    idGenerator: ids,
    resource,
    spanProcessors: [new BatchSpanProcessor(exporter, batching)],
  });
  const tracer = provider.getTracer('banyan');
  return {
    enabled: true,
    record({ name, kind, traceparent, parent, startMs, endMs, failed, attributes, module }) {
      // The client decided for the whole trace whether it is kept (W3C Trace Context, 3.2.2.5).
      if ((Number.parseInt(traceparent.slice(53, 55), 16) & TraceFlags.SAMPLED) === 0) return;
      if (!delivery.take()) return;
      ids.traceId = traceparent.slice(3, 35);
      ids.spanId = traceparent.slice(36, 52);
      const context = parent
        ? trace.setSpanContext(ROOT_CONTEXT, spanContext(ids.traceId, parent))
        : ROOT_CONTEXT;
      const said = withoutSecrets({ ...attributes, ...(module && { 'banyan.module': module }) });
      const span = tracer.startSpan(
        name,
        { kind: kinds[kind], startTime: startMs, attributes: said as FinishedSpan['attributes'] },
        context,
      );
      if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(endMs);
    },
    close: () => provider.shutdown(),
  };
}

const spanContext = (traceId: string, spanId: string) => ({
  traceId,
  spanId,
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
});
