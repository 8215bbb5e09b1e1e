// Runs the local processes that are wanted: each monolith those whose rows in the store name it, and those
// that nobody looks after any more. Starts, restarts, takes over, ends; what is wanted is decided elsewhere.
// Guarantees: no process is left behind by a clean stop; after an unclean one the next monolith finds what
// still runs by its identity, never by its pid alone.
import { setTimeout as pause } from 'node:timers/promises';
import { coalesced } from '../placement/follower.ts';
import { replaceLeftovers, spawnPlaced } from './at-start.ts';
import { handOver } from './hand-over.ts';
import { Keepers, type KeepersOptions } from './keepers.ts';
import { claimedTables, reconcile } from './reconcile.ts';

export interface SupervisorOptions extends Omit<KeepersOptions, 'graceMs'> {
  /** From SIGTERM to SIGKILL. Must be longer than DRAIN_DELAY_MS. Default 15 000. */
  readonly graceMs?: number;
  /**
   * Start one process of a module that is placed as a service when no process is wanted here and none is
   * registered. Off where services are run by others (compose).
   */
  readonly spawnsPlaced?: boolean;
  /** A process that said nothing for this long, while it lives, is ended and started again. Default 15 000. */
  readonly silentMs?: number;
  /** How long `start` waits for the services that are placed. Default 30 000. */
  readonly startMs?: number;
}

export interface Supervisor {
  /** Resolves when the services that the placements need are healthy, or do not start. */
  start(): Promise<void>;
  /**
   * Ends all its processes, by force where one is not gone within that time. Another monolith, if there is one, has
   * started its own before. To be called when the registry knows that this host drains.
   */
  stop(withinMs?: number): Promise<void>;
}

const LOOK_MS = 1000;
const HAND_OVER_MS = 15_000;
const STORE_MS = 2000;
/** For SIGKILL to do its work. */
const KILL_MS = 500;

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { host, store, follower, dataDir, log } = options;
  const { graceMs = 15_000, spawnsPlaced = true, startMs = 30_000, silentMs = 15_000 } = options;
  const own: KeepersOptions = { ...options, graceMs };
  const keepers = new Keepers(own);
  let timer: NodeJS.Timeout | undefined;
  let unsubscribe = () => {};
  let stopped = false;

  const look = coalesced(async () => {
    if (stopped) return;
    try {
      reconcile(keepers, await claimedTables(store, host), { host, dataDir, silentMs });
    } catch (error) {
      log.debug({ error: (error as Error).message }, 'the supervisor could not look, trying again');
    }
  });

  return {
    async start() {
      await replaceLeftovers(keepers, own);
      if (spawnsPlaced) await spawnPlaced(own);
      await look();
      const ready = Promise.all(keepers.placed().map((id) => keepers.get(id)!.settled));
      await Promise.race([ready, sleep(startMs)]);
      unsubscribe = follower.subscribe(() => void look());
      timer = setInterval(look, LOOK_MS);
    },

    async stop(withinMs = graceMs + HAND_OVER_MS) {
      const begun = performance.now();
      const left = () => Math.max(0, withinMs - KILL_MS - (performance.now() - begun));
      clearInterval(timer);
      unsubscribe();
      // A store that hangs is waited for by none of them: what runs here must end.
      await Promise.race([look(), sleep(Math.min(STORE_MS, left()))]);
      stopped = true;
      keepers.close();
      await Promise.race([handOver(keepers, own, Math.min(HAND_OVER_MS, left() / 2)), sleep(left() * 0.75)]);
      await keepers.stop(Math.min(graceMs, left()));
    },
  };
}

function sleep(ms: number): Promise<void> {
  return pause(ms, undefined, { ref: false });
}
