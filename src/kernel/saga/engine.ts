// Executes a table of steps over rows in the module's store. Any number of hosts may run it: rows are leased, and
// each change names the version that it saw, so a host that was killed, frozen or overtaken harms nothing.
//
//   claim ─> ask (outside of any transaction) ─> move on, one statement ─> ask …      until it is over or waits
//        └─> change and move on, one transaction ─┘
//
// What is killed goes on when its lease ends. A step that fails is tried again with growing waits, for ever; past
// its deadline the saga counts as stuck, and a person may hurry it or call it off.
// It knows no module and no step.
import type { Logger } from 'pino';
import { withFlow } from '../calls/call.ts';
import { newTraceparent } from '../calls/trace.ts';
import type { Lane } from '../lane.ts';
import type { Job } from '../module.ts';
import type { Store, Transaction } from '../store/store.ts';
import { Course } from './course.ts';
import type { Change, Command, Place, Reply, Saga } from './definition.ts';
import { claim, lock, moveOn, putOff, type Row, redirect } from './rows.ts';

/** What one command may take, and then its record. */
const ASK_MS = 3_000;
const LEASE_MS = 5_000;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 15_000;
const BATCH = 64;

export interface EngineOptions<D> {
  readonly saga: Saga<D>;
  readonly store: Store;
  readonly lane: Lane;
  readonly log: Logger;
}

export class Engine<D> {
  readonly course: Course<D>;
  readonly #options: EngineOptions<D>;

  constructor(options: EngineOptions<D>) {
    this.#options = options;
    this.course = new Course(options.saga);
  }

  /** The module's job that finds what is due. */
  job(name: string): Job {
    const { store, lane } = this.#options;
    return {
      name,
      everyMs: 500,
      run: async () => {
        const room = Math.min(lane.room, BATCH);
        if (room <= 0) return false;
        const rows = await claim<D>(store.unhurried, room, LEASE_MS);
        for (const row of rows) this.#start(row);
        return rows.length === room;
      },
    };
  }

