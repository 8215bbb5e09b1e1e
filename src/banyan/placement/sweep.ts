// Takes the dead out of the registry: hosts whose process is gone from this machine at once, hosts that were
// silent for 3 s wherever they ran.
// Silence is believed only by a host that has itself been beating without a gap for longer than that: after
// an outage of the store, or a pause of this process, everybody looks silent for a moment and nobody is dead.
import type { Logger } from 'pino';
import { isAlive, machine } from '../context/process.ts';
import { LIVE_MS } from './schema.ts';
import type { ControlStore } from './store.ts';

const EVERY_MS = 1000;
const GAP_MS = 1500;

export interface Sweep {
  /** After every successful heartbeat. `self` is never marked as gone. */
  succeeded(self: string | undefined): Promise<void>;
  failed(): void;
}

export function createSweep(store: ControlStore, log: Logger): Sweep {
  let beatingSince: number | undefined;
  let lastBeat = 0;
  // The clock counts from the start of this process, and the first look matters most: a monolith that replaces
  // a killed one takes over its services only when that one is known to be dead.
  let lastSweep = Number.NEGATIVE_INFINITY;

  return {
    failed() {
      beatingSince = undefined;
    },

    async succeeded(self) {
      const now = performance.now();
      if (beatingSince === undefined || now - lastBeat > GAP_MS) beatingSince = now;
      lastBeat = now;
      if (!self || now - lastSweep < EVERY_MS) return;
      lastSweep = now;
      const believesSilence = now - beatingSince > LIVE_MS;
      const suspects = (await store.registry.suspects(machine)).filter(({ host }) => host !== self);
      const ended = suspects.filter(({ process }) => isAlive(process) === false);
      const mute = suspects.filter((one) => one.silent && believesSilence && !ended.includes(one));
      const gone = [...ended, ...mute];
      if (gone.length === 0) return;
      log.warn({ hosts: gone.map(({ id, process }) => `${id} (pid ${process.pid})`) }, 'hosts are gone');
      await store.registry.markGone(
        gone.map(({ host }) => host),
        mute.map(({ host }) => host),
      );
    },
  };
}
