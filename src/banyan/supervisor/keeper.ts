// Keeps one number of a module running: starts its process, notes when it is healthy, starts it again under
// the same id when it ends, later each time (0.2 s doubled up to 10 s) until it was healthy for 10 s; setbacks.ts
// counts. One that cannot be run at all (its file is gone) is not tried until it can: one line in the log says so, and
// the row, which `status` shows. It believes the store about whose number it is: before a start it asks, and gives up
// what is not its own.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ProcessIdentity } from '../context/process.ts';
import type { ControlStore } from '../placement/store.ts';
import type { Placements } from '../routing/snapshot.ts';
import type { LocalProcess } from './local-process.ts';
import { leaveRotation } from './rotation.ts';
import { Setbacks } from './setbacks.ts';

export interface KeeperOptions {
  readonly module: string;
  readonly number: number;
  readonly store: ControlStore;
  readonly placements: Placements;
  readonly log: Logger;
  /** Starts a process of this number. */
  readonly start: () => LocalProcess;
  /** Why it ended, from what it said last. @param starting it was not healthy yet. */
  readonly lastWords: (starting: boolean) => string | undefined;
  /** Why no process of it can be started, whatever is tried. */
  readonly unrunnable: () => string | undefined;
  /** Still this supervisor's number, and not served by a process that somebody else started? */
  readonly claim: () => Promise<Claim>;
  readonly graceMs: number;
  /** A process ended that was not told to. */
  readonly onEnded?: () => void;
}

export type Claim = 'ours' | 'another-supervisor' | 'served-elsewhere';

const START_FAILED_MS = 10_000;
const LOOK_AGAIN_MS = 1_000;
const KILLED = /^ended by SIG(KILL|TERM|INT|HUP)$/;

export class Keeper {
  readonly #options: KeeperOptions;
  readonly #id: string;
  readonly #setbacks: Setbacks;
  readonly #settled = Promise.withResolvers<void>();
  readonly #finished: Promise<void>;
  #current: LocalProcess | undefined;
  /** Ended here because it stood still. */
  #replaced: LocalProcess | undefined;
  /** Nothing is started any more. */
  #over = false;
  /** Why nothing is started for now; '': something may be. */
  #held = '';
  #rest = new AbortController();

