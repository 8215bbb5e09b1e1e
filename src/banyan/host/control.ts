// How a host follows placement: monoliths and gateways in the database, services over HTTP at CONTROL_URL, so
// that they need no right on the control tables.
import type { JSONWebKeySet } from 'jose';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.ts';
import type { Contract } from '../contract/contract.ts';
import type { InternalTokens } from '../identity/internal-token.ts';
import { canonicalContract } from '../placement/canonical.ts';
import { createDatabaseFollower } from '../placement/database-follower.ts';
import type { Follower } from '../placement/follower.ts';
import { createHttpFollower } from '../placement/http-follower.ts';
import { type ControlStore, createControlStore } from '../placement/store.ts';
import { createSyncHandler } from '../placement/sync.ts';

export interface Control {
  readonly follower: Follower;
  /** Undefined on a service. */
  readonly store: ControlStore | undefined;
  /** Answers services that register and follow; undefined on a service. */
  readonly sync: ((body: unknown, caller: string) => Promise<unknown>) | undefined;
  /** Loads the first picture; every module has a placement after it. */
  start(): Promise<void>;
}

export interface ControlOptions {
  readonly settings: Settings;
  /** The URL of the control role; undefined on a service. */
  readonly controlUrl: string | undefined;
  readonly contracts: readonly Contract[];
  readonly tokens: InternalTokens;
  readonly jwks: JSONWebKeySet;
  readonly log: Logger;
  /** Control refused this host for good. */
  readonly onRefused: (error: Error) => void;
}

export function openControl({
  settings,
  controlUrl,
  contracts,
  tokens,
  jwks,
  log,
  onRefused,
}: ControlOptions): Control {
  if (controlUrl === undefined) {
    const follower = createHttpFollower({
      controlUrl: settings.controlUrl!,
      token: (audience) => tokens.mint(audience),
      log,
      onRefused,
    });
    return { follower, store: undefined, sync: undefined, start: () => follower.start() };
  }
  const store = createControlStore({ url: controlUrl, log });
  const follower = createDatabaseFollower({ store, log });
  const known = Object.fromEntries(
    contracts.map((contract) => [contract.module, canonicalContract(contract)]),
  );
  return {
    follower,
    store,
    sync: createSyncHandler({ store, follower, contracts: known, jwks: () => jwks as never, log }),
    async start() {
      await store.flags.seed(settings.allModules, settings.placements);
      await follower.start();
    },
  };
}
