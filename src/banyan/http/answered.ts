// What telemetry hears of every request that was answered: how long it took, by route and status, which problem it was if
// it was one, and the server's span of its trace. Only while somebody wants spans is anything of one made.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';

/** @param isEntrance clients come in here. */
export function recordAnswers(
  app: FastifyInstance,
  metrics: Metrics,
  tracing: Tracing,
  isEntrance = false,
): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.operation?.http?.path ?? request.routeOptions.url ?? 'none';
    const { method } = request;
    const status = String(reply.statusCode);
    metrics.request.observe({ method, route, status }, reply.elapsedTime / 1000);
    if (reply.problem) metrics.problems.note(moduleOf(request) ?? '', reply.problem);
    if (tracing.enabled) recordSpan(tracing, request, reply, route, isEntrance);
    done();
  });
}

function recordSpan(
  tracing: Tracing,
  request: FastifyRequest,
  reply: FastifyReply,
  route: string,
  entry: boolean,
): void {
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
    entry,
    module: moduleOf(request),
    keys: keysOf(request.url),
    attributes: {
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': reply.statusCode,
    },
  });
}

/** The module whose request it is; of the host's own pages none. */
function moduleOf({ routeOptions: { config, url }, params }: FastifyRequest): string | undefined {
  return (
    config.module ?? config.proxied ?? (url === CALLS ? (params as { module: string }).module : undefined)
  );
}

/** Calls of other modules by HTTP (module-calls.ts). */
const CALLS = '/calls/:module/:operation';

/** The parts of the path that are no words: what somebody would look for. */
function keysOf(url: string): string[] {
  const path = url.split('?', 1)[0]!;
  return path.split('/').filter((part) => part.length >= 4 && part.length <= 100 && /\d/.test(part));
}

/** The span of whoever asked, where its trace was taken over. */
function parentOf({ headers, traceparent }: FastifyRequest): string | undefined {
  const asked = headers.traceparent;
  const continued = typeof asked === 'string' && asked.slice(3, 35) === traceparent.slice(3, 35);
  return continued ? asked.slice(36, 52) : undefined;
}
