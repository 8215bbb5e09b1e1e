// What telemetry hears of every request that was answered: how long it took, by route and status, and the server's span
// of its trace. Only where traces are exported is anything of a span made.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';

export function recordAnswers(app: FastifyInstance, metrics: Metrics, tracing: Tracing): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.operation?.http?.path ?? request.routeOptions.url ?? 'none';
    const { method } = request;
    const status = String(reply.statusCode);
    metrics.request.observe({ method, route, status }, reply.elapsedTime / 1000);
    if (tracing.enabled) recordSpan(tracing, request, reply, route);
    done();
  });
}

function recordSpan(tracing: Tracing, request: FastifyRequest, reply: FastifyReply, route: string): void {
  const { method, traceparent } = request;
  const endMs = Date.now();
  tracing.record({
    name: `${method} ${route}`,
    kind: 'server',
    traceparent,
    parent: parentOf(request),
    startMs: endMs - reply.elapsedTime,
    endMs,
    failed: reply.statusCode >= 500,
    attributes: {
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': reply.statusCode,
    },
  });
}

/** The span of whoever asked, where its trace was taken over. */
function parentOf({ headers, traceparent }: FastifyRequest): string | undefined {
  const asked = headers.traceparent;
  const continued = typeof asked === 'string' && asked.slice(3, 35) === traceparent.slice(3, 35);
  return continued ? asked.slice(36, 52) : undefined;
}
