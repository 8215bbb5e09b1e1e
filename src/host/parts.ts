// What every host stands on before it opens a port: contracts, the database, placement, calls, the log of
// events, and the modules that it runs, booted in the order in which they use one another.
import type { Logger } from 'pino';
import type { Dispatcher } from '../kernel/calls/dispatcher.ts';
import { type CallObserver, createRemote, type RemoteCalls } from '../kernel/calls/remote.ts';
import type { Contract } from '../kernel/contract/contract.ts';
import type { EventLog } from '../kernel/events/log/port.ts';
import { measureEvents } from '../kernel/events/metrics.ts';
import { openLog } from '../kernel/events/open-log.ts';
import { bootModule, inOrderOfUse, type RunningModule } from '../kernel/host/boot-module.ts';
import type { VerifyBearer } from '../kernel/http/authenticate.ts';
import type { Networks } from '../kernel/http/networks.ts';
import { RefusalLog } from '../kernel/identity/hop.ts';
import { audienceOf, createInternalTokens, type InternalTokens } from '../kernel/identity/internal-token.ts';
import { keySet } from '../kernel/identity/keys.ts';
import { exemptions, exemptNetworks } from '../kernel/limits/address.ts';
import type { Module } from '../kernel/module.ts';
import { callSpans } from '../kernel/telemetry/call-span.ts';
import { createMetrics, type Metrics } from '../kernel/telemetry/metrics.ts';
import { noTracing, type Tracing } from '../kernel/telemetry/tracing.ts';
import type { Settings } from '../settings.ts';
import { createBearerCheck } from './bearer.ts';
import { lookForBroker } from './broker.ts';
import { type Control, openControl } from './control.ts';
import { type Database, openDatabase } from './database.ts';
import { loadContract, loadModule } from './load.ts';
import { checkStores, storesOf } from './prepared.ts';
import type { HeldServer } from './server.ts';
import { type Undo, unlessStopped } from './undo.ts';
import { countWrongTokens } from './wrong-tokens.ts';

export interface Parts {
  readonly settings: Settings;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  /** Of every module of the product, near or not. */
  readonly contracts: readonly Contract[];
  /** The registration records of the modules that run here. */
  readonly modules: readonly Module[];
  readonly running: readonly RunningModule[];
  readonly dispatchers: ReadonlyMap<string, Dispatcher>;
  readonly tokens: InternalTokens;
  /** What internal tokens for this host are made for. */
  readonly audience: string;
  readonly bearer: VerifyBearer;
  readonly jwks: ReturnType<typeof keySet>;
  readonly database: Database;
  readonly control: Control;
  readonly remote: RemoteCalls;
  /** What is said once of hosts that do not let this one in. */
  readonly refusals: RefusalLog;
  readonly eventLog: EventLog;
  /** Whose requests no limit counts: one list for what the gateway counts and for what modules count. */
  readonly exempt: Networks;
}

/** @param onRefused this host can never serve: control refused it for good, or what it stands on was not prepared. */
export async function openParts(
  settings: Settings,
  opening: Promise<HeldServer> | undefined,
  log: Logger,
  signal: AbortSignal,
  undo: Undo,
  onRefused: (error: Error) => void,
): Promise<Parts> {
  const { hostId, role } = settings;
  const contracts = await inTurns(settings.allModules, (name) => loadContract(settings.app, name));
  const modules = inOrderOfUse(await inTurns(settings.modules, (name) => loadModule(name, settings)));
  const metrics = createMetrics(hostId);
  const tracing = await openTracing(settings.otlpEndpoint, hostId);
  undo.push('tracing', () => tracing.close());
  const audience = audienceOf(hostId);
  const tokens = createInternalTokens(settings.internalKey, audience);
  const jwks = settings.signingKey ? keySet([settings.signingKey]) : { keys: [] };

  const database = await openDatabase(settings, opening, modules, log);
  signal.throwIfAborted();
  const control = openControl({
    settings,
    controlUrl: database.controlUrl,
    contracts,
    tokens,
    jwks,
    log,
    onRefused,
  });
  undo.push('control store', () => control.store?.close());
  // The first picture is on its way while the modules are booted: they read it when they are called.
  const following = unlessStopped(signal, control.start());
  // A monolith has just made what it needs.
  const prepared =
    role === 'monolith' ? undefined : checkStores(storesOf(database, modules), onRefused, undo);
  for (const one of [following, prepared]) one?.catch(() => {});
  const placements = control.follower;
  const refusals = new RefusalLog(log);
  const remote = createRemote({ placements, tokens, log, refusals, observer: observe(metrics, tracing) });
  undo.push('calls', () => remote.close());
  const brokerUrl = kafkaOf(settings);
  const eventLog = await openLog({ brokerUrl, logUrl: database.logUrl, hostId, log });
  if (brokerUrl) void lookForBroker(brokerUrl, log);
  undo.push('event log', () => eventLog.close());

  const exempt = exemptNetworks(settings.rateLimitExempt);
  const isExempt = exemptions(exempt);
  const dispatchers = new Map<string, Dispatcher>();
  const running = modules.map((module) => {
    const name = module.contract.module;
    const one = bootModule(module, {
      hostId,
      log,
      databaseUrl: database.moduleUrl(name),
      schemaUrl: (schema) => database.schemaUrl(name, schema),
      placements,
      remote,
      local: dispatchers,
      codec: settings.codec,
      strict: settings.strict,
      eventLog,
      contracts,
      tracing,
      isExempt,
      metrics,
    });
    undo.push(`module ${name}`, () => one.close());
    dispatchers.set(name, one.dispatcher);
    return one;
  });
  await Promise.all([following, prepared]);
  measureEvents(
    metrics,
    running.map((one) => one.events),
  );
  // A service learns the public keys with the placements; whoever signs knows them.
  const keys = () => (role === 'service' ? (placements.current.jwks?.keys ?? jwks.keys) : jwks.keys);
  const bearer = createBearerCheck(
    settings.adminToken,
    keys,
    placements,
    countWrongTokens(control.store, isExempt, log),
  );
  return {
    settings,
    log,
    metrics,
    tracing,
    contracts,
    modules,
    running,
    dispatchers,
    tokens,
    audience,
    bearer,
    jwks,
    database,
    control,
    remote,
    refusals,
    eventLog,
    exempt,
  };
}

/**
 * One after another with a turn of the loop in between: loading only computes, and the database's first answers, a
 * dozen round trips, are taken meanwhile.
 */
async function inTurns<T>(names: readonly string[], load: (name: string) => Promise<T>): Promise<T[]> {
  const loaded: T[] = [];
  for (const name of names) {
    loaded.push(await load(name));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return loaded;
}

/** The exporter is loaded where it is used: it costs a start of 100 ms and 10 MB. */
async function openTracing(endpoint: string | undefined, host: string): Promise<Tracing> {
  if (!endpoint) return noTracing;
  const { createTracing } = await import('../kernel/telemetry/otlp.ts');
  return createTracing(endpoint, host);
}

/** BROKER_URL when it is Kafka's; a service's may be the URL of its monolith's Postgres log. */
function kafkaOf({ brokerUrl }: Settings): string | undefined {
  return brokerUrl?.startsWith('kafka') ? brokerUrl : undefined;
}

function observe(metrics: Metrics, tracing: Tracing): CallObserver {
  const span = callSpans(tracing, 'client');
  return {
    onCall(module, operation, ms, outcome, { traceparent, parent }) {
      metrics.call.observe({ module, operation, outcome }, ms / 1000);
      span?.({ module, operation, traceparent, parent, startMs: Date.now() - ms, failed: outcome !== 'ok' });
    },
  };
}
