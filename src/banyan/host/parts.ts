// What every host stands on before it opens a port: contracts, the database, placement, calls, the log of
// events, and the modules that it runs, booted in the order in which they use one another.
import { setTimeout as after } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Dispatcher } from '../calls/dispatcher.ts';
import { createRemote, type RemoteCalls } from '../calls/remote.ts';
import type { Settings } from '../config/settings.ts';
import type { Contract } from '../contract/contract.ts';
import { libraryProblem } from '../contract/problem.ts';
import { measureEvents } from '../events/metrics.ts';
import type { VerifyBearer } from '../http/authenticate.ts';
import { firstHeld } from '../identity/held-keys.ts';
import { RefusalLog } from '../identity/hop.ts';
import {
  audienceOf,
  createInternalTokens,
  type InternalTokens,
  MONOLITH,
} from '../identity/internal-token.ts';
import type { KnownServices } from '../identity/known-keys.ts';
import { createRights, type Rights } from '../identity/rights.ts';
import { keepSamples } from '../ladder/shadow/sample-rows.ts';
import { exemptions, exemptNetworks, type IsExempt } from '../limits/address.ts';
import type { Networks } from '../limits/networks.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import type { SecurityLog } from '../telemetry/security-log.ts';
import { createBearerCheck } from './bearer.ts';
import { inOrderOfUse, type RunningModule } from './boot-module.ts';
import { type Control, openControl } from './control.ts';
import { type Database, openDatabase } from './database.ts';
import { type EventLogOf, openEventLogs } from './event-log.ts';
import { loadContract, loadModule } from './load.ts';
import { prepareLog } from './log-topics.ts';
import { createMirrors, type Mirrors, type MirrorsOptions } from './mirrors.ts';
import type { Module } from './module.ts';
import { bootModules } from './modules.ts';
import { checkStores, storesOf } from './prepared.ts';
import { lookForRestores } from './restored.ts';
import { keepLooking } from './role-upkeep.ts';
import type { StartOptions } from './running.ts';
import type { HeldServer } from './server.ts';
import { followStores, type HostStores } from './stores.ts';
import { observeCalls, openSecurityLog, openTelemetry, type Telemetry } from './telemetry.ts';
import { recordAsAsked } from './traces.ts';
import { type Undo, unlessStopped } from './undo.ts';
import { countWrongTokens } from './wrong-tokens.ts';

export interface Parts extends Telemetry {
  readonly settings: Settings;
  readonly log: Logger;
  /** Who tried what, and what came of it. */
  readonly security: SecurityLog;
  readonly metrics: Metrics;
  /** Of every module of the product, near or not. */
  readonly contracts: readonly Contract[];
  /** The registration records of the modules that run here. */
  readonly modules: readonly Module[];
  readonly running: readonly RunningModule[];
  readonly dispatchers: ReadonlyMap<string, Dispatcher>;
  readonly tokens: InternalTokens;
  /** What other hosts may ask of this one. */
  readonly rights: Rights;
  /** What internal tokens for this host are made for. */
  readonly audience: string;
  readonly bearer: VerifyBearer;
  readonly database: Database;
  readonly control: Control;
  readonly remote: RemoteCalls;
  /** What this host tries on services; on those there is none. */
  readonly mirrors: Mirrors | undefined;
  /** What is said once of hosts that do not let this one in. */
  readonly refusals: RefusalLog;
  readonly eventLogOf: EventLogOf;
  /** Where the stores of the modules that run here are. */
  readonly stores: HostStores;
  /** Whose requests no limit counts: one list for what the gateway counts and for what modules count. */
  readonly exempt: Networks;
}

/** It calls `onFatal` where this host can never serve: control refused it for good, or what it stands on was not prepared. */
export async function openParts(
  settings: Settings,
  opening: Promise<HeldServer> | undefined,
  { log, lines, signal, onFatal: onRefused }: StartOptions,
  undo: Undo,
): Promise<Parts> {
  const { role } = settings;
  const { contracts, modules } = await loadProduct(settings);
  const watch = await openWatch(settings, log, lines, undo);
  const { audience, tokens, rights } = identityOf(settings, () => control);

  const database = await openDatabase(settings, opening, modules, log, watch.security, undo);
  signal.throwIfAborted();
  if (role === 'monolith') keepLooking(database.upkeep!, log, undo);
  const { controlUrl } = database;
  const { security } = watch;
  const given = { settings, controlUrl, contracts, modules, tokens, log, security, onRefused };
  const control: Control = openControl(given);
  undo.push('control store', () => control.close());
  // The first picture is on its way while the modules are booted: they read it when they are called.
  const following = unlessStopped(signal, control.start());
  // A monolith has just made what it needs.
  const looked = role === 'monolith' ? undefined : storesOf(database, modules);
  const prepared = looked && checkStores(looked, onRefused, log, undo, following);
  for (const one of [following, prepared]) one?.catch(() => {});
  const placements = control.follower;
  database.follow(placements);
  recordAsAsked(watch.recorder, control, undo);
  const { refusals, remote } = openCalls(placements, tokens, watch, log, undo);
  const eventLogOf = await openEventLogs(settings, database, log, undo);

  const mirrors =
    role === 'service' ? undefined : createMirrors({ placements, remote, keep: keeperOf(control, log), log });
  undo.push('mirrors', async () => mirrors?.close());
  const exempt = exemptNetworks(settings.rateLimitExempt);
  const isExempt = exemptions(exempt);
  const shared = {
    ...{ log, ...watch, placements, keys: control.keys, remote, eventLogOf, contracts, isExempt },
    mirrorOf: mirrors?.of,
    carriesTo: role === 'monolith' ? control.store!.sql : undefined,
  };
  const { running, dispatchers } = bootModules(modules, settings, database, shared, undo);
  const stores = followStores({ running, database, control, log }, undo);
  if (role === 'monolith') await prepareLog(eventLogOf(), contracts, running, log, undo);
  await Promise.all([prepared, unlessSaidBetter(following, prepared)]);
  await stores.settled();
  if (role === 'monolith') {
    const [told, snapshot] = [settings.restored, () => placements.current];
    await lookForRestores({ running, eventLog: eventLogOf(), database, snapshot, told, log });
  }
  const events = running.map((one) => one.events);
  measureEvents(watch.metrics, events);
  watch.metrics.problems.expect(contracts);
  const bearer = bearerCheckOf(settings, control, isExempt, log);
  return {
    settings,
    log,
    ...watch,
    contracts,
    modules,
    running,
    dispatchers,
    tokens,
    rights,
    audience,
    bearer,
    database,
    control,
    remote,
    mirrors,
    refusals,
    eventLogOf,
    stores,
    exempt,
  };
}

