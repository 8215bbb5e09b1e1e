// A trial: one request's work in as many transactions as it asks pools, one each, all of which are rolled back. It has no
// connection before the work asks for one.
// Guarantees: nothing commits, also when this process or its connection dies, and where the transaction is not the one that
// it began the outcome is an error that says so; sequences are the exception: nextval and setval stay. It holds a lock for no longer than its
// budget, by the server's own clocks, also where its process freezes after an error, and waits for one for 50 ms; what asks
// after its end is refused. Given up, it gives its connections up at once, also one that has not answered yet.
// It must not know what the work is, nor what is read of it before its end.
import type { DatabaseError, PoolClient, QueryResult, QueryResultRow } from 'pg';
import { trialHere } from '../context/trial.ts';
import { libraryProblem } from '../contract/problem.ts';
import { CannotBeTried, ESCAPED, TrialConnection } from './trial-connection.ts';

/** Whoever works for real comes first: a trial that meets a lock gives up. */
const LOCK_TIMEOUT_MS = 50;

/** A process that is there ends the trial itself, and says why; the server ends one that is frozen so much later. */
const SERVER_LATER_MS = 50;

/**
 * Round all that is asked, so that an error aborts no more than this, and the transaction's limits, which are set outside of
 * it, outlive it: with the transaction itself they would be taken back.
 */
const ROUND_ALL = 'SAVEPOINT round_all_of_a_trial';

/** PostgreSQL's words for: it met a lock, or a limit of the trial, or lost its connection. */
const DISTURBED = /^(55P03|57014|25P03|25P04|40001|40P01|57P0\d|08\w{3})$/;

/** Where the server refuses a text of several commands, whatever its language: for real it may take it. */
const SEVERAL_COMMANDS = 'exec_parse_message';

/** Of one transaction alone: what is read at its end is the same as at its begin. */
const BEGAN = 'SELECT extract(epoch FROM now())::text AS began';

/** What is read before the work and, with what came of that as $1, before it is rolled back. */
export interface TrialReader {
  readonly before: string;
  readonly after: string;
}

/** Whatever hands out connections: one trial has one connection of each. */
interface Source {
  readonly trialReader?: TrialReader | undefined;
}

interface Part {
  readonly client: PoolClient;
  /** Of this checkout: the connection's next user has another. Once. */
  readonly giveBack: (error?: Error) => void;
  readonly began: unknown;
  readonly connection: TrialConnection;
  readonly reader: TrialReader | undefined;
  readonly mark: unknown;
}

export class Trial {
  readonly budgetMs: number;
  /** Why its outcome says nothing of the work: somebody's lock, a limit, a lost connection. */
  disturbed: string | undefined;
  readonly #parts = new Map<Source, Promise<Part>>();
  /** Of every connection that it has, those that have not begun included. */
  readonly #givesBack = new Set<Part['giveBack']>();
  readonly #atEnd: (() => void)[] = [];
  #over = false;

  constructor(budgetMs: number) {
    this.budgetMs = budgetMs;
  }

