// Transactions that come together and are likely to be of one wave share one of the database: one pipeline, one wait
// for the disk, their events in one statement. What comes while others are under way is the next one; what comes alone
// runs alone, as does any code not yet seen to be single-wave (turns.ts).
// Guarantees: each sees the others done or not begun; a transaction's promise resolves when it has committed. One that
// fails takes no other with it: all of them are rolled back and done again by themselves. Nothing is done again whose
// commit may have happened.
// It must not know what the work is.
import { AsyncLocalStorage } from 'node:async_hooks';
import { Asked, closing } from './asked.ts';
import { Batcher } from './batcher.ts';
import { OpenTransaction } from './open-transaction.ts';
import { inTime, LOCK_TIMEOUT, LOCK_TIMEOUT_MS, WAIT_MS } from './shared-commits.ts';
import { inside, Turn } from './turns.ts';
import type { Done, TransactionParts, Work } from './work.ts';

/** Who keeps others waiting for longer is done alone, and is no piece for company from then on. */
const COMPANY_MS = 5_000;

/** At once: one works while the other waits for the disk. */
const AT_ONCE = 2;

interface Waiting<P> {
  readonly work: Work<P, unknown>;
  readonly saw: (turn: Turn) => void;
  /** Runs something in the flow of whoever asked. */
  readonly inItsFlow: <T>(what: () => T) => T;
  begun: boolean;
  answer?: PromiseSettledResult<Done<unknown>>;
}

export class SharedTransactions<P> {
  readonly #parts: TransactionParts<P>;
  readonly #groups: Batcher<Waiting<P>>;

  constructor(parts: TransactionParts<P>, alone: <T>(work: Work<P, T>) => Promise<Done<T>>) {
    this.#parts = parts;
    this.#groups = new Batcher({
      atOnce: AT_ONCE,
      estimate: () => 0,
      releaseAfterMs: LOCK_TIMEOUT_MS,
      together: (lists) => this.#together(lists.flat()),
      async alone([one]) {
        one!.begun = true;
        [one!.answer] = await Promise.allSettled([one!.inItsFlow(() => alone(one!.work))]);
      },
    });
  }

  async run<T>(work: Work<P, T>, saw: (turn: Turn) => void): Promise<Done<T>> {
    const one: Waiting<P> = { work, saw, inItsFlow: AsyncLocalStorage.snapshot(), begun: false };
    await inTime(one, WAIT_MS, (signal) => this.#groups.add([one], signal));
    if (one.answer!.status === 'rejected') throw one.answer!.reason;
    return one.answer!.value as Done<T>;
  }

  /** Throws when nothing of them took effect; else each has its answer. */
  async #together(some: readonly Waiting<P>[]): Promise<void> {
    for (const one of some) one.begun = true;
    const client = await this.#parts.pool.connect();
    const open = new OpenTransaction(client);
    const asked = some.map(() => new Asked(this.#parts, open));
    let broken: Error | undefined;
    try {
      open.begin(`BEGIN${LOCK_TIMEOUT}`).catch(() => {});
      const results = await allOf(some.map((one, n) => inCompany(one, open, asked[n]!)));
      await open.commit(closing(this.#parts, asked));
      for (const [n, one] of some.entries())
        one.answer = { status: 'fulfilled', value: { result: results[n], follows: asked[n]!.follows() } };
    } catch (error) {
      broken = await open.end();
      if (open.rolledBack) throw error;
      // Nobody knows whether it happened.
      for (const one of some) one.answer = { status: 'rejected', reason: error };
    } finally {
      for (const one of asked) one.over();
      client.release(broken);
    }
  }
}

/**
 * What goes on after it was too slow for company finds its transaction over. That it then runs twice at once is no more
 * than to be run again: it does nothing but through its transaction.
 */
async function inCompany<P>(one: Waiting<P>, open: OpenTransaction, asked: Asked<P>): Promise<unknown> {
  const turn = new Turn(true);
  const slow = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    turn.waited = true;
    slow.reject(new Error(`It kept others waiting for ${COMPANY_MS / 1000} s`));
  }, COMPANY_MS);
  try {
    return await Promise.race([one.inItsFlow(() => inside(open, turn, () => one.work(asked))), slow.promise]);
  } finally {
    clearTimeout(timer);
    one.saw(turn);
  }
}

/** Waits for all, also when one fails: none is done again while its first time may still ask for something. */
async function allOf(running: readonly Promise<unknown>[]): Promise<unknown[]> {
  const ended = await Promise.allSettled(running);
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  return ended.map((one) => (one as PromiseFulfilledResult<unknown>).value);
}
