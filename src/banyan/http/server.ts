// A Fastify instance as every port of a host has it: limits on time and size, problems for errors, a trace
// per request, graceful close. What is mounted on it is the business of whoever asks for it.
import type { IncomingMessage, Server } from 'node:http';
import fastify, {
  type FastifyBaseLogger,
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { Logger } from 'pino';
import { adopt } from '../context/trace.ts';
import { libraryProblem } from '../contract/problem.ts';
import type { Networks } from '../limits/networks.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { SecurityLog } from '../telemetry/security-log.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { recordAnswers } from './answered.ts';
import { jsonBodies } from './body.ts';
import { closingOf } from './closing.ts';
import { endStalledReaders } from './connections.ts';
import { KEEP_ALIVE_MS } from './leftover.ts';
import { JSON_BODY_LIMIT } from './limits.ts';
import { pathMatcher } from './lookup.ts';
import { isOverfull, noteConnections } from './open-connections.ts';
import { answerWithProblems, sendProblem, toProblem } from './problems.ts';
import { noteRefusals } from './refusals.ts';
import { refuseTunnel, refuseUnreadable } from './refuse.ts';
import { MAX_HEADERS, originForm, refusalOf } from './target.ts';
import { traceRequests } from './traced.ts';
import { noteRoutes, type Route } from './unrouted.ts';
import { UploadRoom } from './upload-room.ts';

export interface ServerOptions {
  /** What x-served-by says on /api answers that are made here. */
  readonly hostId: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly routes: () => readonly Route[];
  /** Whose word on the client's address is believed (x-forwarded-for): nobody's, these proxies', everybody's. */
  readonly trustProxy?: Networks | true | undefined;
  /** A reader that takes no byte of its answer for so long is cut off, in milliseconds. */
  readonly stalledMs: number;
  /** Clients come in here: what they say of their own traces is outside. */
  readonly isEntrance?: boolean;
  /** Hears of what is refused here. Absent in tests of parts. */
  readonly security?: SecurityLog;
  /** Sets what is said of every answer, also where no hook runs. */
  readonly sayOfAll?: (request: FastifyRequest, reply: FastifyReply) => void;
}

interface Port {
  /** Bytes of the first line and headers of a request; absent: Node's 16 kB. */
  readonly maxHeaderSize?: number;
  /** Whether this request may leave HTTP: it gets the server's `upgrade` event. Absent: none may. */
  readonly upgrades?: (request: IncomingMessage) => boolean;
}

export function createServer(options: ServerOptions, port: Port = {}): FastifyInstance {
  const { hostId, metrics, tracing, routes, security, stalledMs, sayOfAll, isEntrance } = options;
  const app = fastify(settingsOf(options, port));
  const connections = noteConnections(app.server);
  app.decorate('closing', closingOf(app.server, connections));
  app.decorate('uploadRoom', new UploadRoom());
  // An expectation that is not known may be ignored (RFC 9110, 10.1.1); Node's own 417 has no body.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  endStalledReaders(app.server, connections, stalledMs);
  app.server.on('connect', refuseTunnel);
  // What another host adds must not push a client's own fields out.
  const mostHeaders = port.maxHeaderSize === undefined ? MAX_HEADERS : Number.POSITIVE_INFINITY;
  app.server.maxHeadersCount = Number.isFinite(mostHeaders) ? mostHeaders : 0;
  jsonBodies(app);
  traceRequests(app);
  answerWithProblems(app);
  noteRoutes(app, routes);
  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = request;
    sayOfAll?.(request, reply);
    if (isApi(raw.url!)) reply.header('x-served-by', hostId);
    done(isOverfull(raw.socket) ? tooManyBehind : refusalOf(raw, mostHeaders));
  });
  recordAnswers(app, metrics, tracing, isEntrance);
  if (security) noteRefusals(app, security);
  return app;
}

function settingsOf(
  { hostId, log, trustProxy, sayOfAll }: ServerOptions,
  port: Port,
): FastifyHttpOptions<Server, FastifyBaseLogger> {
  return {
    ...(trustProxy ? { trustProxy: trustProxy === true || ((address) => trustProxy.has(address)) } : {}),
    loggerInstance: log as FastifyBaseLogger,
    // No child logger per request, which costs more than the routing: the trace id of a line comes from the flow.
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: JSON_BODY_LIMIT,
    // Off by default in Fastify: a client that sends a byte an hour would hold its connection for ever.
    requestTimeout: 60_000,
    connectionTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    // Whatever fits the headers' 16 kB is looked at by the schema of the field, which says what is wrong.
    routerOptions: { maxParamLength: 16_384 },
    clientErrorHandler: refuseUnreadable,
    rewriteUrl: originForm,
    http: {
      // Node's own refusal has no body; ours follows below.
      requireHostHeader: false,
      shouldUpgradeCallback: port.upgrades ?? never,
      ...(port.maxHeaderSize === undefined ? {} : { maxHeaderSize: port.maxHeaderSize }),
      // What comes too slowly gets its 408 within 65 s; by Node's own 30 s it would be 90.
      connectionsCheckingInterval: 5_000,
    },
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    genReqId: () => '',
    // No hook has run: what they would have said of every answer is said here.
    frameworkErrors: (error, request, reply) => {
      sayOfAll?.(request, reply);
      if (isApi(request.raw.url!)) reply.header('x-served-by', hostId);
      reply.header('traceparent', adopt(request.headers.traceparent));
      sendProblem(reply, toProblem(error));
    },
  };
}

const tooManyBehind = libraryProblem('too-many-requests', {
  detail: 'Too many requests of this connection wait for their answers. Read some of them first.',
  retryAfter: 1,
});

/** By what was asked and not by the route, which is another one where a module is elsewhere. The router decodes. */
function isApi(url: string): boolean {
  if (url.startsWith('/api/')) return true;
  const first = url.slice(0, url.indexOf('/', 1));
  return first.length > 4 && first.includes('%') && pathMatcher(first)('/api');
}

function never(): boolean {
  return false;
}

/** The dispatcher validates, so no route has a Fastify schema; Ajv and its like stay unloaded, 40 ms of a start. */
function noCompiler(): never {
  throw new Error('A route has a Fastify schema: its operation belongs into a contract');
}
