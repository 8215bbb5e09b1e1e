// Work without a request (relay, consumers, jobs) follows the placement once it has been stable for 2 s. While a service
// has a share of the requests (canary) it stays in-process; a change of the share is no change to it.
// Where it runs changes its cost and no result: every task claims its work in the database, so a moment
// with two runners, or with none, is never wrong.
import type { Logger } from 'pino';
import { isExtracted } from '../routing/side.ts';
import type { Placements, Side } from '../routing/snapshot.ts';

export const STABLE_MS = 2_000;

export interface BackgroundTask {
  readonly name: string;
  start(): Promise<void>;
  /** Ends after the work in hand, and gives back what it leased. */
  stop(): Promise<void>;
}

export interface BackgroundOptions {
  /** The side that this host is of. */
  readonly mine: Side;
  readonly placements: Placements;
  readonly tasks: ReadonlyMap<string, readonly BackgroundTask[]>;
  readonly log: Logger;
}

export interface Background {
  start(): void;
  stop(): Promise<void>;
  /** The modules whose work runs here now. */
  running(): readonly string[];
}

export function createBackground({ mine, placements, tasks, log }: BackgroundOptions): Background {
  const modules = [...tasks].map(([module, own]) => new ModuleTasks(module, own, mine, placements, log));
  let unsubscribe = () => {};
  return {
    start() {
      for (const one of modules) one.follow();
      unsubscribe = placements.subscribe(() => {
        for (const one of modules) one.follow();
      });
    },
    async stop() {
      unsubscribe();
      await Promise.all(modules.map((one) => one.end()));
    },
    running: () => modules.filter((one) => one.active).map((one) => one.module),
  };
}

/** One module's tasks: a wish that may change at any time, and one transition at a time towards it. */
class ModuleTasks {
  readonly module: string;
  active = false;
  readonly #tasks: readonly BackgroundTask[];
  readonly #mine: Side;
  readonly #placements: Placements;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  /** What the timer will do; undefined: none runs. */
  #wish: boolean | undefined;
  #transition: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(
    module: string,
    tasks: readonly BackgroundTask[],
    mine: Side,
    placements: Placements,
    log: Logger,
  ) {
    this.module = module;
    this.#tasks = tasks;
    this.#mine = mine;
    this.#placements = placements;
    this.#log = log;
  }

  follow(): void {
    if (this.#ended) return;
    const { current } = this.#placements;
    const entry = current.modules[this.module];
    const wanted = entry !== undefined && isExtracted(current, this.module) === (this.#mine === 'service');
    // Shares may change more often than every 2 s: what is on its way is not begun again.
    if (wanted === this.#wish) return;
    this.#forget();
    if (wanted === this.active) return;
    const since = entry?.stableSince ?? (entry ? Date.parse(entry.changedAt) : 0);
    const age = Date.now() - since;
    const wait = Math.min(Math.max(STABLE_MS - age, 0), STABLE_MS);
    this.#wish = wanted;
    this.#timer = setTimeout(() => {
      this.#wish = undefined;
      this.#settle(wanted);
    }, wait);
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#wish = undefined;
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.#forget();
    this.#settle(false);
    await this.#transition;
  }

  #settle(wanted: boolean): void {
    this.#transition = this.#transition.then(async () => {
      if (wanted === this.active) return;
      this.active = wanted;
      for (const task of this.#tasks) {
        try {
          await (wanted ? task.start() : task.stop());
        } catch (error) {
          this.#log.error(
            { err: error, module: this.module, task: task.name },
            wanted ? 'a task did not start' : 'a task did not stop',
          );
        }
      }
      this.#log.debug({ module: this.module, running: wanted }, 'background work follows the placement');
      if (!this.#ended) this.follow();
    });
  }
}
