// The gateway: the one public port. For each module it holds the module's own routes (where this host runs it) and
// the proxy for the same prefix, and the router picks by the placement of the moment.
// It knows contracts and placements, and no module.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Dispatcher } from '../calls/dispatcher.ts';
import type { RemoteCalls } from '../calls/remote.ts';
import type { Contract } from '../contract/contract.ts';
import { authenticateRequests, type VerifyBearer } from '../http/authenticate.ts';
import { capConnections } from '../http/connections.ts';
import { operationFinder } from '../http/lookup.ts';
import { contractRoutes } from '../http/routes.ts';
import { setSecurityHeaders } from '../http/security-headers.ts';
import { createServer, type ServerOptions } from '../http/server.ts';
import { guardSides } from '../http/side-asked.ts';
import { refuseUnrouted } from '../http/unrouted.ts';
import type { RefusalLog } from '../identity/hop.ts';
import type { InternalTokens } from '../identity/internal-token.ts';
import type { Networks } from '../limits/networks.ts';
import type { HeldOut } from '../placement/host.ts';
import type { Placements } from '../routing/snapshot.ts';
import { type AdminSockets, keepAdminApart } from './admin-apart.ts';
import { type ConsoleMount, mountConsole } from './console.ts';
import { type Documents, mountDocuments } from './documents.ts';
import { fallenRequests, type TellFallen, tellOfRouted } from './fallen.ts';
import { protectPublicPort } from './hygiene.ts';
import { type Shedding, shedLoad } from './load/shedding.ts';
import { mountModule } from './module-routes.ts';
import { createRateLimit, type RateLimit } from './rate-limit.ts';
import { noteSides } from './sides.ts';
import { addSwitch } from './switch.ts';
import { createUpstreamConnections } from './upstream-connections.ts';
import { createUpstreams } from './upstreams.ts';

/** A client that reads nothing for so long is cut off; after twice as long where Node notices a write late. */
const STALLED_MS = 20_000;
/** Open connections, and those of one address: an office behind one address has some hundreds. */
const CONNECTIONS = 10_000;
const CONNECTIONS_PER_ADDRESS = 1_000;

export interface GatewayOptions
  extends Omit<ServerOptions, 'routes' | 'trustProxy' | 'isEntrance' | 'stalledMs' | 'sayOfAll'> {
  /** Every module of the product, near or not. */
  readonly contracts: readonly Contract[];
  /** The dispatchers of the modules that this host runs. */
  readonly local: ReadonlyMap<string, Dispatcher>;
  /** Operations of the host itself, under /admin and /api: never proxied. */
  readonly own: readonly Dispatcher[];
  readonly placements: Placements;
  readonly verifyBearer: VerifyBearer;
  readonly tokens: InternalTokens;
  /** The calls of this host to others: clients' reads go along. */
  readonly remote: RemoteCalls;
  readonly documents: Documents;
  /** What is said once of hosts that do not let this one in. */
  readonly refusals: RefusalLog;
  /** What `held` answers has changed. */
  readonly onHeld: () => void;
  /** Proxies that are believed about their clients; undefined: none. */
  readonly proxies: Networks | undefined;
  /** Requests a second that one address may ask; 0: any number. */
  readonly rateLimit: number;
  /** Whose requests are not counted. */
  readonly exempt: Networks;
  /** Connections of the port of /admin, where it has one of its own. */
  readonly adminSockets?: AdminSockets | undefined;
  /** The console, where there is one; it opens when somebody first asks for it. */
  readonly console?: ConsoleMount | undefined;
  /** Mounts /health/*. */
  readonly health: (app: FastifyInstance) => void;
}

export interface Gateway {
  readonly app: FastifyInstance;
  /** Requests on their way to the module's service side. */
  inflight(module: string): number;
  /** The processes that nothing is sent to although they beat, by host. */
  held(): Readonly<Record<string, HeldOut>>;
  close(): Promise<void>;
}