/** What tells of this host: who tried what, how much, and how one request went through all of it. */
async function openWatch(
  settings: Settings,
  log: Logger,
  lines: StartOptions['lines'],
  undo: Undo,
): Promise<Pick<Parts, 'security' | 'metrics' | keyof Telemetry>> {
  const metrics = createMetrics(settings.hostId);
  const security = openSecurityLog(settings, metrics, log, undo);
  return { security, metrics, ...(await openTelemetry(settings, metrics, log, lines, undo)) };
}

/** The calls of this host to others, and what is said once of those that do not let it in. */
function openCalls(
  placements: Control['follower'],
  tokens: InternalTokens,
  { metrics, tracing }: Pick<Parts, 'metrics' | 'tracing'>,
  log: Logger,
  undo: Undo,
): Pick<Parts, 'refusals' | 'remote'> {
  const refusals = new RefusalLog(log);
  const observer = observeCalls(metrics, tracing);
  const remote = createRemote({ placements, tokens, log, refusals, observer, stats: metrics.stats });
  undo.push('calls', () => remote.close());
  return { refusals, remote };
}

/** Of both sides of what differed. */
function keeperOf({ store }: Control, log: Logger): MirrorsOptions['keep'] {
  const lost = (error: unknown) => log.debug({ err: error }, 'a sample of a difference could not be stored');
  return store ? keepSamples(store.sql, lost) : () => {};
}

/** What an older monolith has not made is said better by who looks for it than by the statement that misses it. */
async function unlessSaidBetter(
  following: Promise<void>,
  prepared: Promise<void> | undefined,
): Promise<void> {
  try {
    await following;
  } catch (error) {
    await Promise.race([prepared, after(SAID_BETTER_MS)]);
    throw error;
  }
}

const SAID_BETTER_MS = 500;

async function loadProduct(settings: Settings): Promise<Pick<Parts, 'contracts' | 'modules'>> {
  const contracts = await inTurns(settings.allModules, (name) => loadContract(settings.app, name));
  const modules = await inTurns(settings.modules, (name) => loadModule(name, settings));
  return { contracts, modules: inOrderOfUse(modules) };
}

/** As whom this host speaks to others, and by which keys it is known. */
function identityOf(
  { hostId, role, serviceKey, internalKey }: Settings,
  control: () => Control,
): Pick<Parts, 'audience' | 'tokens' | 'rights'> {
  const audience = audienceOf(hostId);
  const services = () => control().follower.current.services ?? nobody;
  const replays = () => control().follower.current.replays ?? {};
  const key = () => {
    const found = serviceKey ?? firstHeld(control().keys, services()[MONOLITH]?.keys ?? []);
    if (!found) throw new Error('the key ring has not been read yet');
    return found;
  };
  const tokens = createInternalTokens({
    self: role === 'service' ? audience : MONOLITH,
    key,
    services,
    refresh: async () => {
      await control().follower.refresh();
      // A key that is not known may be a new one: who cannot look does not know whose the token is.
      if (!control().answers())
        throw libraryProblem('unavailable', {
          detail:
            'The control store does not answer, and the key of the internal token is not known here without it.',
          retryAfter: 1,
        });
    },
    legacyKey: internalKey,
  });
  return { audience, tokens, rights: createRights(services, replays) };
}

/** The same object each time: it is compared with every token. */
const nobody: KnownServices = {};

/** The same array each time: it is compared with every request. */
const none: readonly never[] = [];

function bearerCheckOf(
  { adminToken }: Settings,
  { follower, store }: Control,
  isExempt: IsExempt,
  log: Logger,
): VerifyBearer {
  const keys = () => follower.current.jwks?.keys ?? none;
  const onWrong = countWrongTokens(store, isExempt, log);
  return createBearerCheck({ adminToken, keys, placements: follower, onWrong });
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
