// One task, walked by whoever holds its lease: each step is written down before it is begun, and may be done twice.
// Guarantees: it never guesses whether the commit point was made; after a pause that came to nothing the owner is granted and
// the gate open before anything else is written; who lost the lease writes and commits nothing.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ControlStore } from '../../placement/store.ts';
import { NoUse } from './failures.ts';
import type { LeftRows } from './left-rows.ts';
import type { Between, Mechanics, Places, Reach } from './mechanics.ts';
import { type Found, LostLease, type MoveRow, type MoveRows, whileItHas, write } from './rows.ts';
import { createSteps, type Done } from './step-work.ts';
import { type Happening, isCommitted, isOpen, mayAbort, next, type Walk } from './steps.ts';

export interface WalkerOptions {
  readonly self: string;
  readonly rows: MoveRows;
  readonly store: Pick<ControlStore, 'change' | 'sql'>;
  readonly places: Places;
  readonly reach: Reach;
  readonly mechanics: Mechanics;
  readonly lefts: LeftRows;
  readonly log: Logger;
}

/** Of a server that is gone for good: nobody answers there. */
const LOST = 'postgresql://lost.invalid:1/lost';
/** So many commits in control say how long the next one takes. */
const COMMITS = 4;
/** Before what cannot be given up is tried again. */
const AGAIN_MS = 500;

export class Walker {
  readonly #options: WalkerOptions;
  readonly #row: MoveRow;
  readonly #ended = new AbortController();
  /** What waits, or copies, leaves off; a step that may not be broken off is not. */
  readonly #leaving = new AbortController();
  #unwanted: boolean;
  /** The last commits in control, in milliseconds. */
  #commits: number[] = [];
  #holding: Promise<unknown> = Promise.resolve();
  #walk: Walk;

  /** @param row just claimed. */
  constructor(options: WalkerOptions, row: MoveRow) {
    this.#options = options;
    this.#row = row;
    this.#unwanted = row.unwanted;
    this.#walk = row.walk;
  }