export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { contracts, local, own, placements, verifyBearer, proxies, exempt, log, metrics } = options;
  const everything = [...contracts, ...own.map((dispatcher) => dispatcher.contract)];
  const proxied = proxies !== undefined;
  const app = createServer({
    ...options,
    routes: () => routesOf(everything),
    trustProxy: proxies,
    isEntrance: true,
    stalledMs: STALLED_MS,
    sayOfAll: (request, reply) => setSecurityHeaders(request, reply, proxied),
  });
  const lenient = { has: (address: string | undefined) => exempt.has(address) || !!proxies?.has(address) };
  capConnections(app.server, {
    total: CONNECTIONS,
    perAddress: CONNECTIONS_PER_ADDRESS,
    exempt: lenient,
    log,
    metrics,
  });
  const rates = createRateLimit({ perSecond: options.rateLimit, exempt, proxied, log, metrics });
  const shedding = shedLoad(
    app,
    contracts.map(({ module }) => module),
    metrics,
  );
  // Before any route: each strategy makes the router compile every route that it has.
  for (const { module } of contracts) addSwitch(app, module, placements, !local.has(module));
  const upstreams = createUpstreams({
    placements,
    tokens: options.tokens,
    refusals: options.refusals,
    onHeld: options.onHeld,
    alone: local.size === 0,
  });
  const connections = createUpstreamConnections(placements, upstreams.refusal);
  // In the turn in which the router read the placement: the next hook may wait.
  noteSides(app, placements, upstreams, local);
  guardEntrance(app, rates, shedding);
  const tellFallen = fallenRequests(contracts, metrics.stats);
  noteOperations(app, contracts, tellFallen);
  protectPublicPort(app, proxies);
  if (options.adminSockets) keepAdminApart(app, options.adminSockets, options.console?.prefix);
  refuseUnrouted(app, isUnknown);
  options.health(app);
  // Where it is at another port, nobody is led there.
  mountDocuments(app, options.documents, options.adminSockets ? undefined : options.console?.prefix);
  if (options.console) mountConsole(app, options.console);
  // Outside of this scope, for probes and documents, credentials are not looked at.
  await app.register(async (scope) => {
    authenticateRequests(scope, verifyBearer);
    guardSides(scope);
    for (const dispatcher of own) {
      await scope.register((inner) =>
        contractRoutes(inner, { dispatcher, principalOf: (request) => request.principal }),
      );
    }
    const shared = { ...options, connections, upstreams, shedding, tellFallen };
    for (const contract of contracts) await mountModule(scope, contract, shared);
  });
  return {
    app,
    inflight: (module) => upstreams.inflight(module),
    held: () => upstreams.held(),
    async close() {
      await app.close();
      upstreams.close();
      await connections.close();
    },
  };
}

/** The first hook that refuses: what is refused here costs least. Probes are always let in. */
function guardEntrance(app: FastifyInstance, rates: RateLimit, shedding: Shedding): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { gate, url } = request.routeOptions.config;
    const enter = () => {
      if (!gate || !shedding.refuses(request, reply, gate)) done();
    };
    const counted = url?.startsWith('/health/') ? undefined : rates(request, reply);
    if (counted) counted.then(enter, done);
    else enter();
  });
}

/** Which operation a proxied request is for: its route stands for all of the module's. */
function noteOperations(app: FastifyInstance, contracts: readonly Contract[], tellFallen: TellFallen): void {
  const finders = new Map(contracts.map((contract) => [contract.module, operationFinder(contract)]));
  app.addHook('onRequest', (request, _reply, done) => {
    const module = request.routeOptions.config.proxied;
    if (module !== undefined) request.operation = finders.get(module)!(request.method, request.url);
    tellOfRouted(request, tellFallen);
    done();
  });
}

/** For a module that serves elsewhere, but for no operation of its contract. */
function isUnknown({ routeOptions, operation }: FastifyRequest): boolean {
  return operation === undefined && routeOptions.config.proxied !== undefined;
}

function routesOf(contracts: readonly Contract[]): { method: string; path: string }[] {
  return contracts.flatMap((contract) =>
    Object.values(contract.operations).flatMap((spec) =>
      spec.http ? [{ method: spec.http.method, path: spec.http.path }] : [],
    ),
  );
}
