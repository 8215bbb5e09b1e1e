// Runs the local processes that are wanted: each monolith those whose rows in the store name it, and those
// that nobody looks after any more. Starts, restarts, takes over, ends; what is wanted is decided elsewhere.
// Guarantees: no process is left behind by a clean stop; after an unclean one the next monolith finds what
// still runs by its identity, never by its pid alone.
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { coalesced, type Follower, until } from '../placement/follower.ts';
import { isLive } from '../placement/picture.ts';
import { isAlive, type ProcessIdentity } from '../placement/process.ts';
import type { ControlStore } from '../placement/store.ts';
import type { ServiceRow, Tables } from '../placement/tables.ts';
import { isExtracted } from '../routing/side.ts';
import { createKeeper, type Keeper } from './keeper.ts';
import { adoptProcess, type Command, startProcess, unrunnable } from './local-process.ts';
import { lastLine, openLog, turnOver } from './log-file.ts';
import { claimOf, idOf, isLeaving, isServing, isSilent, moduleOf, processOf, runs } from './rows.ts';

export interface SupervisorOptions {
  /** This monolith in the roster; it must be registered before `start`. */
  readonly host: string;
  readonly store: ControlStore;
  readonly follower: Follower;
  /** What runs number n of a module: the file, the folder, the whole environment. */
  readonly command: (module: string, number: number) => Command;
  /** Logs go to `<dataDir>/logs/<id>.log`. */
  readonly dataDir: string;
  readonly log: Logger;
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
   * started its own before. To be called when the roster knows that this host drains.
   */
  stop(withinMs?: number): Promise<void>;
}

