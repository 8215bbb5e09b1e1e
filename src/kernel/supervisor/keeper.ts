// Keeps one number of a module running: starts its process, notes when it is healthy, starts it again under
// the same id when it ends, later each time (0.2 s doubled up to 10 s) until it was healthy for 10 s. One that ends
// ten times in a row for the same reason, before it was healthy, is tried once a minute, and one that cannot be run at
// all (its file is gone) is not tried until it can: one line in the log says so, and the row, which `status` shows.
// It believes the store about whose number it is: before a start it asks, and gives up what is not its own.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { waitAfter } from '../backoff.ts';
import { sameCause } from '../identity/hop.ts';
import { awaitApplied, poll } from '../placement/flip.ts';
import type { ProcessIdentity } from '../placement/process.ts';
import type { Endpoint, Placements } from '../placement/snapshot.ts';
import type { ControlStore } from '../placement/store.ts';
import type { LocalProcess } from './local-process.ts';

export interface KeeperOptions {
  readonly module: string;
  readonly number: number;
  readonly store: ControlStore;
  readonly placements: Placements;
  readonly log: Logger;
  /** Starts a process of this number. */
  readonly start: () => LocalProcess;
  /** Why it ended, from what it said last. */
  readonly lastWords: () => string | undefined;
  /** Why no process of it can be started, whatever is tried. */
  readonly unrunnable: () => string | undefined;
  /** Still this supervisor's number, and not served by a process that somebody else started? */
  readonly claim: () => Promise<Claim>;
  readonly graceMs: number;
}

export type Claim = 'ours' | 'another-supervisor' | 'served-elsewhere';

export interface Keeper {
  /** Resolves when a process was healthy for the first time, or failed to become so twice. */
  readonly settled: Promise<void>;
  /** Starts at once what waits for its next try. */
  hurry(): void;
  /** Ends a process that said nothing for that long, so that it is started again. It would not hear a SIGTERM. */
  replace(silentMs: number): void;
  /** Takes the process out of rotation, lets it finish, ends it. */
  retire(): Promise<void>;
  /** Ends the process; it drains what it has, for so long at most. */
  stop(graceMs?: number): Promise<void>;
  /** Another supervisor looks after it now. */
  release(): void;
}

const firstWaitMs = 200;
const longestWaitMs = 10_000;
const sameReasonMost = 10;
const sameReasonWaitMs = 60_000;
const lookAgainMs = 1_000;
const steadyMs = 10_000;
const finishMs = 10_000;

