// A module's store over its own pool and role: Prisma, SQL, and transactions that take events along. Pools are small: twelve of pg's default size would pass a server's limit.
import type { Logger } from 'pino';
import { POOL_SIZE } from '../postgres/connections.ts';
import { CorkedSocket } from '../postgres/corked-socket.ts';
import { ModulePool } from '../postgres/module-pool.ts';
import type { TrialReader } from '../postgres/trial.ts';
import { adapterOf, TransactionClients } from './prisma-connection.ts';
import { triedApart } from './prisma-trial.ts';
import { sharedCommits } from './shared-commits.ts';
import { Statements } from './statements.ts';
import type { InnerStore, Publisher, Sql } from './store.ts';
import { transactions } from './transaction.ts';

export interface StoreOptions<P> {
  readonly module: string;
  /** Connection URL of the module's runtime role. */
  readonly url: string;
  readonly prisma: (adapter: unknown) => P;
  readonly publisher: Publisher;
  /** Called after a commit that published something. */
  readonly onCommit: () => void;
  /** Refs called inside an open transaction throw. */
  readonly strict: boolean;
  readonly log: Logger;
  /** Where this process is, `monolith` or `parcels-1`: written beside every event (tables/outbox.sql). */
  readonly hostId?: string;
}

export interface OpenStore<P> extends InnerStore<P> {
  /** Rejects when the store cannot be reached. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Statements that a transaction does not wait for one by one go out one behind the other. */
const pipelined = { pipeline: true, stream: () => new CorkedSocket().on('error', callRefused) };

/**
 * A Unix socket that is missing (ENOENT) or whose server takes nobody in (EAGAIN) says what a port says by refusing;
 * Prisma's adapter knows the port's word.
 */
function callRefused(error: NodeJS.ErrnoException): void {
  if (error.syscall === 'connect' && /^(ENOENT|EAGAIN)$/.test(error.code ?? '')) error.code = 'ECONNREFUSED';
}

/** The budget of a shadow is over (postgres/trial.ts), and nobody else sets one: that is expected. */
const TRANSACTION_TIMEOUT = '25P04';

/** A pool whose server may come and go: what waits gets an error after 10 s, what comes later a new connection. */
export function createPool(
  url: string,
  name: string,
  log: Logger,
  max = POOL_SIZE,
  trialReader?: TrialReader,
): ModulePool {
  return new ModulePool(
    {
      connectionString: url,
      max,
      ...pipelined,
      application_name: `banyan ${name}`,
      connectionTimeoutMillis: 10_000,
      idleTimeoutMillis: 60_000,
      statement_timeout: 15_000,
      idle_in_transaction_session_timeout: 30_000,
    },
    (error) => {
      const level = (error as { code?: string }).code === TRANSACTION_TIMEOUT ? 'debug' : 'warn';
      log[level]({ err: error.message }, 'an idle database connection was lost');
    },
    trialReader,
  );
}

export function createStore<P>({
  module,
  url,
  prisma,
  publisher,
  onCommit,
  strict,
  log,
  hostId,
}: StoreOptions<P>): OpenStore<P> {
  const name = hostId === undefined ? module : `${module}@${hostId}`;
  const pool = createPool(url, name, log, POOL_SIZE, publisher.trialReader);
  const statements = new Statements();
  pool.asksFor(() => statements.named);
  const open = () => prisma(adapterOf(pool, module, statements));
  const client = open();
  const clients = new TransactionClients(pool, module, statements, prisma);
  const apart = triedApart(client, open);
  return {
    prisma: apart.client,
    pool,
    sql: sqlOf(pool, statements),
    asyncCommit: sharedCommits(pool, 'async', statements),
    ...transactions({ pool, statements, clients, publisher, onCommit, strict, log }),
    ping: () => pool.ping(),
    async close() {
      await apart.close();
      await clients.close();
      await pool.end();
    },
  };
}

/** Each statement for itself; those that write and come together share a commit. */
export function sqlOf(pool: ModulePool, statements = new Statements()): Sql {
  const writes = sharedCommits(pool, 'durable', statements);
  return {
    async query(text, values) {
      if (statements.isWrite(text)) return writes.query(text, values);
      const { rows, rowCount } = await pool.query(statements.of(text, values));
      return { rows, rowCount: rowCount ?? 0 };
    },
  };
}
