// That past events are replayed to a module's listeners, as the monolith that does so tells all hosts. What is done for a
// call in the course of a replay publishes nothing, so a service's word is not enough: whoever is asked finds it in its own
// picture. Guarantees: when it answers, the hosts that may be asked know it, or 2 s are over.
import { ACKNOWLEDGE_MS, awaitApplied } from './flip.ts';
import type { Follower } from './follower.ts';
import type { ControlStore } from './store.ts';

/** Before a slice of a replay to the listeners of that module (events/operations/log-handlers.ts): one takes some 10 s. */
export async function announceReplay(store: ControlStore, follower: Follower, module: string): Promise<void> {
  const asking = await store.replays.asking(module);
  if (asking.length === 0) return;
  const version = await store.replays.announce(asking.map(({ name }) => name));
  await follower.refresh();
  await awaitApplied(
    store,
    version,
    ACKNOWLEDGE_MS,
    asking.flatMap(({ uses }) => uses),
  );
}