export function createKeeper(options: KeeperOptions, found?: LocalProcess): Keeper {
  const { module, number, store, placements, log, start, lastWords, claim, unrunnable, graceMs } = options;
  const id = `${module}-${number}`;
  const settled = Promise.withResolvers<void>();
  let current: LocalProcess | undefined;
  let over = false;
  let failures = 0;
  let tries = 0;
  let reason = '';
  let sameReason = 0;
  let held = '';
  let replaced: LocalProcess | undefined;
  let rest = new AbortController();

  const note = (lastExit: string | null) =>
    store.services.noted(module, number, failures, lastExit).catch((error: Error) => {
      log.debug({ id, error: error.message }, 'what became of a process could not be stored');
    });

  const becameHealthy = () => {
    failures = 0;
    settled.resolve();
    void note(null);
  };

  const failed = async (words: string, wasHealthy: boolean) => {
    failures = wasHealthy ? 1 : failures + 1;
    sameReason = !wasHealthy && sameCause(reason || undefined, words) ? sameReason + 1 : 1;
    reason = words;
    if (sameReason < sameReasonMost) log.error({ id, reason }, 'a service ended, starting it again');
    else if (sameReason === sameReasonMost)
      log.error({ id, reason }, 'a service does not start; it is tried once a minute');
    await note(words);
    if (failures >= 2) settled.resolve();
  };

  /** Watches one process from its start to its end. */
  const attend = async (running: LocalProcess): Promise<void> => {
    let healthySince = Number.POSITIVE_INFINITY;
    const look = () => {
      if (
        healthySince < Number.POSITIVE_INFINITY ||
        !endpointOf(placements, module, id, running.identity)?.healthy
      )
        return;
      healthySince = performance.now();
      log.info({ id, pid: running.identity.pid }, 'a service is healthy');
      becameHealthy();
    };
    const stopLooking = placements.subscribe(look);
    look();
    const how = await running.ended;
    stopLooking();
    await store.roster.buryProcess(running.identity).catch(() => {});
    if (over) return;
    if (performance.now() - healthySince > steadyMs) tries = 0;
    const said = replaced === running ? 'it stood still and was replaced' : lastWords();
    const words = [how, said].filter(Boolean).join(', ');
    await failed(words, healthySince < Number.POSITIVE_INFINITY);
  };

  const run = async (): Promise<void> => {
    current = found;
    while (!over) {
      current ??= await begin();
      if (!current) continue;
      await attend(current);
      current = undefined;
      const longestMs = sameReason >= sameReasonMost ? sameReasonWaitMs : longestWaitMs;
      tries += 1;
      if (!over) await pause(waitAfter(tries, { firstMs: firstWaitMs, longestMs }));
    }
    settled.resolve();
  };

  const begin = async (): Promise<LocalProcess | undefined> => {
    if (!(await mayStart()) || over) return undefined;
    try {
      // Known from this very turn: whoever stops while the store is told must find it.
      const running = start();
      current = running;
      log.info({ id, pid: running.identity.pid }, 'a service was started');
      await store.services.started(module, number, running.identity).catch(() => {});
      return running;
    } catch (error) {
      await failed((error as Error).message, false);
      await pause(longestWaitMs);
      return undefined;
    }
  };

  /** While the store is silent nothing is started: a service could not serve without it either. */
  const mayStart = async (): Promise<boolean> => {
    try {
      const whose = await claim();
      if (whose === 'another-supervisor') over = true;
      if (over) return false;
      const why =
        whose === 'served-elsewhere' ? 'a process that somebody else started serves it' : unrunnable();
      if (!why) {
        held = '';
        return true;
      }
      await hold(why, whose === 'ours');
    } catch {
      await pause(lookAgainMs);
    }
    return false;
  };

  /** Nothing is started while that holds; said once. */
  const hold = async (why: string, failing: boolean) => {
    if (held !== why) {
      held = why;
      if (failing) log.error({ id, reason: why }, 'a service cannot be started');
      else log.info({ id, reason: why }, 'no process is started');
      failures = failing ? 2 : 0;
      await note(failing ? why : null);
      settled.resolve();
    }
    await pause(lookAgainMs);
  };

  const pause = async (ms: number) => {
    if (over) return;
    rest = new AbortController();
    await sleep(ms, undefined, { signal: rest.signal }).catch(() => {});
  };

  const stop = async (ms = graceMs) => {
    over = true;
    rest.abort();
    await current?.stop(ms);
    await finished;
  };

  const finished = run();
  return {
    settled: settled.promise,
    hurry: () => rest.abort(),
    replace(silentMs) {
      if (!current || over || replaced === current) return;
      replaced = current;
      const { pid } = current.identity;
      log.warn({ id, pid }, `a service said nothing for ${silentMs / 1000} s and does not end: replacing it`);
      void current.stop(0);
    },
    stop,
    async retire() {
      over = true;
      rest.abort();
      if (current) await leaveRotation(store, current.identity);
      await stop();
    },
    release() {
      over = true;
      rest.abort();
      current?.forget();
    },
  };
}

/** Every host stops sending to it, and what it was sent is finished, before it is told to stop. */
async function leaveRotation(store: ControlStore, { machine, pid }: ProcessIdentity): Promise<void> {
  try {
    const find = async () =>
      (await store.read()).hosts.find((host) => host.live && host.machine === machine && host.pid === pid);
    const host = await find();
    if (!host) return;
    await awaitApplied(store, await store.roster.retire(host.host, true), 2000);
    await poll(finishMs, async () => Object.values((await find())?.busy ?? {}).every((count) => count === 0));
  } catch {
    // Without the store nobody can be told; the process drains on SIGTERM as well.
  }
}

function endpointOf(
  placements: Placements,
  module: string,
  id: string,
  { pid }: ProcessIdentity,
): Endpoint | undefined {
  return placements.current.modules[module]?.instances.find((one) => one.id === id && one.pid === pid);
}
