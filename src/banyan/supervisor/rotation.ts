// Takes a process out of rotation before it is told to stop: every host stops sending to it, and what it was sent
// is finished. Never rejects: without the store nobody can be told, and the process drains on SIGTERM as well.

import type { ProcessIdentity } from '../context/process.ts';
import { awaitApplied, poll } from '../placement/flip.ts';
import type { ControlStore } from '../placement/store.ts';

const appliedMs = 2000;
const finishMs = 10_000;

export async function leaveRotation(store: ControlStore, { machine, pid }: ProcessIdentity): Promise<void> {
  try {
    const find = async () =>
      (await store.read()).hosts.find((host) => host.live && host.machine === machine && host.pid === pid);
    const host = await find();
    if (!host) return;
    await awaitApplied(store, await store.roster.retire(host.host, true), appliedMs);
    await poll(finishMs, async () => Object.values((await find())?.busy ?? {}).every((count) => count === 0));
  } catch {
    // Said above.
  }
}
