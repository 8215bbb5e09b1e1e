// What a piece of work asks for through its `tx`, and what it has asked for when it is over: its events, and what is to
// follow the commit.
// It must not know how the transaction begins or ends, nor who shares it.
import type { QueryConfig, QueryResult } from 'pg';
import type { OpenTransaction } from './open-transaction.ts';
import type { TransactionClients } from './prisma-connection.ts';
import type { Statements } from './statements.ts';
import type { Published, Publisher, Transaction, TransactionClient } from './store.ts';

/** A statement of the library's own that nobody reads before the commit: it is sent with it. */
export function atCommit(tx: Transaction, text: string, values: readonly unknown[]): void {
  (tx as Asked<unknown>).leave(text, values);
}

/** What is sent with the commit of these pieces of work: their last statements, and their events. */
export function closing<P>(parts: AskedParts<P>, asked: readonly Asked<P>[]): QueryConfig[] {
  const events = asked.flatMap((one) => one.events);
  return [...asked.flatMap(({ last }) => last), ...(events.length > 0 ? parts.publisher.write(events) : [])];
}

export interface AskedParts<P> {
  readonly statements: Statements;
  readonly clients: TransactionClients<P>;
  readonly publisher: Publisher;
  /** Called after a commit that published something. */
  readonly onCommit: () => void;
}

export class Asked<P> implements Transaction<TransactionClient<P>> {
  readonly sql: Transaction['sql'];
  readonly #parts: AskedParts<P>;
  readonly #open: OpenTransaction;
  readonly #events: (readonly unknown[])[] = [];
  readonly #after: (() => void)[] = [];
  #refused: { readonly error: unknown } | undefined;
  #prisma: { readonly client: P; giveBack(): void } | undefined;

  constructor(parts: AskedParts<P>, open: OpenTransaction) {
    this.#parts = parts;
    this.#open = open;
    this.sql = {
      query: (text, values) =>
        heard(this.#send(text, values).then(({ rows, rowCount }) => ({ rows, rowCount: rowCount ?? 0 }))),
    };
  }

  async #send(text: string, values: readonly unknown[] | undefined): Promise<QueryResult> {
    let statement: QueryConfig;
    try {
      statement = this.#parts.statements.of(text, values);
    } catch (error) {
      return this.#open.refuse(error);
    }
    return this.#open.send(statement);
  }

  get prisma(): TransactionClient<P> {
    this.#open.mustBeOpen();
    this.#open.needsToBeAlone();
    this.#prisma ??= this.#parts.clients.lend(this.#open);
    return this.#prisma.client as TransactionClient<P>;
  }

  readonly publish: Transaction['publish'] = (event, data) => heard(this.#publish(event, data));

  async #publish(...[event, data]: Parameters<Transaction['publish']>): Promise<Published> {
    this.#open.mustBeOpen();
    try {
      const { id, row } = this.#parts.publisher.check(event, data);
      if (row) this.#events.push(row);
      return { id };
    } catch (error) {
      // Also when nobody waits for it: no commit without what was to be published.
      this.#refused ??= { error };
      throw error;
    }
  }

  readonly afterCommit = (wish: () => void): void => {
    this.#open.mustBeOpen();
    this.#after.push(wish);
  };

  /** Sent with the commit, in this order. */
  readonly last: QueryConfig[] = [];

  /** The rows of its events. Throws where one was refused. */
  get events(): readonly (readonly unknown[])[] {
    if (this.#refused) throw this.#refused.error;
    return this.#events;
  }

  leave(text: string, values: readonly unknown[]): void {
    this.last.push(this.#parts.statements.of(text, values));
  }

  follows(): readonly (() => void)[] {
    return this.#events.length > 0 ? [this.#parts.onCommit, ...this.#after] : this.#after;
  }

  over(): void {
    this.#prisma?.giveBack();
  }
}

/** What fails keeps the transaction from committing, which is told then: nobody has to wait for it by itself. */
function heard<T>(answer: Promise<T>): Promise<T> {
  answer.catch(() => {});
  return answer;
}
