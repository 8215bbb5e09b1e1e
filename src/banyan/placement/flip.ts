// The flip, and what must be over before a process may be stopped.
// A flip is done when every live host that decides by it does so; a drain, when in addition no request to the old side
// is unfinished anywhere. Both watch what hosts report. A service is asked about the modules that it runs or calls, and
// what it says holds a decision up for a bounded time: nobody can look whether it is so, and whoever copied its key may
// say anything. Monoliths, gateways, and the very processes that are to be stopped are waited for to the end.

import type { Sql } from '../store/store.ts';
import type { PlaceOutcome } from './flags.ts';
import type { Follower } from './follower.ts';
import type { Who } from './history.ts';
import type { Concerned } from './registry.ts';
import type { ControlStore } from './store.ts';
import type { Wish } from './wish.ts';

/** How long a flip waits for the last host. */
export const ACKNOWLEDGE_MS = 2000;

export interface Flip {
  readonly outcome: PlaceOutcome;
  /** The ids of live hosts that had not applied it after 2 s; empty when all had. */
  readonly lagging: readonly string[];
  /** With `host-too-old`: the ids of those that do not know the word. */
  readonly tooOld?: readonly string[];
}

/** A change of the share alone is a flip like any other. What is under way ends on the side that it was decided to. */
export async function setPlacement(
  store: ControlStore,
  follower: Follower,
  module: string,
  wish: Wish,
  who: Who,
  beside?: (tx: Sql) => Promise<void>,
): Promise<Flip> {
  const { outcome, version, tooOld } = await store.flags.place(module, wish, who, beside);
  if (outcome !== 'changed' && outcome !== 'same') return { outcome, lagging: [], tooOld };
  await follower.refresh();
  return { outcome, lagging: await awaitApplied(store, version, ACKNOWLEDGE_MS, [module]) };
}

/**
 * Waits until every live host applied the version; answers the ids of those that did not within `ms`.
 * @param of the modules that it is about: services that neither run nor call one of them are not asked.
 */
export async function awaitApplied(
  store: ControlStore,
  version: number,
  ms: number,
  of?: Concerned,
): Promise<string[]> {
  let lagging: string[] = [];
  await poll(ms, async () => {
    lagging = await store.registry.lagging(version, of);
    return lagging.length === 0;
  });
  return lagging;
}

/** Longer than any request may take (http/http-call.ts): who says for longer that one is under way is not waited for. */
const BELIEVED_MS = 16_000;

export interface DrainState {
  readonly drained: boolean;
  readonly lagging: readonly string[];
  /** Requests sent to the service side and not finished, over all hosts. */
  readonly inflight: number;
  /** Requests that instances of the module are serving. */
  readonly busy: number;
  /** The ids of services that said until the end that they were not done, and were not waited for any longer. */
  readonly passedOver: readonly string[];
}

/** Waits until no host sends requests to the service side of the module by `version`, and none is left. */
export async function awaitDrained(
  store: ControlStore,
  module: string,
  version: number,
  ms: number,
): Promise<DrainState> {
  const until = performance.now() + Math.min(BELIEVED_MS, ms / 2);
  let state: DrainState = { drained: false, lagging: [], inflight: 0, busy: 0, passedOver: [] };
  await poll(ms, async () => {
    const all = await look(store, module, version, true);
    state = all.drained || performance.now() < until ? all : await look(store, module, version, false, all);
    return state.drained;
  });
  return state;
}

/** @param believed whether what services say of themselves counts. @param before what they said. */
async function look(
  store: ControlStore,
  module: string,
  version: number,
  believed: boolean,
  before?: DrainState,
): Promise<DrainState> {
  const lagging = await store.registry.lagging(version, believed ? [module] : []);
  const { inflight, busy, claimed } = await store.registry.load(module);
  const counted = believed ? claimed : [];
  const sum = (of: 'inflight' | 'busy') => counted.reduce((total, one) => total + one[of], 0);
  const state = { lagging, inflight: inflight + sum('inflight'), busy: busy + sum('busy') };
  const drained = lagging.length === 0 && state.inflight + state.busy === 0;
  const late = before?.lagging.filter((id) => !lagging.includes(id)) ?? [];
  const passedOver = believed ? [] : [...new Set([...late, ...claimed.map(({ id }) => id)])];
  return { ...state, drained, passedOver };
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
