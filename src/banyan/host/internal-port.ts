// The internal port of a host: where other hosts come in, never clients. Every request carries an internal
// token made for this host's audience, or gets 401 before any handler; health and metrics alone are open,
// for probes and scrapers on the same network.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Dispatcher } from '../calls/dispatcher.ts';
import { ABOUT_PATH, type About } from '../doctor/about.ts';
import { authenticateRequests, type VerifyBearer } from '../http/authenticate.ts';
import { HOP_HEADER_BYTES } from '../http/hop-by-hop.ts';
import { moduleCalls } from '../http/module-calls.ts';
import { believeShare } from '../http/request-share.ts';
import { contractRoutes } from '../http/routes.ts';
import { createServer, type ServerOptions } from '../http/server.ts';
import { guardSides } from '../http/side-asked.ts';
import { refuseUnrouted } from '../http/unrouted.ts';
import { isHandshake } from '../http/upgrade.ts';
import {
  bearerOf,
  CONTROL_AUDIENCE,
  type InternalCaller,
  type InternalTokens,
  MONOLITH,
} from '../identity/internal-token.ts';
import type { Rights } from '../identity/rights.ts';
import { OF_CALLERS, STATS_PATH } from '../placement/collect-stats.ts';
import { KEYS_PATH } from '../placement/control-keys.ts';
import { MARKS_PATH, TRACES_PATH, traceReports } from '../placement/trace-report.ts';
import { EDGES } from '../telemetry/edges.ts';
import { costOfProcess } from '../telemetry/host-cost.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import type { ShadowReports } from '../telemetry/shadow-reports.ts';

/** A registration carries contracts: those of every module are 45 kB. */
const SYNC_BODY_LIMIT = 1024 * 1024;

/** Longer than the public port's: a gateway that reads slowly does so for a client that reads slowly. */
const STALLED_MS = 60_000;

export interface InternalPortOptions
  extends Omit<ServerOptions, 'routes' | 'trustProxy' | 'stalledMs' | 'sayOfAll'> {
  readonly dispatchers: ReadonlyMap<string, Dispatcher>;
  readonly tokens: InternalTokens;
  readonly rights: Rights;
  /** What tokens for this host must be made for; control has an audience of its own. */
  readonly audience: string;
  readonly verifyBearer: VerifyBearer;
  readonly health: (app: FastifyInstance) => void;
  /** What came of what this host tried on services. */
  readonly shadows?: () => ShadowReports;
  /** The spans of this host. Absent in tests of parts. */
  readonly recorder?: Recorder;
  /** What this host says of itself to monoliths. Absent in tests of parts. */
  readonly about?: () => Promise<About>;
  /** Where services register and follow; only on hosts that read the control store. */
  readonly sync?: (body: unknown, caller: InternalCaller) => Promise<unknown>;
  /** Where services get the private keys of their modules; on the same hosts. */
  readonly handOut?: (who: InternalCaller) => Promise<unknown>;
}

export async function createInternalPort(options: InternalPortOptions): Promise<FastifyInstance> {
  const { dispatchers, tokens, rights, audience, verifyBearer, health, metrics, sync, handOut } = options;
  const app = createServer(
    {
      ...options,
      // Of a gateway, whose word on its client's address is good; of others the headers are dropped below.
      trustProxy: true,
      stalledMs: STALLED_MS,
      routes: () => [],
    },
    { maxHeaderSize: HOP_HEADER_BYTES, upgrades: isHandshake },
  );
  app.decorateRequest('caller', null as never);
  app.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url;
    if (isOpen(route, request.raw.url!)) {
      done();
      return;
    }
    const settle = (caller: InternalCaller) => {
      request.caller = caller;
      if (caller.caller !== MONOLITH) disbelieve(request);
      believeShare(request.raw);
      done();
    };
    // Whose token is refused is written down with the address that it came from, not with one that it made up.
    const refuse = (error: Error) => {
      disbelieve(request);
      done(error);
    };
    try {
      const wanted = (route ?? request.raw.url!).startsWith('/control/') ? CONTROL_AUDIENCE : audience;
      const verified = tokens.verify(internalTokenOf(request), wanted);
      if (verified instanceof Promise) verified.then(settle, refuse);
      else settle(verified);
    } catch (error) {
      refuse(error as Error);
    }
  });

  refuseUnrouted(app);
  health(app);
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
  // Whether a host is let in here is asked before anything is sent to it (banyan/identity/hop.ts).
  app.get('/calls', async () => ({ host: options.hostId, modules: [...dispatchers.keys()] }));
  app.get<{ Querystring: { of?: string } }>(STATS_PATH, async ({ caller, query }) => {
    const refused = rights.refusalOfStats(caller!);
    if (refused) throw refused;
    const { since } = metrics.stats;
    const now = new Date().toISOString();
    const said = { host: options.hostId, since, now, edges: EDGES, cost: costOfProcess() };
    const callers = metrics.stats.callers();
    if (query.of === OF_CALLERS) return { ...said, modules: {}, callers };
    const shadows = options.shadows?.() ?? {};
    const [modules, attempts] = [metrics.stats.read(), metrics.attempts.read()];
    return { ...said, modules, attempts, shadows, callers };
  });
  if (options.recorder) mountTraces(app, options.recorder, rights);
  if (options.about) mountAbout(app, options.about, rights);
  if (sync) {
    const limit = { bodyLimit: SYNC_BODY_LIMIT };
    app.post('/control/sync', limit, async (request) => sync(request.body, request.caller!));
  }
  if (handOut) app.post(KEYS_PATH, async (request) => handOut(request.caller!));
  moduleCalls(app, dispatchers, (request) => request.caller!, rights);
  await app.register(async (scope) => {
    scope.addHook('onRequest', ({ caller }, _reply, done) => done(rights.refusalOfClient(caller!)));
    authenticateRequests(scope, verifyBearer);
    guardSides(scope);
    for (const dispatcher of dispatchers.values()) {
      await scope.register((inner) =>
        contractRoutes(inner, { dispatcher, principalOf: (request) => request.principal }),
      );
    }
  });
  return app;
}

function mountAbout(app: FastifyInstance, about: () => Promise<About>, rights: Rights): void {
  app.get(ABOUT_PATH, async ({ caller }) => {
    const refused = rights.refusalOfStats(caller!);
    if (refused) throw refused;
    return about();
  });
}

function mountTraces(app: FastifyInstance, recorder: Recorder, rights: Rights): void {
  const reports = traceReports(recorder, rights.refusalOfStats);
  app.get(TRACES_PATH, async ({ caller, query }) => reports.heads(caller!, (query as { key?: unknown }).key));
  app.get(`${TRACES_PATH}/:trace`, async ({ caller, params }) =>
    reports.spans(caller!, (params as { trace: string }).trace),
  );
  app.post(MARKS_PATH, async ({ caller, body }) => reports.marks(caller!, body));
}

const open: ReadonlySet<string | undefined> = new Set(['/metrics', '/health/live', '/health/ready']);

/** By the route that answers, since the router decodes; and asked for by its very name, as a probe does. */
function isOpen(route: string | undefined, url: string): boolean {
  return open.has(route) && route === url;
}

/** What a gateway says of its client. */
const ofClients = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'forwarded'];

function disbelieve({ raw }: FastifyRequest): void {
  for (const name of ofClients) delete raw.headers[name];
}

/** A proxied request carries the client's own Authorization, so the internal token has a header to itself. */
function internalTokenOf(request: FastifyRequest): string | undefined {
  const own = request.headers['x-internal-token'];
  if (typeof own === 'string') return own;
  return bearerOf(request.headers.authorization);
}
