// One connection on which a trial's transaction is open, and how everything that the work sends becomes a part of it:
//
//   a statement by itself    SAVEPOINT, the statement, RELEASE: one that fails takes back nothing but itself
//   BEGIN ... COMMIT         SAVEPOINT ... RELEASE; one such at a time, whoever comes meanwhile waits
//   ROLLBACK                 ROLLBACK TO its savepoint
//
// Guarantees: nothing that is sent through it ends the transaction or commits: words of transactions never reach the server
// (trial-words.ts), and a text is one command there (the extended protocol takes no more). Where the transaction is seen to
// be over all the same nothing more is sent. A piece that fails leaves the others as they would be without it.
// It must not know what is asked, nor when the trial ends. Not as in a transaction of its own: constraints that are
// checked at a commit are not checked, and its isolation is that of the trial.
import { EventEmitter } from 'node:events';
import type { PoolClient, QueryResult } from 'pg';
import { saidBy } from './trial-words.ts';

/** What pg's `query` takes: a text or a config, and values. */
export type Asked = readonly unknown[];

export class TrialConnection {
  readonly #client: PoolClient;
  readonly #mayGoOn: () => void;
  readonly #failed: (error: unknown) => void;
  readonly #bounds: string;
  #last: Promise<unknown> = Promise.resolve();
  #lastTransaction: Promise<void> = Promise.resolve();
  #transactions = 0;
  /** Why nothing more is sent. */
  #broken: CannotBeTried | undefined;

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
    const said = saidBy(textOf(asked));
    // As on a connection where nothing is open.
    if (said.is === 'begin' || said.is === 'commit' || said.is === 'rollback')
      return this.inTurn(async () => nothingBut(said.is.toUpperCase()));
    if (said.is === 'isolation') return this.inTurn(async () => nothingBut('SET'));
    if (said.is === 'savepoint') return this.inTurn(async () => Promise.reject(outsideTransaction()));
    return this.inTurn(async () => {
      const config = oneCommand(asked, said.is);
      await this.mark('statement');
      const answer = await this.send([config]).catch(async (error: unknown) => {
        await this.send([`ROLLBACK TO statement; RELEASE statement; ${this.#bounds}`]);
        throw error;
      });
      await this.send([`RELEASE statement; ${this.#bounds}`]);
      return answer;
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

  /** A savepoint: without it what follows would not be sent. */
  async mark(savepoint: string): Promise<void> {
    try {
      await this.send([`SAVEPOINT ${savepoint}`]);
    } catch (cause) {
      this.#broken ??= new CannotBeTried(
        `What was tried could not go on in its transaction: ${(cause as Error).message}`,
        { cause },
      );
      throw this.#broken;
    }
  }

  /** Nothing leaves after the trial's end: then the connection is somebody else's. */
  async send(asked: Asked): Promise<QueryResult> {
    this.#mayGoOn();
    if (this.#broken) throw this.#broken;
    const ask = this.#client.query as unknown as (...of: Asked) => Promise<QueryResult>;
    const answer = await ask.apply(this.#client, asked as unknown[]);
    if (this.#client.getTransactionStatus() === 'I') {
      this.#broken = new CannotBeTried(ESCAPED);
      throw this.#broken;
    }
    return answer;
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
    const said = saidBy(textOf(asked));
    if (said.is === 'begin') return this.#begin(said.settings);
    if (!this.#open) return this.#connection.query(asked);
    if (said.is === 'commit') return this.#end('COMMIT');
    if (said.is === 'rollback') return this.#end('ROLLBACK');
    if (said.is === 'isolation') return nothingBut('SET');
    this.#marked ||= said.is === 'savepoint';
    return this.#connection.inTurn(async () => {
      const answer = await this.#statement([oneCommand(asked, said.is)]);
      if (said.is === 'settings') await this.#connection.send([this.#connection.bounds]);
      return answer;
    });
  }

  async #begin(settings: string): Promise<QueryResult> {
    if (this.#open) return nothingBut('BEGIN');
    const open = await this.#connection.begin();
    this.#open = open;
    this.#aborted = false;
    this.#marked = false;
    const { bounds } = this.#connection;
    return this.#connection.inTurn(async () => {
      await this.#connection.mark(open.savepoint);
      if (settings !== '') await this.#statement([`${settings.replace(/[\s;]*$/, '')}; ${bounds}`]);
      return nothingBut('BEGIN');
    });
  }

  async #statement(asked: Asked): Promise<QueryResult> {
    if (this.#aborted) throw aborted();
    try {
      return await this.#connection.send(asked);
    } catch (error) {
      // Taken back at once, so that what others of this trial send meanwhile does not meet it.
      if (!this.#marked && (error as { severity?: string }).severity) {
        this.#aborted = true;
        await this.#connection.send([`ROLLBACK TO ${this.#open!.savepoint}; ${this.#connection.bounds}`]);
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
        let command: string = wanted;
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
        return nothingBut(command);
      });
    } finally {
      over();
    }
  }
}

function textOf([first]: Asked): string {
  return typeof first === 'string' ? first : String((first as { text?: unknown }).text ?? '');
}

/** For the extended protocol, which takes one command only. Its text is read once. */
function oneCommand(asked: Asked, is: string): object {
  const [first, second] = asked as [string | { values?: unknown; submit?: unknown } | undefined, unknown];
  const text = textOf(asked);
  const config = typeof first === 'object' ? first : {};
  if (is === 'refused' || text === '' || config.submit)
    throw new CannotBeTried(
      'In a trial a statement is one command with a text, and a transaction begins and ends by BEGIN, COMMIT and ROLLBACK alone.',
    );
  return { ...config, text, values: config.values ?? second, queryMode: 'extended' };
}

function nothingBut(command: string): QueryResult {
  return { command, rowCount: null, oid: 0, rows: [], fields: [] };
}

export const ESCAPED =
  'The transaction of a trial was ended by what was tried: what was to be rolled back MAY HAVE TAKEN EFFECT.';

/** Says nothing of the work itself. */
export class CannotBeTried extends Error {
  override readonly name = 'CannotBeTried';
}

/** As the server says it. */
function outsideTransaction(): Error {
  const message = 'SAVEPOINT can only be used in transaction blocks';
  return Object.assign(new Error(message), { code: '25P01', severity: 'ERROR' });
}

/** As the server says it. */
function aborted(): Error {
  return Object.assign(
    new Error('current transaction is aborted, commands ignored until end of transaction block'),
    { code: '25P02', severity: 'ERROR' },
  );
}
