// Who does what is asked for with stores: each monolith takes the tasks that nobody does and whose servers it reaches, one
// lease each. Guarantees: whoever is killed is followed by another within five seconds; nothing else that it does delays a
// lease that it renews; while there is nothing to do it asks the database one small question every three seconds;
// stopping gives back what a pause does not forbid.
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Rounds } from '../../jobs/rounds.ts';
import type { Found, MoveRow } from './rows.ts';
import { LostLease } from './rows.ts';
import type { Walk } from './steps.ts';
import { Walker, type WalkerOptions } from './walker.ts';

export interface CoordinatorOptions extends WalkerOptions {
  /** Told when a task of this host has come to its end. */
  readonly onEnd: (row: MoveRow, walk: Walk, found: Found) => void;
  /** A look at the pairs that stand; answers how many there are. */
  readonly lookAtPairs: () => Promise<number>;
  /** A look at what ends of pairs left behind. */
  readonly lookAtLeft?: () => Promise<void>;
  readonly log: Logger;
}

export interface Coordinator {
  start(): void;
  /** There may be something to do. */
  wake(): void;
  stop(): Promise<void>;
}

const SECOND_MS = 1_000;
const IDLE_MS = 3_000;
const STOP_MS = 2_000;
/** Of a lease two may be lost. */
const RENEW_MS = 800;

export function createCoordinator(options: CoordinatorOptions): Coordinator {
  return new Coordinating(options);
}

class Coordinating implements Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #walking = new Map<string, { readonly walker: Walker; readonly end: Promise<void> }>();
  readonly #rounds = new Rounds(() => this.#round());
  #renewal: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #pairs = 0;
  #failing = false;
  /** What it does belongs to no request, whoever woke it. */
  readonly #alone = AsyncLocalStorage.snapshot();

  constructor(options: CoordinatorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#rounds.ask();
  }

  wake(): void {
    this.#rounds.ask();
  }

  async stop(): Promise<void> {
    await this.#rounds.stop();
    const ends = [...this.#walking.values()].map(({ walker, end }) => {
      walker.leave();
      return end;
    });
    // A pause comes to its end by itself; what takes longer is taken up by another.
    await Promise.race([Promise.all(ends), sleep(STOP_MS)]);
    clearInterval(this.#renewal);
    if (ends.length > 0) await this.#options.rows.release(this.#options.self).catch(() => {});
  }

  async #round(): Promise<number> {
    let wait = IDLE_MS;
    try {
      wait = await this.#look();
      this.#failing = false;
    } catch (error) {
      if (!this.#failing)
        this.#options.log.debug({ err: error }, 'tasks of stores could not be read; trying again');
      this.#failing = true;
      wait = SECOND_MS;
    }
    return wait;
  }

  /** Answers when to look again. */
  async #look(): Promise<number> {
    const { rows, self, reach } = this.#options;
    const open = await rows.open();
    for (const row of open) {
      const reached = [row.source, row.target].every(
        (server) => reach.refusal(row.module, server) === undefined,
      );
      if (!(row.free || row.coordinator === self) || this.#walking.has(row.id) || !reached) continue;
      const claimed = await rows.claim(row.id, self);
      if (claimed) this.#walk(claimed);
    }
    this.#lookAtPairs();
    return open.length > 0 || this.#pairs > 0 ? SECOND_MS : IDLE_MS;
  }

  /** By a clock of its own, from the first task to the last: a look that takes long must cost no lease. */
  #keepLeases(): void {
    if (this.#renewal) return;
    let renewing = false;
    const renew = () => {
      if (renewing) return;
      renewing = true;
      const lost = (error: unknown) => this.#options.log.debug({ err: error }, 'leases were not renewed');
      const done = () => {
        renewing = false;
      };
      void this.#renew().catch(lost).finally(done);
    };
    this.#renewal = this.#alone(() => setInterval(renew, RENEW_MS).unref());
  }

  async #renew(): Promise<void> {
    const { rows, self } = this.#options;
    // What is taken up while it is asked is not in the answer.
    const asked = [...this.#walking];
    const ids = asked.map(([id]) => id);
    const mine = new Map((await rows.renew(ids, self)).map(({ id, unwanted }) => [id, unwanted]));
    for (const [id, { walker }] of asked) {
      if (!mine.has(id)) walker.leave();
      else if (mine.get(id)) walker.unwant();
    }
  }

  /** Beside the rest: a server that does not answer must cost no lease. */
  #lookAtPairs(): void {
    const { lookAtPairs, lookAtLeft = async () => {} } = this.#options;
    this.#looking ??= lookAtPairs()
      .then((pairs) => {
        this.#pairs = pairs;
        return lookAtLeft();
      })
      .catch((error: unknown) => this.#options.log.debug({ err: error }, 'pairs could not be looked at'))
      .finally(() => {
        this.#looking = undefined;
      });
  }

  #walk(row: MoveRow): void {
    const { log, onEnd } = this.#options;
    const walker = new Walker(this.#options, row);
    const end = walker
      .run()
      .then(({ walk, found }) => onEnd(row, walk, found))
      .catch((error: unknown) => {
        if (!(error instanceof LostLease) && !this.#rounds.stopped)
          log.warn(
            { module: row.module, err: error },
            'what is done to a store was left off; it is taken up again',
          );
      })
      .finally(() => {
        this.#walking.delete(row.id);
        if (this.#walking.size > 0) return;
        clearInterval(this.#renewal);
        this.#renewal = undefined;
      });
    this.#walking.set(row.id, { walker, end });
    this.#keepLeases();
  }
}
