// What every follower is: the picture in memory that refs and the gateway read, replaced whole. Where the
// pictures come from (the database, or another host over HTTP) is the other files' business.
import { setTimeout as timeout } from 'node:timers/promises';
import type { Placements, Snapshot } from '../routing/snapshot.ts';
import type { HostReport, Registration } from './host.ts';
import { emptySnapshot } from './picture.ts';

export interface Follower extends Placements {
  /** True once a picture was loaded. It stays true, with the last picture, while control is down. */
  readonly loaded: boolean;
  /** False while control (the store, or from a service the monoliths) does not answer, or has not yet. */
  readonly connected: boolean;
  /** Loads the first picture and follows from then on. Rejects when control cannot be reached at all. */
  start(): Promise<void>;
  /** Enters the registry and keeps beating. Resolves when this host decides by a picture that has it in. */
  register(self: Registration, report: () => HostReport): Promise<void>;
  /** Sends a heartbeat now: what `report` says has changed (ready, draining, drained). Never throws. */
  beat(): Promise<void>;
  /** Leaves the registry and ends. Never throws. */
  stop(): Promise<void>;
}

export interface Picture extends Pick<Placements, 'subscribe'> {
  current: Snapshot;
  replace(next: Snapshot): void;
}

export function createPicture(onError: (error: unknown) => void): Picture {
  const listeners = new Set<(snapshot: Snapshot) => void>();
  return {
    current: emptySnapshot,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    replace(next) {
      this.current = next;
      for (const listener of [...listeners]) {
        try {
          listener(next);
        } catch (error) {
          onError(error);
        }
      }
    },
  };
}

/** Resolves true as soon as a snapshot (the present one included) fits, false after `ms`. */
export function until(
  placements: Placements,
  fits: (snapshot: Snapshot) => boolean,
  ms: number,
): Promise<boolean> {
  if (fits(placements.current)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const end = (answer: boolean) => {
      clearTimeout(timer);
      stop();
      resolve(answer);
    };
    const timer = setTimeout(end, ms, false);
    const stop = placements.subscribe((snapshot) => {
      if (fits(snapshot)) end(true);
    });
  });
}

const LOOK_AGAIN_MS = 2000;
const OUTAGE_MS = 300;
const KNOWN_AFTER_MS = 5000;

/**
 * What `refresh` does for callers that would fail without a newer picture: looks until a look succeeds, for 2 s
 * at most. The first may well fail for what happened while this process stood still (SIGSTOP, a laptop's lid).
 * In an outage of control that has lasted for 5 s nobody is held up so long.
 */
export function createLookAgain(look: () => Promise<boolean>): () => Promise<void> {
  let failingSince: number | undefined;
  return async () => {
    const known = failingSince !== undefined && performance.now() - failingSince > KNOWN_AFTER_MS;
    const deadline = performance.now() + (known ? OUTAGE_MS : LOOK_AGAIN_MS);
    const late = timeout(deadline - performance.now(), false, { ref: false });
    while (performance.now() < deadline) {
      if (await Promise.race([look(), late])) {
        failingSince = undefined;
        return;
      }
      failingSince ??= performance.now();
      await timeout(20, undefined, { ref: false });
    }
  };
}

/** At most one run at a time and one that waits; whoever asks meanwhile shares the one that waits. */
export function coalesced(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let waiting: Promise<void> | undefined;
  const run = (): Promise<void> => {
    if (running) {
      waiting ??= running.then(() => {
        waiting = undefined;
        return run();
      });
      return waiting;
    }
    running = work().finally(() => {
      running = undefined;
    });
    return running;
  };
  return run;
}

/** Somebody may be waiting for this host's counts to reach 0: then it reports every 100 ms. */
export function isAwaited(snapshot: Snapshot, self: Registration, report: HostReport): boolean {
  const leaves = (module: string) => (snapshot.modules[module]?.placement ?? 'in-process') === 'in-process';
  const counts = (load: Readonly<Record<string, number>>, matters: (module: string) => boolean) =>
    Object.entries(load).some(([module, count]) => count > 0 && matters(module));
  if (counts(report.inflight, leaves)) return true;
  if (self.role !== 'service') return false;
  const retired = (module: string) =>
    snapshot.modules[module]?.instances.some(({ host, healthy }) => host === self.host && !healthy) ?? false;
  return counts(report.busy, (module) => leaves(module) || retired(module));
}