  /** Somebody wants it ended. */
  unwant(): void {
    this.#unwanted = true;
    if (mayAbort(this.#walk)) this.#leaving.abort(new Error('somebody ended it'));
  }

  /** This host does it no more: it stops, or another does it. */
  leave(): void {
    this.#ended.abort(new LostLease(this.#row.module));
    this.#leaving.abort(this.#ended.signal.reason);
  }

  /** Answers how it ended; rejects where that is for another to say. */
  async run(): Promise<{ readonly walk: Walk; readonly found: Found }> {
    const row = this.#row;
    this.#walk = next(row.walk, { on: 'taken-over' }, Date.now());
    if (mayBeFenced(row.walk)) await this.#recover();
    await this.#write({});
    let found: Found = row.found;
    const work = createSteps({
      ...this.#options,
      row,
      signal: this.#leaving.signal,
      both: () => this.#both(),
      pause: {
        hold: () => this.#hold(),
        commit: (both) => this.#commit(both),
        commitMs: () => Math.max(...this.#commits),
        release: () => this.#release(),
        stillOurs: () => this.#stillOurs(),
      },
      keep: (more) => this.#write(more),
    });
    while (isOpen(this.#walk)) {
      this.#ended.signal.throwIfAborted();
      const done = await this.#step(work);
      if (this.#walk.step === 'held' && done.happening.on !== 'done') await this.#recover();
      const { step } = this.#walk;
      this.#walk = next(this.#walk, done.happening, Date.now());
      // Nobody need be ready any more.
      if (step === 'paired' && this.#walk.step !== 'held') await this.#release();
      found = { ...found, ...done.found };
      await this.#write(done.found);
    }
    return { walk: this.#walk, found };
  }

  async #step(work: ReturnType<typeof createSteps>): Promise<Done> {
    try {
      if (this.#unwanted && mayAbort(this.#walk)) return ended;
      const wait = this.#walk.notBefore - Date.now();
      if (wait > 0) await sleep(wait, undefined, { signal: this.#leaving.signal });
      return await work(this.#walk);
    } catch (error) {
      if (this.#ended.signal.aborted || error instanceof LostLease) throw error;
      if (this.#unwanted && mayAbort(this.#walk)) return ended;
      const why = (error as Error).message;
      const { module, id } = this.#row;
      this.#options.log.warn(
        { module, move: id, step: this.#walk.step, error: why },
        'a step of what is done to a store failed',
      );
      return { happening: { on: 'failed', why, final: error instanceof NoUse }, found: {} };
    }
  }

  async #both(): Promise<Between> {
    const { reach } = this.#options;
    const { module, source, target, walk } = this.#row;
    const lost = walk.task === 'lose' ? () => ({ name: source, adminUrl: LOST }) : undefined;
    const from = await reach.serverAt(module, source).catch((error: unknown) => {
      if (lost) return lost();
      throw error;
    });
    const to = await reach.serverAt(module, target);
    return { source: from, target: to, moving: reach.moving(module) };
  }

  #write(found: Found): Promise<void> {
    const { store, self } = this.#options;
    return this.#timed(() => write(store.sql, this.#row, self, this.#walk, found));
  }

  async #timed(commit: () => Promise<unknown>): Promise<void> {
    const begun = performance.now();
    await commit();
    this.#commits = [...this.#commits, Math.round(performance.now() - begun)].slice(-COMMITS);
  }

  /** Until it is as the rows say: nobody may go on before. */
  async #recover(): Promise<void> {
    const { places, mechanics, log } = this.#options;
    const { module } = this.#row;
    for (let told = false; ; told = true) {
      this.#ended.signal.throwIfAborted();
      try {
        const owner =
          (await places.read()).find((place) => place.module === module)?.server ?? this.#row.source;
        await this.#release();
        const both = await this.#both();
        const left = await mechanics.recover(both, both.target.name === owner ? both.target : both.source);
        if (left !== undefined) log.warn({ module, left }, 'the other server of a store could not be told');
        return;
      } catch (error) {
        if (error instanceof LostLease) throw error;
        // The owner of before is gone for good, and grants nothing.
        if (this.#row.walk.task === 'lose') return;
        if (!told)
          log.warn(
            { module, error: (error as Error).message },
            'the owner of a store could not be granted; trying again',
          );
        await sleep(AGAIN_MS, undefined, { signal: this.#ended.signal });
      }
    }
  }

  async #hold(): Promise<number> {
    const { store, places, self, reach } = this.#options;
    const { module, target } = this.#row;
    const at = await reach.serverAt(module, target);
    const hold = () => whileItHas(store.change, this.#row, self, (tx) => places.hold(tx, module, at));
    this.#holding = this.#timed(hold);
    await this.#holding;
    return (await places.read()).find((place) => place.module === module)?.epoch ?? 0;
  }

  async #release(): Promise<void> {
    const { store, places, self } = this.#options;
    const { module } = this.#row;
    // A hold that was given up after its time may still arrive. It must not do so after the release.
    await this.#holding.catch(() => {});
    const place = (await places.read()).find((one) => one.module === module);
    if (place?.gate !== 'held' && place?.next === undefined) return;
    await whileItHas(store.change, this.#row, self, (tx) => places.release(tx, module));
  }

  async #stillOurs(): Promise<void> {
    const { rows, self } = this.#options;
    if (!(await rows.has(this.#row.id, self))) throw new LostLease(this.#row.module);
  }

  /** Resolves when the commit point is made, rejects when it is not, and waits while neither is known. */
  async #commit(both: Between): Promise<void> {
    const { store, places, self } = this.#options;
    const { module, source } = this.#row;
    const walk = next(this.#walk, { on: 'done' }, Date.now());
    try {
      await whileItHas(store.change, this.#row, self, async (tx) => {
        await places.own(tx, module, both.target, walk.task === 'lose' ? null : source);
        await write(tx, this.#row, self, walk, {});
      });
    } catch (error) {
      if (!(await this.#isCommitted())) throw error;
    }
  }

  /** Under the lock that the commit point takes: whatever was on its way is there, or never will be. */
  async #isCommitted(): Promise<boolean> {
    const { store, rows } = this.#options;
    for (;;) {
      try {
        let committed = false;
        await store.change(async () => {
          committed = isCommitted((await rows.read(this.#row.id))?.walk ?? this.#walk);
          return false;
        });
        return committed;
      } catch {
        await sleep(AGAIN_MS, undefined, { signal: this.#ended.signal });
      }
    }
  }
}

const ended: Done = { happening: { on: 'abort' } satisfies Happening, found: {} };

/** A pause may have begun, and left a fence or a gate. */
const mayBeFenced = ({ task, step }: Walk) =>
  ['move', 'rehearse', 'lose'].includes(task) && ['paired', 'held', 'moved', 'clearing'].includes(step);
