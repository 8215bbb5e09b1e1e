// How a host follows placement: monoliths and gateways in the database, services over HTTP at CONTROL_URL, so
// that they need no right on the control tables.
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.ts';
import type { Contract } from '../contract/contract.ts';
import type { InternalCaller, InternalTokens } from '../identity/internal-token.ts';
import { serviceNetworks } from '../placement/advertised.ts';
import { canonicalContract } from '../placement/canonical.ts';
import { createKeysHandler, type KeysHandler } from '../placement/control-keys.ts';
import { createDatabaseFollower } from '../placement/database-follower.ts';
import type { Follower } from '../placement/follower.ts';
import { createHttpFollower } from '../placement/http-follower.ts';
import { type ControlStore, createControlStore } from '../placement/store.ts';
import { createSyncHandler } from '../placement/sync.ts';
import type { SecurityLog } from '../telemetry/security-log.ts';
import { type HostKeys, openRingKeys, openToldKeys } from './keys.ts';
import type { Module } from './module.ts';
import { inWords } from './root.ts';

export interface Control {
  readonly follower: Follower;
  /** False while the control store does not answer; of a service nobody knows. */
  readonly answers: () => boolean;
  /** Undefined on a service. */
  readonly store: ControlStore | undefined;
  /** Answers services that register and follow; undefined on a service. */
  readonly sync: ((body: unknown, caller: InternalCaller) => Promise<unknown>) | undefined;
  /** The private keys of this host. */
  readonly keys: HostKeys;
  /** Answers services the keys of their modules; undefined on a service. */
  readonly handOut: KeysHandler | undefined;
  /** Loads the first picture; every module has a placement after it. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface ControlOptions {
  readonly settings: Settings;
  /** The URL of the control role; undefined on a service. */
  readonly controlUrl: string | undefined;
  readonly contracts: readonly Contract[];
  /** Those that run here. */
  readonly modules: readonly Module[];
  readonly tokens: InternalTokens;
  readonly log: Logger;
  readonly security: SecurityLog;
  /** Control refused this host for good. */
  readonly onRefused: (error: Error) => void;
}

/** How often keys that are old for long enough are looked for. */
const SWEEP_MS = 600_000;
/** After a start; until then services take the token of before. */
const LOOK_AT_TOKEN_MS = 1_000;

export function openControl({
  settings,
  controlUrl,
  contracts,
  modules,
  tokens,
  log,
  security,
  onRefused,
}: ControlOptions): Control {
  if (controlUrl === undefined) {
    const follower = createHttpFollower({
      controlUrl: settings.controlUrl!,
      token: (audience, legacy) => tokens.mint(audience, legacy),
      overlap: settings.internalKey !== undefined,
      log,
      onRefused,
    });
    const keys = openToldKeys(settings, follower, tokens, log);
    const start = async () => {
      await follower.start();
      await keys.follow(follower);
    };
    return {
      follower,
      answers: () => true,
      store: undefined,
      sync: undefined,
      keys,
      handOut: undefined,
      start,
      close: async () => {},
    };
  }
  const store = createControlStore({ url: controlUrl, log });
  const follower = createDatabaseFollower({ store, log });
  const keys = openRingKeys(settings, store, modules, log);
  const networks = serviceNetworks(settings.serviceNetworks);
  const known = Object.fromEntries(
    contracts.map((contract) => [contract.module, canonicalContract(contract)]),
  );
  let looking: NodeJS.Timeout | undefined;
  const sweeping = setInterval(() => void keys.sweep(), SWEEP_MS).unref();
  /** Where services know one already, be it of before, the slow look comes after the start, which needs both cores. */
  const firstOperatorKept = async () => {
    const keep = () => keepFirst(store, settings.adminToken!, security);
    if (!(await store.operators.hasFirst())) return keep();
    looking = setTimeout(() => {
      keep().catch((error: Error) =>
        log.warn({ err: error }, 'services may not know the present ADMIN_TOKEN'),
      );
    }, LOOK_AT_TOKEN_MS).unref();
  };
  return {
    follower,
    answers: () => follower.connected,
    store,
    sync: createSyncHandler({ store, follower, contracts: known, networks, log }),
    keys,
    handOut: watched(createKeysHandler(keys, follower, settings.app.sessions?.module), security),
    async start() {
      const kept = settings.role === 'monolith' ? firstOperatorKept() : undefined;
      kept?.catch(() => {});
      try {
        await store.flags.seed(settings.allModules, settings.placements);
        await keys.open();
        await follower.start();
      } catch (error) {
        throw inWords(error);
      }
      await keys.follow(follower);
      await kept;
    },
    async close() {
      clearInterval(sweeping);
      clearTimeout(looking);
      await store.close();
    },
  };
}

/** Every private key that leaves this host is in the security log, and every attempt at one. */
function watched(handOut: KeysHandler, security: SecurityLog): KeysHandler {
  return async (who) => {
    const said = { event: 'keys.handed-out', actor: { kind: 'service', name: who.caller } } as const;
    try {
      const answer = await handOut(who);
      security.write({ ...said, outcome: 'ok', after: { modules: Object.keys(answer.seals ?? {}) } });
      return answer;
    } catch (error) {
      security.write({ ...said, outcome: 'refused', reason: (error as Error).message });
      throw error;
    }
  };
}

/** Services take ADMIN_TOKEN by a hash that is kept here. Looked at beside all else: it takes its time by intent. */
async function keepFirst(store: ControlStore, adminToken: string, security: SecurityLog): Promise<void> {
  if (await store.operators.keepFirst(adminToken))
    security.write({
      event: 'operators.first',
      outcome: 'ok',
      target: 'ADMIN_TOKEN',
      reason: 'its hash was new here',
    });
}
