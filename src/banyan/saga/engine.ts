// The owner of a saga's life: how it begins, what happened to it, where it stands, what a person may do about it.
// A module gives it a table of steps and asks here; the rows are nobody else's. What is driven goes on by itself
// (drive.ts), what is only watched goes on by the events of the modules; past its deadline either is stuck.
// It knows no module and no step.
import type { Logger } from 'pino';
import { momentOf } from '../contract/age.ts';
import type { Delivery } from '../events/envelope.ts';
import type { Job } from '../jobs/job.ts';
import type { WorkerPool } from '../jobs/worker-pool.ts';
import type { InnerStore, Transaction } from '../store/store.ts';
import { type Help, writeHelp } from './acts.ts';
import { type Beginning, begin } from './begin.ts';
import type { Reply, Saga } from './definition.ts';
import type { SagaFilter } from './desk.ts';
import { Driver } from './drive.ts';
import { type Noted, note, noteAtCommit } from './notes.ts';
import { type Counted, type OpenSaga, OpenSagas } from './open.ts';
import { inNumbers } from './overview.ts';
import { placeOf, readPlace } from './place.ts';
import { lock, type Row, redirect } from './rows.ts';
import { type Style, type StyleInForce, setStyle, styleIn, styleInForce } from './style.ts';
import { beginningOf, type Note, notesOf } from './timeline.ts';
import { Transitions } from './transitions.ts';

export interface EngineOptions<D> {
  readonly saga: Saga<D>;
  readonly store: InnerStore;
  readonly workers: WorkerPool;
  readonly log: Logger;
  /** Hears of each saga that began, by its style. */
  readonly onBegun?: (style: Style) => void;
}

export type { Counted, Note, Noted };

export interface Open extends OpenSaga {
  /** The module whose turn it is; null when it is the saga's own. */
  readonly by: string | null;
  /** Why it cannot be cancelled, in a sentence; null: it can. */
  readonly notCancelled: string | null;
}

export class Engine<D> {
  readonly #transitions: Transitions<D>;
  readonly #store: InnerStore;
  readonly #workers: WorkerPool;
  /** Every saga of the table is driven: it has no `watched`. */
  readonly #driven: boolean;
  readonly #driver: Driver<D>;
  readonly #open: OpenSagas;
  readonly #onBegun: (style: Style) => void;

  constructor({ saga, store, workers, log, onBegun = () => {} }: EngineOptions<D>) {
    this.#transitions = new Transitions(saga);
    this.#store = store;
    this.#workers = workers;
    this.#driven = saga.watched === undefined;
    this.#driver = new Driver({ transitions: this.#transitions, store, workers, log });
    this.#open = new OpenSagas(saga as Saga<never>);
    this.#onBegun = onBegun;
  }