  /**
   * The answer to a step came by itself. Takes effect in the transaction of whoever tells it, if the saga stands at
   * that step; a repeated or late answer changes nothing. Changes that follow are made in the same transaction.
   */
  async signal(tx: Transaction, id: string, step: string, reply: Reply): Promise<void> {
    let row = await lock<D>(tx.sql, id);
    if (row?.step !== step || row.path === 'done') return;
    row = await this.#move(tx, row, reply);
    if (row) row = await this.#change(tx, row);
    const next = row;
    if (next && next.path !== 'done') tx.afterCommit(() => this.#start(next));
  }

  /**
   * Takes the saga back from where it is, however far that is; `too-late` after its pivot, `already` while it is
   * being taken back. `nothing-begun`: nobody was asked anything yet.
   */
  async callOff(
    tx: Transaction,
    id: string,
    ending: string,
  ): Promise<'too-late' | 'already' | 'nothing-begun' | 'called-off'> {
    const row = await lock<D>(tx.sql, id);
    if (!row || row.path === 'done') return 'too-late';
    if (row.path !== 'forward') return 'already';
    const begun = row.attempts > 0 || row.step !== this.course.first.step;
    const to = begun
      ? this.course.calledOff(row)
      : this.course.after(row, { outcome: 'refused', where: null });
    if (!to) return 'too-late';
    await redirect(tx.sql, row, to, ending, this.#deadline(to));
    return begun ? 'called-off' : 'nothing-begun';
  }

  /** Asks again at once, with a new deadline. */
  async hurry(tx: Transaction, id: string): Promise<void> {
    const row = await lock<D>(tx.sql, id);
    if (row && row.path !== 'done') await redirect(tx.sql, row, row, null, this.#deadline(row));
  }

  /** Makes the changes of the place where the saga stands now, in the caller's transaction, as far as they go. */
  async changeNow(tx: Transaction, id: string): Promise<void> {
    const row = await lock<D>(tx.sql, id);
    const next = row && (await this.#change(tx, row));
    if (next && next.path !== 'done' && next !== row) tx.afterCommit(() => this.#start(next));
  }

  #start(row: Row<D>): void {
    this.#options.lane.start(row.cause, (signal) => this.#run(row, signal));
  }

  /** One saga as far as it goes now. */
  async #run(row: Row<D>, signal: AbortSignal): Promise<void> {
    let at: Row<D> | undefined = row;
    while (at && at.path !== 'done') {
      const doing = this.course.at(at);
      if (!doing)
        return this.#later(at, new Error(`This version has no step ${at.step} on its path ${at.path}`));
      const held: Row<D> = at;
      try {
        at = 'ask' in doing ? await this.#ask(held, doing, signal) : await this.#inTransaction(held);
      } catch (error) {
        if (signal.aborted)
          return putOff(this.#options.store.unhurried, held, 0, { trouble: null, awaits: false });
        return this.#later(held, error);
      }
    }
  }

  /** The row where it stands then; undefined when it waits, or is somebody else's. */
  async #ask(row: Row<D>, command: Command<D>, signal: AbortSignal): Promise<Row<D> | undefined> {
    const { store, lane } = this.#options;
    // Not caused by the event that began the saga: what was asked is asked by the coordinator.
    const traceparent = row.cause?.traceparent ?? newTraceparent();
    const reply = await withFlow({ deadline: Date.now() + ASK_MS, traceparent, signal }, () =>
      command.ask(row.data, row.ending),
    );
    // Nothing but the next question rests on it.
    if (reply.outcome !== 'pending') return this.#move({ sql: store.unhurried }, row, reply);
    const wait = command.askAgainMs ?? LEASE_MS;
    // Where the lease ends when it is to be asked again, the row says all that already.
    if (wait !== LEASE_MS || row.attempts > 1)
      await putOff(store.unhurried, row, wait, { trouble: null, awaits: true });
    lane.wakeIn(wait);
    return undefined;
  }

  async #inTransaction(row: Row<D>): Promise<Row<D> | undefined> {
    return this.#options.store.rawTransaction(async (tx) => {
      const now = await lock<D>(tx.sql, row.id);
      return now?.version === row.version ? this.#change(tx, now) : undefined;
    });
  }

  /** Makes changes until something is to be asked. */
  async #change(tx: Transaction, row: Row<D>): Promise<Row<D> | undefined> {
    let at: Row<D> | undefined = row;
    for (;;) {
      const doing: Command<D> | Change<D> | undefined = at && this.course.at(at);
      if (!at || !doing || 'ask' in doing) return at;
      at = await this.#move(tx, at, await doing.change(tx, at.data, at.ending));
    }
  }

  #move(tx: Pick<Transaction, 'sql'>, row: Row<D>, reply: Reply): Promise<Row<D> | undefined> {
    const to = this.course.after(row, reply);
    if (!to) throw new Error(`${row.step} is pending where it cannot be`);
    const next = this.course.at(to);
    const awaits = next !== undefined && 'ask' in next && next.askAgainMs !== undefined;
    const deadlineMs = next?.deadlineMs ?? 0;
    return moveOn(tx.sql, row, { to, leaseMs: LEASE_MS, deadlineMs, awaits, reply });
  }

  #deadline(place: Place): number {
    return this.course.at(place)?.deadlineMs ?? 0;
  }

  async #later(row: Row<D>, error: unknown): Promise<void> {
    const { store, lane, log } = this.#options;
    const wait = Math.min(FIRST_WAIT_MS * 2 ** (row.attempts - 1), LONGEST_WAIT_MS);
    const trouble = error instanceof Error ? error.message : String(error);
    log.info(
      { err: error, saga: row.id, step: row.step, attempts: row.attempts, wait },
      'a step of a saga failed',
    );
    await putOff(store.unhurried, row, wait, { trouble: trouble.slice(0, 500), awaits: false });
    lane.wakeIn(wait);
  }
}
