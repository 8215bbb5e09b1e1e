// The trace of a request: its own or a new one, from the first hook on, or from when the router first asks.
// Guarantees: a request has one trace, and the answer says it, whatever the answer is. What is recorded of a trace is answered.ts.
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { adopt } from '../context/trace.ts';
import type { OperationSpec } from '../contract/contract.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** W3C traceparent of this request's span on this host. */
    traceparent: string;
    /** The operation that is asked for, where a route stands for many (a proxy). */
    operation: OperationSpec | undefined;
  }
}

const TRACE = Symbol('traceparent');

type Traced = IncomingMessage & { [TRACE]?: string };

/** The traceparent of a request, also before any hook has run. */
export function traceFor(raw: Traced): string {
  raw[TRACE] ??= adopt(raw.headers.traceparent);
  return raw[TRACE];
}

/** Every request has a trace, its own or a new one, and says so in its answer. */
export function traceRequests(app: FastifyInstance): void {
  app.decorateRequest('traceparent', '');
  app.decorateRequest('operation', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    request.traceparent = traceFor(request.raw);
    reply.header('traceparent', request.traceparent);
    done();
  });
}
