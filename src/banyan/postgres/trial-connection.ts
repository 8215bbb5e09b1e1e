// One connection on which a trial's transaction is open, and how everything that the work sends becomes a part of it:
//
//   a statement by itself    SAVEPOINT, the statement, RELEASE: one that fails takes back nothing but itself
//   BEGIN ... COMMIT         SAVEPOINT ... RELEASE; one such at a time, whoever comes meanwhile waits
//   ROLLBACK                 ROLLBACK TO its savepoint
//
// Guarantees: nothing that is sent through it ends the transaction or commits; a piece that fails leaves the others as they
// would be without it.
// It must not know what is asked, nor when the trial ends. Not as in a transaction of its own: constraints that are
// checked at a commit are not checked, and its isolation is that of the trial.
import { EventEmitter } from 'node:events';
import type { PoolClient, QueryResult } from 'pg';

/** What pg's `query` takes: a text or a config, and values. */
export type Asked = readonly unknown[];

const BEGINS = /^\s*(?:begin|start\s+transaction)\b[^;]*;?/i;
const COMMITS = /^\s*(?:commit|end)\b/i;
const ROLLS_BACK = /^\s*(?:rollback|abort)\b(?!\s+(?:(?:work|transaction)\s+)?to\b)/i;
/** Of a transaction that has begun long ago. */
const CHOOSES_ISOLATION = /^\s*set\s+transaction\b/i;
const MARKS = /^\s*savepoint\b/i;

export class TrialConnection {
  readonly #client: PoolClient;
  readonly #mayGoOn: () => void;
  readonly #failed: (error: unknown) => void;
  readonly #bounds: string;
  #last: Promise<unknown> = Promise.resolve();
  #lastTransaction: Promise<void> = Promise.resolve();
  #transactions = 0;

  /**
   * @param bounds sets the limits of the trial's transaction, once more after each piece that may have changed them
   * @param mayGoOn throws when the trial is over
   * @param failed hears of every error
   */
  constructor(
    client: PoolClient,
    { bounds, mayGoOn, failed }: { bounds: string; mayGoOn: () => void; failed: (error: unknown) => void },
  ) {
    this.#client = client;
    this.#bounds = bounds;
    this.#mayGoOn = mayGoOn;
    this.#failed = failed;
  }

  /** A statement by itself. */
  query(asked: Asked): Promise<QueryResult> {
    return this.inTurn(async () => {
      const [, answer, released] = await Promise.allSettled([
        this.send(['SAVEPOINT statement']),
        this.send(asked),
        this.send(['RELEASE statement']),
      ]);
      if (answer.status === 'fulfilled') return answer.value;
      // Where it failed before it left this process the server knows of no failure.
      if (released.status === 'rejected')
        await this.send(['ROLLBACK TO statement; RELEASE statement']).catch(() => {});
      throw answer.reason;
    });
  }

  /** To its user a connection like any other. */
  checkOut(): PoolClient {
    return new TrialClient(this) as unknown as PoolClient;
  }

  /** Pieces one after the other: what lies between a savepoint and its end is one piece's alone. */
  inTurn<T>(piece: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(() => {
      this.#mayGoOn();
      return piece();
    });
    this.#last = mine.catch(this.#failed);
    return mine;
  }

  /** When the pieces that came so far have ended. */
  settled(): Promise<unknown> {
    return this.#last;
  }

  send(asked: Asked): Promise<QueryResult> {
    return (this.#client.query as unknown as (...of: Asked) => Promise<QueryResult>).apply(
      this.#client,
      asked as unknown[],
    );
  }

  /** The savepoint of the next transaction within the trial's, once the one before has ended. */
  async begin(): Promise<{ savepoint: string; over: () => void }> {
    const before = this.#lastTransaction;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lastTransaction = before.then(() => promise);
    await before;
    this.#transactions += 1;
    return { savepoint: `transaction_${this.#transactions}`, over: resolve };
  }

  get bounds(): string {
    return this.#bounds;
  }
}

/** A connection that was checked out in a trial: what its user begins and ends is a savepoint's. */
class TrialClient extends EventEmitter {
  readonly #connection: TrialConnection;
  #last: Promise<unknown> = Promise.resolve();
  #open: { readonly savepoint: string; over: () => void } | undefined;
  /** A statement of its transaction failed. */
  #aborted = false;
  /** It has savepoints of its own, by which it may get over a failure. */
  #marked = false;

  constructor(connection: TrialConnection) {
    super();
    this.#connection = connection;
  }

  readonly query = (...asked: Asked): Promise<QueryResult> => {
    const mine = this.#last.then(() => this.#ask(asked));
    this.#last = mine.catch(() => {});
    return mine;
  };

  readonly release = (): void => {
    // What its user left open is taken back.
    if (this.#open) this.query('ROLLBACK').catch(() => {});
  };

  async #ask(asked: Asked): Promise<QueryResult> {
    const text = textOf(asked);
    if (BEGINS.test(text)) return this.#begin(text.replace(BEGINS, '').trim());
    if (!this.#open) return this.#connection.query(asked);
    if (COMMITS.test(text)) return this.#end('COMMIT');
    if (ROLLS_BACK.test(text)) return this.#end('ROLLBACK');
    if (CHOOSES_ISOLATION.test(text)) return this.#connection.query(['SELECT']);
    this.#marked ||= MARKS.test(text);
    return this.#connection.inTurn(() => this.#statement(asked));
  }

  async #begin(rest: string): Promise<QueryResult> {
    if (this.#open) return this.#connection.query(['SELECT']);
    this.#open = await this.#connection.begin();
    this.#aborted = false;
    this.#marked = false;
    const { savepoint } = this.#open;
    return this.#connection.inTurn(() =>
      this.#connection.send([`SAVEPOINT ${savepoint}${rest === '' ? '' : `; ${rest}`}`]),
    );
  }

  async #statement(asked: Asked): Promise<QueryResult> {
    if (this.#aborted) throw aborted();
    try {
      return await this.#connection.send(asked);
    } catch (error) {
      // Taken back at once, so that what others of this trial send meanwhile does not meet it.
      if (!this.#marked && (error as { severity?: string }).severity) {
        this.#aborted = true;
        await this.#connection.send([`ROLLBACK TO ${this.#open!.savepoint}`]);
      }
      throw error;
    }
  }

  async #end(wanted: 'COMMIT' | 'ROLLBACK'): Promise<QueryResult> {
    const { savepoint, over } = this.#open!;
    this.#open = undefined;
    const back = `ROLLBACK TO ${savepoint}; RELEASE ${savepoint}`;
    const { bounds } = this.#connection;
    try {
      return await this.#connection.inTurn(async () => {
        let command = wanted;
        if (wanted === 'ROLLBACK' || this.#aborted) {
          command = 'ROLLBACK';
          await this.#connection.send([back]);
        } else {
          // It fails where a statement did that savepoints of its own did not take back.
          await this.#connection.send([`RELEASE ${savepoint}`]).catch(async () => {
            command = 'ROLLBACK';
            await this.#connection.send([back]);
          });
        }
        await this.#connection.send([bounds]);
        return { command, rowCount: null, oid: 0, rows: [], fields: [] };
      });
    } finally {
      over();
    }
  }
}

function textOf([first]: Asked): string {
  return typeof first === 'string' ? first : String((first as { text?: unknown }).text ?? '');
}

/** As the server says it. */
function aborted(): Error {
  return Object.assign(
    new Error('current transaction is aborted, commands ignored until end of transaction block'),
    { code: '25P02', severity: 'ERROR' },
  );
}