  /** @param open a connection that nobody else uses. Called once for each source. */
  async connection(source: Source, open: () => Promise<PoolClient>): Promise<TrialConnection> {
    this.#mayGoOn();
    let part = this.#parts.get(source);
    if (!part) {
      part = open().then((client) => this.#begin(client, source.trialReader));
      part.catch(this.#failed);
      this.#parts.set(source, part);
    }
    return (await part).connection;
  }

  /** Called when it is over. */
  atEnd(what: () => void): void {
    this.#atEnd.push(what);
  }

  /** Reads what is to be read, source by source, and rolls everything back. */
  async end(): Promise<QueryResultRow[]> {
    let parts: Part[];
    let seen: number;
    // What the work left running may come to another source meanwhile.
    do {
      seen = this.#parts.size;
      parts = await this.#allParts();
      await Promise.all(parts.map(({ connection }) => connection.settled()));
    } while (this.#parts.size > seen);
    this.#mayGoOn();
    this.#isOver();
    const read = await Promise.allSettled(parts.map(readAndRollBack));
    for (const one of read)
      if (one.status === 'rejected') {
        if (one.reason instanceof CannotBeTried) this.disturbed = one.reason.message;
        throw one.reason;
      }
    return read.flatMap((one) => (one as PromiseFulfilledResult<QueryResultRow[]>).value);
  }

  /** Without waiting for anything: the connections are given up, and with them all that was done. */
  giveUp(why: Error): void {
    this.disturbed ??= why.message;
    this.#isOver();
    for (const giveBack of this.#givesBack) giveBack(why);
  }

  async #begin(client: PoolClient, reader: TrialReader | undefined): Promise<Part> {
    const giveBack = onceOnly(client.release);
    this.#givesBack.add(giveBack);
    try {
      this.#mayGoOn();
      const bounds = boundsOf(this.budgetMs);
      const [begun, marked] = await Promise.all([
        client.query(`BEGIN; ${bounds}; ${ROUND_ALL}; ${BEGAN}`),
        reader ? client.query(reader.before) : undefined,
      ]);
      this.#mayGoOn();
      const connection = new TrialConnection(client, {
        bounds,
        mayGoOn: () => this.#mayGoOn(),
        failed: this.#failed,
      });
      const mark = marked && Object.values(marked.rows[0] as object)[0];
      return { client, giveBack, began: beganOf(begun), connection, reader, mark };
    } catch (error) {
      giveBack(error as Error);
      throw error;
    }
  }

  async #allParts(): Promise<Part[]> {
    const parts = await Promise.allSettled(this.#parts.values());
    return parts.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  readonly #failed = (error: unknown): void => {
    const { code, severity, routine, message } = error as Partial<DatabaseError>;
    if (
      error instanceof CannotBeTried ||
      DISTURBED.test(code ?? '') ||
      (code === '42601' && routine === SEVERAL_COMMANDS) ||
      (!severity && /^(Connection terminated|ECONN|timeout)/.test(message ?? ''))
    )
      this.disturbed ??= message ?? code;
  };

  #mayGoOn(): void {
    if (this.#over) throw new TrialIsOver();
  }

  #isOver(): void {
    this.#over = true;
    for (const what of this.#atEnd.splice(0)) what();
  }
}

/** The trial whose work runs now. */
export function presentTrial(): Trial | undefined {
  return trialHere() as Trial | undefined;
}

export class TrialIsOver extends Error {
  constructor() {
    super('This was only tried, and the trial is over: nothing that it left running takes effect.');
    this.name = 'TrialIsOver';
  }
}

export function overBudget(budgetMs: number) {
  return libraryProblem('deadline-exceeded', {
    detail: `It was tried for ${budgetMs} ms, which is the most that a trial may take. Nothing of it took effect.`,
  });
}

/**
 * By the server's own clocks, whatever becomes of this process. `transaction_timeout` is there from version 17 on. An error
 * stops its clock until it is set once more; meanwhile the limit of an idle session has to do, which has no clock at all
 * unless it is the shorter of the two.
 */
function boundsOf(budgetMs: number): string {
  const most = budgetMs + SERVER_LATER_MS;
  return (
    `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}; SET LOCAL statement_timeout = ${budgetMs}; ` +
    `SET LOCAL idle_in_transaction_session_timeout = ${most}; ` +
    `SELECT set_config('transaction_timeout', '${most + 1}', true) WHERE current_setting('server_version_num')::int >= 170000`
  );
}

async function readAndRollBack({ client, giveBack, began, reader, mark }: Part): Promise<QueryResultRow[]> {
  try {
    const rows = reader ? (await client.query(reader.after, [mark])).rows : [];
    // Locks that outlive a transaction are not rolled back with it.
    const ended = await client.query(`SELECT pg_advisory_unlock_all(); ${BEGAN}; ROLLBACK`);
    if (beganOf(ended) !== began) throw new CannotBeTried(ESCAPED);
    giveBack();
    return rows;
  } catch (error) {
    giveBack(error as Error);
    throw error;
  }
}

/** Of a text of several commands. */
function beganOf(results: unknown): unknown {
  return (results as QueryResult[]).flatMap(({ rows }) => rows).find((row) => 'began' in row)?.began;
}

function onceOnly(release: PoolClient['release']): (error?: Error) => void {
  let released = false;
  return (error) => {
    if (released) return;
    released = true;
    release(error);
  };
}
