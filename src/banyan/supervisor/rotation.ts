// Takes a process out of rotation before it is told to stop: every host stops sending to it, and what it was sent
// is finished. Never rejects: without the store nobody can be told, and the process drains on SIGTERM as well.

import type { ProcessIdentity } from '../context/process.ts';
import { awaitApplied, poll } from '../placement/flip.ts';
import type { ControlStore } from '../placement/store.ts';

const APPLIED_MS = 2000;
const FINISH_MS = 10_000;

/** @param id as the process goes by: what another says of its machine and pid is not meant. */
export async function leaveRotation(
  store: ControlStore,
  id: string,
  { machine, pid }: ProcessIdentity,
): Promise<void> {
  try {
    const find = async () =>
      (await store.read()).hosts.find(
        (host) => host.live && host.id === id && host.machine === machine && host.pid === pid,
      );
    const host = await find();
    if (!host) return;
    await awaitApplied(store, await store.registry.retire(host.host, true), APPLIED_MS, host.modules);
    await poll(FINISH_MS, async () =>
      Object.values((await find())?.busy ?? {}).every((count) => count === 0),
    );
  } catch {
    // Said above.
  }
}
