// Executes a table of steps over rows in the module's store. Any number of hosts may run it: rows are leased, and
// each move names the version that it saw, so a host that was killed, frozen or overtaken harms nothing.
//
//   claim ─> ask (outside of any transaction) ─> move on, one statement ─> ask …      until it is over or waits
//        └─> change and move on, one transaction ─┘
//
// What is killed goes on when its lease ends. A step that fails is tried again with growing waits, for ever.
// It knows no module and no step.
import type { Logger } from 'pino';
import { withFlow } from '../context/call.ts';
import { newTraceparent } from '../context/trace.ts';
import type { WorkerPool } from '../jobs/worker-pool.ts';
import type { InnerStore, Transaction } from '../store/store.ts';
import type { Change, Command, Reply } from './definition.ts';
import { claim, lock, moveOn, postpone, type Row } from './rows.ts';
import type { Transitions } from './transitions.ts';

/** What one command may take, and then its record. */
const ASK_MS = 3_000;
const LEASE_MS = 5_000;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 15_000;
const BATCH = 64;

export interface DriverParts<D> {
  readonly transitions: Transitions<D>;
  readonly store: InnerStore;
  readonly workers: WorkerPool;
  readonly log: Logger;
}

export class Driver<D> {
  readonly #parts: DriverParts<D>;

  constructor(parts: DriverParts<D>) {
    this.#parts = parts;
  }

  /** Takes up what is due; answers whether there may be more. */
  async takeUp(): Promise<boolean> {
    const { store, workers } = this.#parts;
    const room = Math.min(workers.room, BATCH);
    if (room <= 0) return false;
    const rows = await claim<D>(store.asyncCommit, room, LEASE_MS);
    for (const row of rows) this.#start(row);
    return rows.length === room;
  }

  /** Moves on by the reply, makes the changes that follow in the same transaction, and goes on after its commit. */
  async moveIn(tx: Transaction, row: Row<D>, reply: Reply): Promise<void> {
    const next = await this.#move(tx, row, reply);
    if (next) this.#startAfter(tx, await this.#change(tx, next));
  }

  /** Makes the changes of the place where it stands in the caller's transaction, and goes on after its commit. */
  async changeIn(tx: Transaction, row: Row<D>): Promise<void> {
    const next = await this.#change(tx, row);
    if (next !== row) this.#startAfter(tx, next);
  }

  #startAfter(tx: Transaction, row: Row<D> | undefined): void {
    if (row && row.path !== 'done') tx.afterCommit(() => this.#start(row));
  }

  #start(row: Row<D>): void {
    this.#parts.workers.start(row.cause, (signal) => this.#run(row, signal));
  }

  /** One saga as far as it goes now. */
  async #run(row: Row<D>, signal: AbortSignal): Promise<void> {
    const { transitions, store } = this.#parts;
    let at: Row<D> | undefined = row;
    while (at && at.path !== 'done') {
      const action = transitions.at(at);
      if (!action)
        return this.#later(at, new Error(`This version has no step ${at.step} on its path ${at.path}`));
      const held: Row<D> = at;
      try {
        at = 'ask' in action ? await this.#ask(held, action, signal) : await this.#inTransaction(held);
      } catch (error) {
        if (signal.aborted) return postpone(store.asyncCommit, held, 0, { trouble: null, awaits: false });
        return this.#later(held, error);
      }
    }
  }

  /** The row where it stands then; undefined when it waits, or is somebody else's. */
  async #ask(row: Row<D>, command: Command<D>, signal: AbortSignal): Promise<Row<D> | undefined> {
    const { store, workers } = this.#parts;
    // Not caused by the event that began the saga: what was asked is asked by the coordinator.
    const traceparent = row.cause?.traceparent ?? newTraceparent();
    const reply = await withFlow({ deadline: Date.now() + ASK_MS, traceparent, signal }, () =>
      command.ask(row.data, row.ending),
    );
    // It need not reach the disk: where it is lost, the step is asked once more.
    if (reply.outcome !== 'pending') return this.#move({ sql: store.asyncCommit }, row, reply);
    const wait = command.askAgainMs ?? LEASE_MS;
    // If the lease ends just when the step is to be asked again, the row needs no change.
    if (wait !== LEASE_MS || row.attempts > 1)
      await postpone(store.asyncCommit, row, wait, { trouble: null, awaits: true });
    workers.wakeIn(wait);
    return undefined;
  }

  async #inTransaction(row: Row<D>): Promise<Row<D> | undefined> {
    return this.#parts.store.transaction(async (tx) => {
      const now = await lock<D>(tx.sql, row.id);
      return now?.version === row.version ? this.#change(tx, now) : undefined;
    });
  }

  /** Makes changes until something is to be asked. */
  async #change(tx: Transaction, row: Row<D>): Promise<Row<D> | undefined> {
    let at: Row<D> | undefined = row;
    for (;;) {
      const action: Command<D> | Change<D> | undefined = at && this.#parts.transitions.at(at);
      if (!at || !action || 'ask' in action) return at;
      at = await this.#move(tx, at, await action.change(tx, at.data, at.ending));
    }
  }

  #move(tx: Pick<Transaction, 'sql'>, row: Row<D>, reply: Reply): Promise<Row<D> | undefined> {
    const { transitions } = this.#parts;
    const to = transitions.after(row, reply);
    if (!to) throw new Error(`${row.step} is pending where it cannot be`);
    const next = transitions.at(to);
    const awaits = next !== undefined && 'ask' in next && next.askAgainMs !== undefined;
    return moveOn(tx.sql, row, {
      to,
      leaseMs: LEASE_MS,
      deadlineMs: transitions.deadlineOf(to),
      awaits,
      reply,
    });
  }

  async #later(row: Row<D>, error: unknown): Promise<void> {
    const { store, workers, log } = this.#parts;
    const wait = Math.min(FIRST_WAIT_MS * 2 ** (row.attempts - 1), LONGEST_WAIT_MS);
    const trouble = error instanceof Error ? error.message : String(error);
    log.info(
      { err: error, saga: row.id, step: row.step, attempts: row.attempts, wait },
      'a step of a saga failed',
    );
    await postpone(store.asyncCommit, row, wait, { trouble: trouble.slice(0, 500), awaits: false });
    workers.wakeIn(wait);
  }
}
