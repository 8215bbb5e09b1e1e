// A key is replaced while everything runs: a new one is announced, and signs once every live host has it in its picture;
// the old one stays published as long as anything made with it may live (KeyLife), then it goes. Guarantees: no token of
// the old key is refused meanwhile, and none of the new one meets a monolith or a gateway that does not know it; whoever is
// killed in between leaves an announced key, with which the next rotation goes on. A service is waited for and holds nothing
// up: what it says of itself is its word alone, and a thief of its key would keep that key by saying nothing. One that lags
// indeed looks again where it meets a key that it does not know.
// It must not know how long anything lives: that is told from outside.
import type { RootKey } from '../identity/root-key.ts';
import { ACKNOWLEDGE_MS, awaitApplied } from './flip.ts';
import type { Follower } from './follower.ts';
import type { KeyLife } from './key-turns.ts';
import { LIVE_MS } from './schema.ts';
import type { ControlStore } from './store.ts';
import type { KeyPurpose } from './tables.ts';

export interface Rotation {
  /** False: monoliths or gateways lag, and the new keys stay announced; the old ones sign on. */
  readonly rotated: boolean;
  /** Monoliths and gateways sign by the new ones. */
  readonly settled: boolean;
  /** The ids of the live hosts that did not have it in their picture when the time was up. */
  readonly lagging: readonly string[];
}

/** One that stands still is no longer live after this, and nobody waits for it. */
const ANNOUNCED_MS = LIVE_MS + ACKNOWLEDGE_MS;

export async function rotate(
  store: ControlStore,
  follower: Follower,
  root: RootKey,
  purpose: KeyPurpose,
  life: KeyLife,
  by: string,
): Promise<Rotation> {
  await store.keys.sweep(life);
  const { version, kids } = await store.keys.announce(root, purpose, by);
  await follower.refresh();
  const late = await awaitApplied(store, version, ANNOUNCED_MS);
  if (late.length > 0 && !(await have(store, version)))
    return { rotated: false, settled: false, lagging: late };
  const turned = await store.keys.turn(kids, by);
  await follower.refresh();
  const lagging = await awaitApplied(store, turned, ACKNOWLEDGE_MS);
  return { rotated: true, settled: lagging.length === 0 || (await have(store, turned)), lagging };
}

/** Monoliths and gateways have it. */
async function have(store: ControlStore, version: number): Promise<boolean> {
  return (await store.registry.lagging(version, [])).length === 0;
}