  /** @param found its process, where one runs already. */
  constructor(options: KeeperOptions, found?: LocalProcess) {
    const { module, number, store, log } = options;
    this.#options = options;
    this.#id = `${module}-${number}`;
    this.#setbacks = new Setbacks(this.#id, log, (failures, lastExit) =>
      store.services.noted(module, number, failures, lastExit).catch((error: Error) => {
        log.debug({ id: this.#id, error: error.message }, 'what became of a process could not be stored');
      }),
    );
    this.#current = found;
    this.#finished = this.#run();
  }

  /** Resolves when a process was healthy for the first time, or failed to become so twice. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Starts at once what waits for its next try. */
  retryNow(): void {
    this.#rest.abort();
  }

  /** Ends a process that said nothing for that long, so that it is started again. It would not hear a SIGTERM. */
  replace(silentMs: number): void {
    const current = this.#current;
    if (!current || this.#over || this.#replaced === current) return;
    this.#replaced = current;
    this.#options.log.warn(
      { id: this.#id, pid: current.identity.pid },
      `a service said nothing for ${silentMs / 1000} s and does not end: replacing it`,
    );
    void current.stop(0);
  }

  /** Takes the process out of rotation, lets it finish, ends it. */
  async retire(): Promise<void> {
    this.startNothing();
    if (this.#current) await leaveRotation(this.#options.store, this.#id, this.#current.identity);
    await this.stop();
  }

  /** Ends the process; it drains what it has, for so long at most. */
  async stop(graceMs = this.#options.graceMs): Promise<void> {
    this.startNothing();
    const current = this.#current;
    // Nobody waits for the store: what runs here must end.
    if (current) void this.#options.store.registry.ending(current.identity).catch(() => {});
    await current?.stop(graceMs);
    await this.#finished;
  }

  /** Another supervisor looks after it now. */
  release(): void {
    this.startNothing();
    this.#current?.forget();
  }

  /** The process that runs is the last of this keeper. */
  startNothing(): void {
    this.#over = true;
    this.#rest.abort();
  }

  async #run(): Promise<void> {
    while (!this.#over) {
      this.#current ??= await this.#begin();
      if (!this.#current) continue;
      await this.#attend(this.#current);
      this.#current = undefined;
      await this.#pause(this.#setbacks.nextWait());
    }
    this.#settled.resolve();
  }

  async #begin(): Promise<LocalProcess | undefined> {
    if (!(await this.#mayStart()) || this.#over) return undefined;
    const { module, number, store, log, start } = this.#options;
    try {
      // Known from this very turn: whoever stops while the store is told must find it.
      const running = start();
      this.#current = running;
      log.info({ id: this.#id, pid: running.identity.pid }, 'a service was started');
      await store.services.started(module, number, running.identity).catch(() => {});
      return running;
    } catch (error) {
      await this.#failed((error as Error).message);
      await this.#pause(START_FAILED_MS);
      return undefined;
    }
  }

  /** While the store is silent nothing is started: a service could not serve without it either. */
  async #mayStart(): Promise<boolean> {
    try {
      const whose = await this.#options.claim();
      if (whose === 'another-supervisor') this.#over = true;
      if (this.#over) return false;
      const elsewhere = whose === 'served-elsewhere';
      const why = elsewhere ? 'a process that somebody else started serves it' : this.#options.unrunnable();
      if (!why) {
        this.#held = '';
        return true;
      }
      await this.#hold(why, !elsewhere);
    } catch {
      await this.#pause(LOOK_AGAIN_MS);
    }
    return false;
  }

  /** Nothing is started while that holds; said once. */
  async #hold(why: string, failing: boolean): Promise<void> {
    if (this.#held !== why) {
      this.#held = why;
      await this.#setbacks.held(why, failing);
      this.#settled.resolve();
    }
    await this.#pause(LOOK_AGAIN_MS);
  }

  /** Watches one process from its start to its end. */
  async #attend(running: LocalProcess): Promise<void> {
    const { placements, store, lastWords } = this.#options;
    let healthySince: number | undefined;
    const look = () => {
      if (healthySince !== undefined || !this.#isHealthy(running.identity)) return;
      healthySince = performance.now();
      this.#becameHealthy(running);
    };
    const stopLooking = placements.subscribe(look);
    look();
    const how = await running.ended;
    stopLooking();
    // Who is killed says nothing of it.
    const wordsOf = () => (KILLED.test(how) ? undefined : lastWords(healthySince === undefined));
    const said = this.#replaced === running ? 'it stood still and was replaced' : wordsOf();
    const words = [how, said].filter(Boolean).join(', ');
    await store.registry
      .markProcessGone(running.identity, words === 'gone' ? undefined : words)
      .catch(() => {});
    if (this.#over) return;
    this.#options.onEnded?.();
    const healthyMs = healthySince === undefined ? undefined : performance.now() - healthySince;
    await this.#failed(words, healthyMs);
  }

  #isHealthy({ pid }: ProcessIdentity): boolean {
    const { module, placements } = this.#options;
    const instances = placements.current.modules[module]?.instances ?? [];
    return instances.find((one) => one.id === this.#id && one.pid === pid)?.healthy ?? false;
  }

  #becameHealthy({ identity: { pid } }: LocalProcess): void {
    this.#options.log.info({ id: this.#id, pid }, 'a service is healthy');
    this.#settled.resolve();
    this.#setbacks.becameHealthy();
  }

  async #failed(words: string, healthyMs?: number): Promise<void> {
    await this.#setbacks.ended(words, healthyMs);
    if (this.#setbacks.isFailing) this.#settled.resolve();
  }

  async #pause(ms: number): Promise<void> {
    if (this.#over) return;
    this.#rest = new AbortController();
    await sleep(ms, undefined, { signal: this.#rest.signal }).catch(() => {});
  }
}
