// A connection while a transaction is open on it. Nothing waits for BEGIN: it leaves with the first statement. The
// statements that write the events leave with COMMIT, so a transaction ends in one round trip more than its work.
// Guarantees: what is sent through it belongs to this transaction, and after its end nothing is sent any more; it has
// committed when `commit` resolves; where one statement failed or was refused, also one that nobody waited for or whose
// error was caught, it has not, and the first failure is the reason given. (Back to a savepoint is a way out of an error
// of the database.)
// It must not know what is asked, nor who asks.
import type { PoolClient, QueryConfig, QueryResult } from 'pg';
import { OutOfTurn, type Turn, turnIn } from './turns.ts';

/** More than a commit may ever take: then the connection is given up, and nobody knows whether it happened. */
const GIVEN_UP_MS = 40_000;

/** What concerns the whole transaction, whoever else is at work in it. Comments may stand before it. */
const OF_ALL =
  /^(?:\s|--[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/)*(?:set|reset|savepoint|release|rollback|lock)\b|\bset_config\s*\(/is;

/** What would end it or begin another in the middle of the work. A way back to a savepoint does not. */
const NOT_THE_WORKS =
  /^(?:\s|--[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/)*(?:begin|start|commit|end|abort|prepare\s+transaction|rollback(?!\s+(?:(?:work|transaction)\s+)?to\b))\b/is;

export class OpenTransaction {
  readonly #client: PoolClient;
  #over = false;
  #ended = false;
  #rolledBack = false;
  #failure: { readonly error: unknown } | undefined;
  /** What failed on this side: the server does not know of it, and would commit without it. */
  #refused: { readonly error: unknown } | undefined;
  /** Several pieces of work are at it. */
  #company = false;
  /** Whose statement was sent last. */
  #last: Turn | undefined;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  /** Resolves when the server has taken it, which nobody needs to wait for. */
  async begin(text = 'BEGIN'): Promise<void> {
    await this.#client.query(text).catch((error: unknown) => this.#failed(error));
  }

  async send(statement: QueryConfig): Promise<QueryResult> {
    this.mustBeOpen();
    const turn = turnIn(this);
    try {
      if (NOT_THE_WORKS.test(statement.text))
        throw new Error('A transaction begins and ends with its work, not by a statement in it.');
      this.#company ||= turn?.inCompany === true;
      // Nobody knows whose it is: its flow was lost on the way, or is that of another transaction.
      if (!turn && this.#company) throw new OutOfTurn();
      if (turn && OF_ALL.test(statement.text)) turn.needsToBeAlone();
      turn?.sends(this.#last === turn);
    } catch (error) {
      this.refuse(error);
    }
    this.#last = turn;
    try {
      return await this.#ask(statement);
    } finally {
      turn?.hears();
    }
  }

  mustBeOpen(): void {
    if (this.#over) throw new Error('The transaction is over: it was used after its work had ended.');
  }

  /** Throws the error, and keeps the transaction from committing also where it is caught. */
  refuse(error: unknown): never {
    this.cannotCommit(error);
    throw error;
  }

  /** The first failure is the reason given, also where the server had one before. */
  cannotCommit(error: unknown): void {
    this.#refused ??= this.#failure ?? { error };
  }

  /** Throws in company. */
  needsToBeAlone(): void {
    try {
      turnIn(this)?.needsToBeAlone();
    } catch (error) {
      this.refuse(error);
    }
  }

  /** Throws when it was rolled back, and when nobody knows. */
  async commit(last: readonly QueryConfig[]): Promise<void> {
    if (this.#refused) throw this.#refused.error;
    // One error of these is like any other: then the commit is a rollback.
    for (const statement of last) this.#ask(statement).catch(() => {});
    this.#over = true;
    const commit = { text: 'COMMIT', query_timeout: GIVEN_UP_MS } as QueryConfig;
    const ended = await this.#client.query(commit).catch((error: Error & { severity?: string }) => {
      // An error of the server itself: it has rolled back (a constraint that is checked at the end, a conflict).
      this.#ended = error.severity === 'ERROR';
      this.#rolledBack = this.#ended;
      throw error;
    });
    this.#ended = true;
    this.#rolledBack = ended.command === 'ROLLBACK';
    if (this.#rolledBack)
      throw this.#failure?.error ?? new Error('The transaction was rolled back by the database');
  }

  /** True: nothing of it took effect, for sure. False after a commit, and when nobody knows. */
  get rolledBack(): boolean {
    return this.#rolledBack;
  }

  /** Rolls back what has not ended; answers why the connection must not serve anybody else. */
  async end(): Promise<Error | undefined> {
    const committing = this.#over;
    this.#over = true;
    if (this.#ended) return undefined;
    if (committing) return new Error('A commit was not answered');
    this.#rolledBack = true;
    return this.#client.query('ROLLBACK').then(
      () => undefined,
      (cause: Error) => cause,
    );
  }

  #ask(statement: QueryConfig): Promise<QueryResult> {
    return this.#client.query(statement).catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): never {
    this.#failure ??= { error };
    if (!(error as { severity?: string } | undefined)?.severity) this.#refused ??= this.#failure;
    throw error;
  }
}
