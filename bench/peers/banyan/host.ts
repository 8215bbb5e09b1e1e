// A host of the product, made of its kernel and its gateway: `node host.ts <modules> <settings>`. `all` is the
// monolith, `none` the gateway alone, a name a service. Placements stand still: nothing is flipped here, so no
// control store is needed; what a request passes through is the product's own.
import type { FastifyInstance } from 'fastify';
import type { Dispatcher } from '../../../src/banyan/calls/dispatcher.ts';
import { createRemote } from '../../../src/banyan/calls/remote.ts';
import { libraryProblem } from '../../../src/banyan/contract/problem.ts';
import { createGateway } from '../../../src/banyan/gateway/gateway.ts';
import { bootModule, inOrderOfUse } from '../../../src/banyan/host/boot-module.ts';
import { createInternalPort } from '../../../src/banyan/host/internal-port.ts';
import { RefusalLog } from '../../../src/banyan/identity/hop.ts';
import { audienceOf } from '../../../src/banyan/identity/internal-token.ts';
import { rightsOf, tokensOf } from '../../../src/banyan/identity/known-hosts.fixture.ts';
import { loopbackNetworks, networksOf } from '../../../src/banyan/limits/networks.ts';
import type { EventLog } from '../../../src/banyan/log/port.ts';
import type { Placements, Snapshot } from '../../../src/banyan/routing/snapshot.ts';
import { createLogger } from '../../../src/banyan/telemetry/logger.ts';
import { createMetrics } from '../../../src/banyan/telemetry/metrics.ts';
import { noTracing } from '../../../src/banyan/telemetry/tracing.ts';
import { attachWsDoor } from '../../../src/banyan/websocket/ws-door.ts';
import { catalog, orders, users } from './contracts.ts';
import { modules } from './modules.ts';

interface Settings {
  /** The public port, or the internal one of a service. */
  readonly port: number;
  /** Where each module serves as a process of its own; none of them: all are in-process. */
  readonly services: Readonly<Record<string, string>>;
  readonly databaseUrl?: string;
}

const [which, text] = process.argv.slice(2) as [string, string];
const { port, services, databaseUrl } = JSON.parse(text) as Settings;
const contracts = [users, catalog, orders];
const service = which !== 'all' && which !== 'none';
const hostId = service ? `${which}-1` : 'monolith';
const log = createLogger({ host: hostId, pretty: false, level: 'warn' as 'info' });
const metrics = createMetrics(hostId);
const KEY = 'the internal key of the benchmarks';
const tokens = tokensOf(KEY, audienceOf(hostId));
const rights = rightsOf(KEY);

const changedAt = new Date(0).toISOString();
const current: Snapshot = {
  version: 1,
  modules: Object.fromEntries(
    contracts.map(({ module }) => {
      const url = services[module];
      const at = { id: `${module}-1`, host: module, url: url!, pid: 1, doors: ['ws', 'http'], healthy: true };
      const placement = url ? 'service' : 'in-process';
      const percent = url ? 100 : 0;
      return [
        module,
        { module, placement, percent, changedAt, changedBy: 'bench', instances: url ? [at] : [] },
      ];
    }),
  ) as unknown as Snapshot['modules'],
  monoliths: [],
  revoked: {},
};
const placements: Placements = { current, subscribe: () => () => undefined, refresh: async () => current };
const remote = createRemote({
  placements,
  tokens,
  log,
  observer: {
    onCall: (module, operation, ms, outcome) =>
      metrics.call.observe({ module, operation, outcome }, ms / 1000),
  },
});

const dispatchers = new Map<string, Dispatcher>();
const wanted = modules(databaseUrl !== undefined).filter(
  ({ contract }) => which === 'all' || contract.module === which,
);
for (const module of inOrderOfUse(wanted)) {
  const { dispatcher, name } = bootModule(module, {
    hostId,
    log,
    databaseUrl: databaseUrl ?? 'postgres://nobody@127.0.0.1:1/none',
    schemaUrl: () => databaseUrl!,
    placements,
    remote,
    local: dispatchers,
    codec: false,
    strict: false,
    // No background work is started: nobody reads it.
    eventLog: { kind: 'postgres' } as unknown as EventLog,
    contracts,
    tracing: noTracing,
  });
  dispatchers.set(name, dispatcher);
}

const verifyBearer = () => {
  throw libraryProblem('unauthenticated');
};
// A gateway that was asked before its services were up looks here whether they are.
const health = (app: FastifyInstance) => {
  app.get('/health/ready', async () => ({ status: 'ok' }));
  app.get('/health/live', async () => ({ status: 'ok' }));
};
const common = { hostId, log, metrics, tracing: noTracing, tokens, verifyBearer, health };
if (service) {
  const audience = audienceOf(hostId);
  const app = await createInternalPort({ ...common, dispatchers, audience, rights });
  const verify = (token: string | undefined) => tokens.verify(token, audience);
  attachWsDoor({ server: app.server, verify, rights, verifyBearer, dispatchers, log });
  await app.listen({ port, host: '127.0.0.1' });
} else {
  const document = () => ({ openapi: '3.1.0', info: { title: 'bench', version: '1' }, paths: {} });
  const documents = { openapi: document, asyncapi: document, jwks: () => ({ keys: [] }) };
  const { app } = await createGateway({
    ...common,
    contracts,
    local: dispatchers,
    own: [],
    placements,
    remote,
    documents,
    refusals: new RefusalLog(log),
    // Nobody asks for a status.
    onHeld: () => undefined,
    proxies: undefined,
    // All load comes from one address, and no peer limits it.
    rateLimit: 0,
    exempt: networksOf(loopbackNetworks),
  });
  await app.listen({ port, host: '127.0.0.1' });
}
