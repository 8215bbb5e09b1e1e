// The one database session that a process keeps open for itself: it listens, and that it is alive is read from
// pg_stat_activity, so that a killed process loses what it had at once and not after a time-out.
// It reconnects by itself. Commits on it are asynchronous: what is written here may be lost in a crash and is
// then only done again.
import type { Client, ClientConfig, QueryResult, QueryResultRow } from 'pg';
import { createClient } from '../postgres/connections.ts';
import type { LogLogger } from './port.ts';

/** Far more than its statements take: whoever waits for one waits no longer than for this and the network (silence.ts). */
const STATEMENT_MS = 15_000;

export interface SessionIdentity {
  readonly pid: number;
  readonly start: string;
}

export class DatabaseSession {
  readonly #config: () => ClientConfig;
  readonly #through: <T>(work: () => Promise<T>) => Promise<T>;
  readonly #channel: string | undefined;
  readonly #onNotification: (payload: string) => void;
  readonly #log: LogLogger;
  #connection: Promise<{ client: Client; identity: SessionIdentity }> | undefined;
  /** The statement in hand: a connection takes one at a time, and its own queue goes away in pg 9. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  /**
   * @param config asked at each connection: the server may be another one by then
   * @param options.through runs what is sent, when it may be sent
   */
  constructor(
    config: ClientConfig | (() => ClientConfig),
    options: {
      channel?: string;
      onNotification?: (payload: string) => void;
      log: LogLogger;
      through?: <T>(work: () => Promise<T>) => Promise<T>;
    },
  ) {
    this.#config = typeof config === 'function' ? config : () => config;
    this.#through = options.through ?? ((work) => work());
    this.#channel = options.channel;
    this.#onNotification = options.onNotification ?? (() => {});
    this.#log = options.log;
  }

  /** Who this session is to the database; connects when it has to. Changes with every reconnection. */
  identity(): Promise<SessionIdentity> {
    return this.#through(async () => (await this.#connected()).identity);
  }

  /** One after the other, in the order of the calls. `name` prepares the statement, once per connection. */
  query<R extends QueryResultRow>(text: string, values?: unknown[], name?: string): Promise<QueryResult<R>> {
    return this.#through(() => this.#query(text, values, name));
  }

  #query<R extends QueryResultRow>(text: string, values?: unknown[], name?: string): Promise<QueryResult<R>> {
    const connection = this.#connected();
    const mine = Promise.allSettled([this.#last, connection]).then(async () => {
      const { client } = await connection;
      return client.query<R>({ text, ...(values ? { values } : {}), ...(name ? { name } : {}) });
    });
    this.#last = mine;
    return mine;
  }

  get open(): boolean {
    return this.#connection !== undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.drop();
  }

  /** Ends the connection; the next query makes a new one. */
  async drop(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection) await connection.then(({ client }) => client.end()).catch(() => {});
  }

  #connected(): Promise<{ client: Client; identity: SessionIdentity }> {
    if (this.#closed) return Promise.reject(new Error('The session is closed'));
    if (!this.#connection) {
      const forget = () => {
        if (this.#connection === mine) this.#connection = undefined;
      };
      const mine = this.#connect(forget);
      this.#connection = mine;
      mine.catch(forget);
    }
    return this.#connection;
  }

  async #connect(forget: () => void): Promise<{ client: Client; identity: SessionIdentity }> {
    const bounds = { connectionTimeoutMillis: 5_000, statement_timeout: STATEMENT_MS };
    const client = createClient({ ...this.#config(), ...bounds });
    client.on('error', (error) => {
      this.#log.debug({ err: error }, 'a database session broke; it is made again when needed');
      forget();
    });
    client.on('end', forget);
    client.on('notification', ({ payload }) => this.#onNotification(payload ?? ''));
    await client.connect();
    // Its few statements take arrays of a thousand: worth a plan that sees them.
    await client.query(
      `SET synchronous_commit = off; SET plan_cache_mode = auto${this.#channel ? `; LISTEN "${this.#channel}"` : ''}`,
    );
    const { rows } = await client.query<{ pid: number; start: string }>(
      'SELECT pid, backend_start::text AS start FROM pg_stat_activity WHERE pid = pg_backend_pid()',
    );
    return { client, identity: rows[0]! };
  }
}
