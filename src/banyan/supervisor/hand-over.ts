// Lets another monolith start its own processes of what is placed, before those of this one end. Resolves when they are
// healthy, when there is no other monolith any more, or after `ms`; never rejects.
import { until } from '../placement/follower.ts';
import type { Keepers, KeepersOptions } from './keepers.ts';
import { moduleOf } from './rows.ts';

export async function handOver(
  keepers: Keepers,
  { host, store, follower, log }: KeepersOptions,
  ms: number,
): Promise<void> {
  // Asked again on every change: two that stop at once must not wait for each other.
  const others = () => follower.current.monoliths.some((one) => one.host !== host && one.healthy);
  if (!others() || keepers.size === 0) return;
  try {
    const { hosts } = await store.read();
    const old = hosts.filter((one) => one.role === 'service' && one.live && keepers.has(one.id));
    const ids = keepers.placed();
    for (const one of old) await store.registry.offer(one.host);
    await store.services.release(host);
    const replaced = (id: string) =>
      follower.current.modules[moduleOf(id)]!.instances.some(
        (one) => one.id === id && one.healthy && !old.some(({ host }) => host === one.host),
      );
    await until(follower, () => ids.every(replaced) || !others(), ms);
  } catch (error) {
    log.warn({ error: (error as Error).message }, 'services could not be handed over');
  }
}
