// Executes a table of steps over rows in the module's store: a leased job (jobs/leased.ts) whose work is one step. Any
// number of hosts may run it: rows are leased, and each move names the version that it saw, so a host that was killed,
// frozen or overtaken harms nothing.
//
//   claim ─> ask (outside of any transaction) ─> move on, one statement ─> ask …      until it is over or waits
//        └─> change and move on, one transaction ─┘
//
// What is killed goes on when its lease ends. A step that fails is tried again with growing waits, for ever.
// It knows no module and no step.
import type { Logger } from 'pino';
import { withFlow } from '../context/call.ts';
import { newTraceparent } from '../context/trace.ts';
import { createLeasedJob, type Failure, type OpenLeasedJob, type Outcome } from '../jobs/leased.ts';
import type { WorkerPool } from '../jobs/worker-pool.ts';
import type { InnerStore, Transaction } from '../store/store.ts';
import type { Change, Command, Reply } from './definition.ts';
import { heldOf, lock, moveOn, type Row, sagaQueue } from './rows.ts';
import type { Transitions } from './transitions.ts';

/** What one command may take, and then its record. */
const ASK_MS = 3_000;
const LEASE_MS = 5_000;
const LOOK_MS = 500;
const WAITS = { firstMs: 100, longestMs: 15_000 };

export interface DriverParts<D> {
  readonly transitions: Transitions<D>;
  readonly store: InnerStore;
  readonly workers: WorkerPool;
  readonly log: Logger;
}

export class Driver<D> {
  readonly #parts: DriverParts<D>;
  /** Takes up what is due. */
  readonly job: OpenLeasedJob<Row<D>>;

  constructor(parts: DriverParts<D>) {
    const { store, workers, log } = parts;
    this.#parts = parts;
    this.job = createLeasedJob<Row<D>>(
      {
        name: 'coordinate',
        table: sagaQueue<D>(),
        leaseMs: LEASE_MS,
        everyMs: LOOK_MS,
        waits: WAITS,
        work: (row, signal) => this.#step(row, signal),
        failed: (row, failure) => this.#failed(row, failure),
      },
      // Nothing of it need reach the disk: where it is lost, the step is asked once more.
      { store: { sql: store.asyncCommit, asyncCommit: store.asyncCommit }, workers, log },
    );
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
    if (row && row.path !== 'done') tx.afterCommit(() => this.job.start(heldOf(row)));
  }

  async #step(row: Row<D>, signal: AbortSignal): Promise<Outcome<Row<D>>> {
    const action = this.#parts.transitions.at(row);
    if (!action) throw new Error(`This version has no step ${row.step} on its path ${row.path}`);
    return 'ask' in action ? this.#ask(row, action, signal) : goingOn(await this.#inTransaction(row));
  }

  async #ask(row: Row<D>, command: Command<D>, signal: AbortSignal): Promise<Outcome<Row<D>>> {
    // Not caused by the event that began the saga: what was asked is asked by the coordinator.
    const traceparent = row.cause?.traceparent ?? newTraceparent();
    const flow = { deadline: Date.now() + ASK_MS, traceparent, signal, share: { key: row.id } };
    const reply = await withFlow(flow, () => command.ask(row.data, row.ending));
    // As asynchronous as the lease, and for the same reason.
    if (reply.outcome !== 'pending')
      return goingOn(await this.#move({ sql: this.#parts.store.asyncCommit }, row, reply));
    const waitMs = command.askAgainMs ?? LEASE_MS;
    // If the lease ends just when the step is to be asked again, the row needs no change.
    return waitMs === LEASE_MS && row.attempts === 1 ? 'leased' : { waitMs, set: { awaits: true } };
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

  #failed({ id, step, attempts }: Row<D>, { error, waitMs, stopping }: Failure): Outcome {
    if (stopping) return { waitMs, set: { awaits: false } };
    const trouble = error instanceof Error ? error.message : String(error);
    this.#parts.log.info({ err: error, saga: id, step, attempts, wait: waitMs }, 'a step of a saga failed');
    return { waitMs, set: { awaits: false, trouble: trouble.slice(0, 500) } };
  }
}

/** Nothing is left to do here where it is over, waits for an answer, or is somebody else's. */
function goingOn<D>(row: Row<D> | undefined): Outcome<Row<D>> {
  return row && row.path !== 'done' ? { next: heldOf(row) } : 'over';
}
