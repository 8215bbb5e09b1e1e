// One module on the public port: its own routes, where this host runs it, and the proxy for the same prefixes. The
// router picks between the two by the placement of the moment (switch.ts).
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { authorise, type Dispatcher } from '../calls/dispatcher.ts';
import type { RemoteCalls } from '../calls/remote.ts';
import type { Contract } from '../contract/contract.ts';
import { contractRoutes, permit } from '../http/routes.ts';
import type { InternalTokens } from '../identity/internal-token.ts';
import type { Placements, Side } from '../routing/snapshot.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Stats } from '../telemetry/stats.ts';
import type { TellFallen } from './fallen.ts';
import type { Shedding } from './load/shedding.ts';
import { mountProxy, type ProxyOptions } from './proxy.ts';
import { createReads } from './reads.ts';
import { switchOf } from './switch.ts';
import type { UpstreamConnections } from './upstream-connections.ts';
import type { Upstreams } from './upstreams.ts';

/** What is the same for every module. */
export interface ModuleOptions {
  readonly placements: Placements;
  /** The dispatchers of the modules that this host runs. */
  readonly local: ReadonlyMap<string, Dispatcher>;
  readonly tokens: InternalTokens;
  readonly metrics: Metrics;
  /** The calls of this host to others: clients' reads go along. */
  readonly remote: RemoteCalls;
  readonly connections: UpstreamConnections;
  readonly upstreams: Upstreams;
  readonly shedding: Shedding;
  readonly tellFallen: TellFallen;
}

export async function mountModule(
  app: FastifyInstance,
  contract: Contract,
  options: ModuleOptions,
): Promise<void> {
  const { placements, local, tokens, metrics, remote, connections, upstreams, shedding, tellFallen } =
    options;
  const { module } = contract;
  const dispatcher = local.get(module);
  if (dispatcher) {
    const constraints = { [switchOf(module)]: 'in-process' };
    const admit = shedding.admission(module);
    await app.register((scope) =>
      contractRoutes(scope, {
        dispatcher,
        constraints,
        admit,
        principalOf: (request) => request.principal,
        counterOf: (operation) => metrics.stats.of(module, 'in-process', operation),
      }),
    );
  }
  const proxy = {
    module,
    upstreams,
    connections,
    reads: createReads(contract, remote, placements),
    placements,
    local: dispatcher !== undefined,
    guard,
    begins: shedding.begins,
    tokens,
    counterOf: countersOf(contract, metrics.stats),
    onReroute: () => metrics.rerouted.inc({ module }),
    onFallBack: (request: FastifyRequest, ms: number) => tellFallen(module, request, ms),
  };
  for (const prefix of prefixesOf(contract)) await mountProxy(app, { ...proxy, prefix });
}

/** Where a proxied request is counted, by its operation and its side. */
function countersOf({ module, operations }: Contract, stats: Stats): ProxyOptions['counterOf'] {
  const of = (side: Side) =>
    new Map(Object.entries(operations).map(([name, spec]) => [spec, stats.of(module, side, name)]));
  const counters = { 'in-process': of('in-process'), service: of('service') };
  return ({ operation, side }) => (operation ? counters[side].get(operation) : undefined);
}

/** `/api/<module>`, and what a module has for its operator under /admin. */
function prefixesOf({ module, operations }: Contract): string[] {
  const paths = Object.values(operations).flatMap(({ http }) => (http ? [http.path] : []));
  const firstTwo = paths.map((path) => path.split('/').slice(0, 3).join('/'));
  return [...new Set([`/api/${module}`, ...firstTwo])];
}

/** Who may not call an operation is told so here, as in-process, before their body is read and sent on. */
const guard = permit((request, reply) => {
  const { operation, principal, server } = request;
  if (!operation) return;
  authorise(operation, principal);
  if (operation.upload) server.uploadRoom.take(request, reply, operation);
});
