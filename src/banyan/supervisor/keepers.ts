// The numbers that one supervisor looks after, each with its keeper, and those whose process is on its way out.
// Guarantees: a number has one keeper at most, and none while its process leaves, so that no two run under one id.
// Which numbers are this supervisor's is decided elsewhere.
import type { Logger } from 'pino';
import { isAlive, type ProcessIdentity } from '../context/process.ts';
import { type Follower, until } from '../placement/follower.ts';
import type { ControlStore } from '../placement/store.ts';
import type { HostRow, ServiceRow } from '../placement/tables.ts';
import { needsService } from '../placement/wish.ts';
import { Keeper } from './keeper.ts';
import { adoptProcess, type Command, startProcess, unrunnable } from './local-process.ts';
import { lastWords, openLog } from './log-file.ts';
import { claimOf, healthyBesides, idOf, moduleOf, processOf } from './rows.ts';

export interface KeepersOptions {
  /** This monolith in the registry; it must be registered before anything is kept. */
  readonly host: string;
  readonly store: ControlStore;
  readonly follower: Follower;
  /** What runs number n of a module: the file, the folder, the whole environment. */
  readonly command: (module: string, number: number) => Command;
  /** The key that its processes are given now: those with another are replaced by others while they serve. */
  readonly kidOf?: (module: string) => string | undefined;
  /** Processes of the version before are let in. */
  readonly overlap?: boolean;
  /** Logs go to `<dataDir>/logs/<id>.log`. */
  readonly dataDir: string;
  readonly log: Logger;
  /** From SIGTERM to SIGKILL. Must be longer than DRAIN_DELAY_MS. */
  readonly graceMs: number;
  /** Hears of each process that ended by itself, by its module. */
  readonly onEnded?: (module: string) => void;
}

/** A start on a busy machine; said again and again until it is over. */
const RENEWED_MS = 30_000;

export class Keepers {
  readonly #options: KeepersOptions;
  readonly #keepers = new Map<string, Keeper>();
  readonly #leaving = new Set<string>();
  /** Those whose successors are on their way. */
  readonly #outgoing = new Map<string, Keeper>();
  #closed = false;

  constructor(options: KeepersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#keepers.size;
  }

  has(id: string): boolean {
    return this.#keepers.has(id);
  }

  get(id: string): Keeper | undefined {
    return this.#keepers.get(id);
  }

  isLeaving(id: string): boolean {
    return this.#leaving.has(id);
  }

  /** The ids of those whose module's service gets requests, all or a share. */
  placed(): string[] {
    const { current } = this.#options.follower;
    return [...this.#keepers.keys()].filter((id) => {
      const entry = current.modules[moduleOf(id)];
      return entry !== undefined && needsService(entry);
    });
  }

  /** @param found its process, where one runs already and may stay. */
  keep(row: ServiceRow, found?: ProcessIdentity): void {
    const { host, store, follower, command, dataDir, log, graceMs, onEnded } = this.#options;
    const { module, number } = row;
    const id = idOf(row);
    const keeper = new Keeper(
      {
        module,
        number,
        store,
        placements: follower,
        log,
        graceMs,
        onEnded: () => onEnded?.(module),
        start: () => startProcess(command(module, number), openLog(dataDir, id)),
        lastWords: (starting) => lastWords(dataDir, id, starting),
        unrunnable: () => unrunnable(command(module, number)),
        claim: async () => claimOf(await store.read(), id, host),
      },
      found && adoptProcess(found),
    );
    this.#keepers.set(id, keeper);
  }

  /** Lets go of every number that is not ours any more; its process runs on. */
  release(isOurs: (id: string) => boolean): void {
    for (const [id, keeper] of this.#keepers) {
      if (isOurs(id)) continue;
      this.#outgoing.get(id)?.release();
      this.#options.log.warn({ id }, 'another monolith looks after this service now');
      keeper.release();
      this.#keepers.delete(id);
    }
  }

  /** Ends the process of a number that is not wanted any more, once it has finished what it was sent. */
  async retire(row: ServiceRow): Promise<void> {
    const { store, log, graceMs } = this.#options;
    const id = idOf(row);
    if (this.#leaving.has(id)) return;
    this.#leaving.add(id);
    try {
      const left = processOf(row);
      const keeper = this.#keepers.get(id);
      await this.#outgoing.get(id)?.retire();
      if (keeper) await keeper.retire();
      else if (left && isAlive(left)) {
        await store.registry.ending(left).catch(() => {});
        await adoptProcess(left).stop(graceMs);
      }
      this.#keepers.delete(id);
      await store.services.stopped(row.module, row.number);
    } catch (error) {
      log.warn({ id, error: (error as Error).message }, 'a process could not be ended, trying again');
    } finally {
      this.#leaving.delete(id);
    }
  }

  /** Ends the process that an earlier monolith left under a number, and keeps one of our own. */
  async replace(row: ServiceRow, left: ProcessIdentity): Promise<void> {
    const { store, log, graceMs } = this.#options;
    const id = idOf(row);
    log.info({ id, pid: left.pid }, 'replacing a process that an earlier monolith left behind');
    this.#leaving.add(id);
    // Before it is told: it may have no monolith to say to that it drains.
    await store.registry.ending(left).catch(() => {});
    await adoptProcess(left).stop(graceMs);
    await store.registry.markProcessGone(left).catch(() => {});
    this.#leaving.delete(id);
    if (!this.#closed) this.keep(row);
  }

  /** Its process was given another key than is given now, or none that is let in. */
  isStale({ id, modules: [module], kid }: HostRow): boolean {
    const { kidOf, overlap } = this.#options;
    const now = module === undefined ? undefined : kidOf?.(module);
    return now !== undefined && kid !== now && !(kid === null && overlap) && !this.#outgoing.has(id);
  }

  /** Starts another process under a number, and ends the one before it when the new one serves: nothing is missed. */
  async renew(row: ServiceRow, old: HostRow): Promise<void> {
    const { store, follower, log } = this.#options;
    const id = idOf(row);
    const before = this.#keepers.get(id);
    if (!before || this.#closed) return;
    this.#outgoing.set(id, before);
    try {
      log.info({ id, pid: old.pid }, 'its key is an old one: another process takes over');
      before.startNothing();
      await store.registry.offer(old.host);
      this.keep(row);
      const after = this.#keepers.get(id);
      const serves = () => healthyBesides(follower.current, id, old.host);
      while (!this.#closed && this.#keepers.get(id) === after && !serves())
        if (!(await until(follower, serves, RENEWED_MS)))
          log.warn({ id }, 'the process that takes over is not healthy yet; the one before it serves on');
      await before.retire();
    } catch (error) {
      log.warn({ id, error: (error as Error).message }, 'a process could not be renewed, trying again');
      if (this.#keepers.get(id) === before) this.#keepers.delete(id);
    } finally {
      this.#outgoing.delete(id);
    }
  }

  /** Whatever leaves from now on is not followed by another. */
  close(): void {
    this.#closed = true;
  }

  /** Ends all processes. */
  async stop(graceMs: number): Promise<void> {
    const all = [...this.#keepers.values(), ...this.#outgoing.values()];
    await Promise.all(all.map((keeper) => keeper.stop(graceMs)));
    this.#keepers.clear();
  }
}