const lookMs = 1000;
const sleep = (ms: number) => pause(ms, undefined, { ref: false });
const handOverMs = 15_000;
const storeMs = 2000;
/** For SIGKILL to do its work. */
const killMs = 500;

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { host, store, follower, command, dataDir, log } = options;
  const { graceMs = 15_000, spawnsPlaced = true, startMs = 30_000, silentMs = 15_000 } = options;
  const keepers = new Map<string, Keeper>();
  const leaving = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let unsubscribe = () => {};
  let stopped = false;

  const keep = (row: ServiceRow, found?: ProcessIdentity) => {
    const { module, number } = row;
    const id = idOf(row);
    const keeper = createKeeper(
      {
        module,
        number,
        store,
        placements: follower,
        log,
        graceMs,
        start: () => startProcess(command(module, number), openLog(dataDir, id)),
        lastWords: () => lastLine(dataDir, id),
        unrunnable: () => unrunnable(command(module, number)),
        claim: async () => claimOf(await store.read(), id, host),
      },
      found && adoptProcess(found),
    );
    keepers.set(id, keeper);
  };

  const retire = async (row: ServiceRow) => {
    const id = idOf(row);
    if (leaving.has(id)) return;
    leaving.add(id);
    try {
      const left = processOf(row);
      const keeper = keepers.get(id);
      if (keeper) await keeper.retire();
      else if (left && isAlive(left)) await adoptProcess(left).stop(graceMs);
      keepers.delete(id);
      await store.services.stopped(row.module, row.number);
    } catch (error) {
      log.warn({ id, error: (error as Error).message }, 'a process could not be ended, trying again');
    } finally {
      leaving.delete(id);
    }
  };

  /** Makes what runs here agree with the rows that are ours. */
  const reconcile = coalesced(async () => {
    if (stopped) return;
    try {
      const tables = await ownTables();
      const mine = tables.services.filter(({ supervisor }) => supervisor === host);
      for (const [id, keeper] of keepers) {
        if (mine.some((row) => idOf(row) === id)) continue;
        log.warn({ id }, 'another monolith looks after this service now');
        keeper.release();
        keepers.delete(id);
      }
      for (const row of mine) {
        const id = idOf(row);
        turnOver(dataDir, id);
        if (row.wanted && isSilent(tables, row, silentMs)) keepers.get(id)?.replace(silentMs);
        if (!row.wanted) void retire(row);
        else if (keepers.has(id)) row.failures === 0 && keepers.get(id)!.hurry();
        else if (!leaving.has(id)) take(row, tables);
      }
    } catch (error) {
      log.debug({ error: (error as Error).message }, 'the supervisor could not look, trying again');
    }
  });

  /** A row without a keeper: its process runs and serves, hangs about, or does not exist. */
  const take = (row: ServiceRow, tables: Tables) => {
    const left = processOf(row);
    const holder = tables.hosts.find((one) => one.id === idOf(row) && isLive(one) && isServing(one));
    const ours = left && isAlive(left) ? left : undefined;
    if (holder && ours && holder.machine === ours.machine && holder.pid === ours.pid) keep(row, ours);
    else if (holder)
      return; // It runs elsewhere, and serves: nothing to do until it is gone.
    else if (ours && !isLeaving(tables, ours)) void replace(row, ours);
    else keep(row); // One that drains by another's order has freed the id.
  };

  const replace = async (row: ServiceRow, left: ProcessIdentity) => {
    const id = idOf(row);
    log.info({ id, pid: left.pid }, 'replacing a process that an earlier monolith left behind');
    leaving.add(id);
    await adoptProcess(left).stop(graceMs);
    await store.roster.buryProcess(left).catch(() => {});
    leaving.delete(id);
    if (!stopped) keep(row);
  };

  const ownTables = async (): Promise<Tables> => {
    const tables = await store.read();
    const live = new Set(tables.hosts.filter((one) => one.live).map((one) => one.host));
    if (tables.services.every(({ supervisor }) => supervisor !== null && live.has(supervisor))) return tables;
    await store.services.claim(host);
    return store.read();
  };

  /** At the start: what an earlier monolith left runs older code with older addresses, so it goes first. */
  const replaceLeftovers = async () => {
    const { services } = await ownTables();
    const left = services.filter((row) => row.supervisor === host && row.wanted && runs(row));
    await Promise.all(left.map((row) => replace(row, processOf(row)!)));
  };

  const spawnPlaced = async () => {
    const { placements, services } = await store.read();
    for (const { module } of placements.filter(({ placement }) => placement === 'service')) {
      const wanted = services.some((row) => row.module === module && row.wanted);
      const served = follower.current.modules[module]?.instances.some(({ healthy }) => healthy);
      if (wanted || served) continue;
      const why = unrunnable(command(module, 1));
      if (why)
        log.warn({ module, reason: why }, 'placed as a service that others run: nothing is started here');
      else await store.services.want(module, 1, host);
    }
  };

  const idsPlaced = () => [...keepers.keys()].filter((id) => isExtracted(follower.current, moduleOf(id)));

  return {
    async start() {
      await replaceLeftovers();
      if (spawnsPlaced) await spawnPlaced();
      await reconcile();
      const ready = Promise.all(idsPlaced().map((id) => keepers.get(id)!.settled));
      await Promise.race([ready, new Promise((resolve) => setTimeout(resolve, startMs).unref())]);
      unsubscribe = follower.subscribe(() => void reconcile());
      timer = setInterval(reconcile, lookMs);
    },

    async stop(withinMs = graceMs + handOverMs) {
      const begun = performance.now();
      const left = () => Math.max(0, withinMs - killMs - (performance.now() - begun));
      clearInterval(timer);
      unsubscribe();
      // A store that hangs is waited for by none of them: what runs here must end.
      await Promise.race([reconcile(), sleep(Math.min(storeMs, left()))]);
      stopped = true;
      await Promise.race([handOver(Math.min(handOverMs, left() / 2)), sleep(left() * 0.75)]);
      await Promise.all([...keepers.values()].map((keeper) => keeper.stop(Math.min(graceMs, left()))));
      keepers.clear();
    },
  };

  /** Lets another monolith start its own processes of what is placed, before these end. */
  async function handOver(ms: number): Promise<void> {
    // Asked again on every change: two that stop at once must not wait for each other.
    const others = () => follower.current.monoliths.some((one) => one.host !== host && one.healthy);
    if (!others() || keepers.size === 0) return;
    try {
      const { hosts } = await store.read();
      const old = hosts.filter((one) => one.role === 'service' && one.live && keepers.has(one.id));
      const ids = idsPlaced();
      for (const one of old) await store.roster.offer(one.host);
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
}