  /** The module's job that finds what is due. */
  job(name: string): Job {
    return { ...this.#driver.job, name };
  }

  /** In which style the sagas go on that this transaction begins. */
  async styleIn(tx: Transaction): Promise<Style> {
    return this.#driven ? 'orchestration' : styleIn(tx.sql);
  }

  /** Begins a saga, in the transaction that writes what it is about. */
  begin(tx: Transaction, id: string, beginning: Beginning<D>): void {
    begin(tx, this.#transitions, id, beginning);
    tx.afterCommit(() => {
      this.#onBegun(beginning.style);
      if (beginning.style === 'orchestration') this.#workers.wakeIn(0);
    });
  }

  /** The style of sagas that begin from now on. */
  style(): Promise<StyleInForce> {
    return styleInForce(this.#store.sql);
  }

  setStyle(style: Style, changedBy: string): Promise<StyleInForce> {
    return setStyle(this.#store.sql, style, changedBy);
  }

  /**
   * Notes an event that arrived. True: nobody drives the saga, so what follows is the caller's affair. False: a
   * coordinator drives it. `always`: for what a coordinator does not see.
   */
  note(tx: Transaction, delivery: Delivery, id: string, noted: Noted, always = false): Promise<boolean> {
    return note(tx.sql, delivery, id, noted, always);
  }

  /**
   * An event says what became of a step. To a coordinator it is the answer to that step. `byChoreography` runs the
   * choreography's next step and answers whether it did; it must return false for an orchestrated saga.
   */
  async applyOutcome(
    tx: Transaction,
    delivery: Delivery,
    id: string,
    noted: Noted,
    byChoreography?: () => Promise<boolean>,
  ): Promise<void> {
    // What went on by choreography has no coordinator: its row need not be looked for.
    if (await byChoreography?.()) return noteAtCommit(tx, delivery, id, noted);
    const row = await lock<D>(tx.sql, id);
    if (!row) return noteAtCommit(tx, delivery, id, noted);
    const { step, status, attempts, why } = noted;
    const at = { where: delivery.envelope.instance ?? null, ...(attempts ? { attempts } : {}) };
    const outcome = status === 'done' ? 'done' : 'refused';
    await this.#answer(tx, row, step, { outcome, ...at, ...(why ? { why } : {}) });
  }

  /**
   * The answer to a step came by itself. Takes effect in the transaction of whoever tells it, if the saga stands at
   * that step; a repeated or late answer changes nothing. Changes that follow are made in the same transaction.
   */
  async signal(tx: Transaction, id: string, step: string, reply: Reply): Promise<void> {
    const row = await lock<D>(tx.sql, id);
    if (row) await this.#answer(tx, row, step, reply);
  }

  async #answer(tx: Transaction, row: Row<D>, step: string, reply: Reply): Promise<void> {
    if (row.step === step && row.path !== 'done') await this.#driver.moveIn(tx, row, reply);
  }

  /**
   * Takes the saga back from where it is, however far that is; `too-late` after its pivot, `already` while it is
   * being taken back. `nothing-begun`: nobody was asked anything yet. `not-driven`: there is nobody to tell.
   */
  async requestCancel(
    tx: Transaction,
    id: string,
    ending: string,
  ): Promise<'not-driven' | 'too-late' | 'already' | 'nothing-begun' | 'called-off'> {
    const row = await lock<D>(tx.sql, id);
    if (!row) return 'not-driven';
    if (row.path === 'done') return 'too-late';
    if (row.path !== 'forward') return 'already';
    const begun = row.attempts > 0 || row.step !== this.#transitions.first.step;
    const to = begun
      ? this.#transitions.onCancel(row)
      : this.#transitions.after(row, { outcome: 'refused', where: null });
    if (!to) return 'too-late';
    await redirect(tx.sql, row, to, ending, this.#transitions.deadlineOf(to));
    tx.afterCommit(() => this.#workers.wakeIn(0));
    return begun ? 'called-off' : 'nothing-begun';
  }

  /** For the audit: what a person did to one saga, in the transaction in which it is done. */
  async noteHelp(tx: Transaction, help: Help, id: string, by: string): Promise<void> {
    await writeHelp(tx.sql, help, id, by);
  }

  /** Asks again at once, with a new deadline. */
  async retryNow(tx: Transaction, id: string): Promise<void> {
    const row = await lock<D>(tx.sql, id);
    if (!row || row.path === 'done') return;
    await redirect(tx.sql, row, row, null, this.#transitions.deadlineOf(row));
    tx.afterCommit(() => this.#workers.wakeIn(0));
  }

  /** Makes the changes of the place where the saga stands now, in the caller's transaction, as far as they go. */
  async changeNow(tx: Transaction, id: string): Promise<void> {
    const row = await lock<D>(tx.sql, id);
    if (row) await this.#driver.changeIn(tx, row);
  }

  /** Where the saga stands, since when, until when, and whose turn it is; undefined when it is over. */
  async open(id: string): Promise<Open | undefined> {
    const open = await this.#open.one(this.#store.sql, id);
    return open && this.#withTurn(open);
  }

  /** The sagas past their deadline, the oldest first, at most so many. */
  async stuck(limit: number): Promise<Open[]> {
    return (await this.#open.stuck(this.#store.sql, limit)).map((open) => this.#withTurn(open));
  }

  /** The style in force, how many are open, by step, and the oldest that are stuck. */
  async overview(mostStuck: number) {
    const [inForce, counted, stuck] = await Promise.all([this.style(), this.count(), this.stuck(mostStuck)]);
    return { ...inForce, ...inNumbers(counted), oldestStuck: stuck };
  }

  /** How many are open, by step and state. */
  count(): Promise<Counted[]> {
    return this.#open.count(this.#store.sql);
  }

  /** What happened to the saga, each step after what caused it. */
  timeline(id: string): Promise<Note[]> {
    return notesOf(this.#store.sql, id, this.#transitions.handovers);
  }

  beginning(id: string): Promise<{ trace: string | null; begunBy: string | null }> {
    return beginningOf(this.#store.sql, id);
  }

  /** A page of those that are not over, the stuck ones first. Throws the 422 problem. */
  async list(filter: SagaFilter): Promise<{ items: Open[]; nextCursor: string | null }> {
    const { state, step, olderThan, limit = 20, cursor } = filter;
    const before = olderThan === undefined ? undefined : momentOf(olderThan);
    const after = cursor === undefined ? undefined : readPlace(cursor);
    const query = { state, step, before, after, limit: limit + 1 };
    const found = await this.#open.list(this.#store.sql, query);
    const items = found.slice(0, limit).map((open) => this.#withTurn(open));
    return { items, nextCursor: found.length > limit ? placeOf(items.at(-1)!) : null };
  }

  #withTurn(open: OpenSaga): Open {
    const notCancelled = this.#transitions.whyNotCalledOff(open);
    return { ...open, by: this.#transitions.turnOf(open), notCancelled };
  }
}
