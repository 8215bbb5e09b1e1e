// What a supervisor does once, before its first look: what an earlier monolith left is replaced, and modules whose
// service gets requests, all or a share, with nobody to serve them get a first process.

import { needsService } from '../placement/wish.ts';
import type { Keepers, KeepersOptions } from './keepers.ts';
import { unrunnable } from './local-process.ts';
import { claimedTables } from './reconcile.ts';
import { processOf, runs } from './rows.ts';

/** What an earlier monolith left runs older code with older addresses, so it goes first. */
export async function replaceLeftovers(keepers: Keepers, { host, store }: KeepersOptions): Promise<void> {
  const { services } = await claimedTables(store, host);
  const left = services.filter((row) => row.supervisor === host && row.wanted && runs(row));
  await Promise.all(left.map((row) => keepers.replace(row, processOf(row)!)));
}

/** Wants one process of each module whose service gets requests while none is wanted here and none is registered. */
export async function spawnPlaced({ host, store, follower, command, log }: KeepersOptions): Promise<void> {
  const { placements, services } = await store.read();
  for (const { module } of placements.filter(needsService)) {
    const wanted = services.some((row) => row.module === module && row.wanted);
    const served = follower.current.modules[module]?.instances.some(({ healthy }) => healthy);
    if (wanted || served) continue;
    const why = unrunnable(command(module, 1));
    if (why)
      log.warn({ module, reason: why }, 'placed as a service that others run: nothing is started here');
    else await store.services.want(module, 1, host);
  }
}
