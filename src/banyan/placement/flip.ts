// The flip, and what must be over before a process may be stopped.
// A flip is done when every live host decides by it; a drain, when in addition no request to the old side is
// unfinished anywhere. Both watch what hosts report and believe nothing else.

import type { Placement } from '../routing/snapshot.ts';
import type { PlaceOutcome } from './flags.ts';
import type { Follower } from './follower.ts';
import type { ControlStore } from './store.ts';

/** How long a flip waits for the last host. */
export const ACKNOWLEDGE_MS = 2000;

export interface Flip {
  readonly outcome: PlaceOutcome;
  /** The ids of live hosts that had not applied it after 2 s; empty when all had. */
  readonly lagging: readonly string[];
}

export async function setPlacement(
  store: ControlStore,
  follower: Follower,
  module: string,
  placement: Placement,
  by: string,
): Promise<Flip> {
  const { outcome, version } = await store.flags.place(module, placement, by);
  if (outcome !== 'changed' && outcome !== 'same') return { outcome, lagging: [] };
  await follower.refresh();
  return { outcome, lagging: await awaitApplied(store, version, ACKNOWLEDGE_MS) };
}

/** Waits until every live host applied the version; answers the ids of those that did not within `ms`. */
export async function awaitApplied(store: ControlStore, version: number, ms: number): Promise<string[]> {
  let lagging: string[] = [];
  await poll(ms, async () => {
    lagging = await store.registry.lagging(version);
    return lagging.length === 0;
  });
  return lagging;
}

export interface DrainState {
  readonly drained: boolean;
  readonly lagging: readonly string[];
  /** Requests sent to the service side and not finished, over all hosts. */
  readonly inflight: number;
  /** Requests that instances of the module are serving. */
  readonly busy: number;
}

/** Waits until no host sends requests to the service side of the module by `version`, and none is left. */
export async function awaitDrained(
  store: ControlStore,
  module: string,
  version: number,
  ms: number,
): Promise<DrainState> {
  let state: DrainState = { drained: false, lagging: [], inflight: 0, busy: 0 };
  await poll(ms, async () => {
    const lagging = await store.registry.lagging(version);
    const { inflight, busy } = await store.registry.load(module);
    state = { drained: lagging.length === 0 && inflight + busy === 0, lagging, inflight, busy };
    return state.drained;
  });
  return state;
}

/** Asks until the answer is yes: at once, soon (5 ms), and then less and less often, to 50 ms. */
export async function poll(ms: number, isDone: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + ms;
  for (let waitMs = 5; ; waitMs = Math.min(waitMs * 1.5, 50)) {
    if (await isDone()) return true;
    if (performance.now() + waitMs > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}
