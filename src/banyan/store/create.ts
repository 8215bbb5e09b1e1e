// A module's store over its own pool and role: Prisma for most, the raw pool for hot paths, and transactions
// that take events along. Pools are small: twelve of pg's default size would pass a server's limit.
import type pg from 'pg';
import type { Logger } from 'pino';
import { openPool, POOL_SIZE } from '../postgres/connections.ts';
import { TurnSocket } from '../postgres/turn-socket.ts';
import { ModulePg } from './prisma-connection.ts';
import { sharedCommits } from './shared-commits.ts';
import type { Publisher, Store } from './store.ts';
import { prismaTransactions, rawTransactions, type TransactingClient } from './transaction.ts';

export interface StoreOptions<P> {
  readonly module: string;
  /** Connection URL of the module's runtime role. */
  readonly url: string;
  readonly prisma: (adapter: unknown) => P;
  readonly publisher: Publisher;
  /** Called after a commit that published something, and by `committed()`. */
  readonly onCommit: () => void;
  /** Refs called inside an open transaction throw. */
  readonly strict: boolean;
  readonly log: Logger;
  /** Where this process is, `monolith` or `parcels-1`: written beside every event (tables/outbox.sql). */
  readonly hostId?: string;
}

export interface OpenStore<P> extends Store<P> {
  /** Rejects when the store cannot be reached. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** A statement that was answered so lately says that the store is there. */
const SIGN_OF_LIFE_MS = 1000;

/** Statements that a transaction does not wait for one by one go out one behind the other. */
const pipelined = { pipeline: true, stream: () => new TurnSocket().on('error', callRefused) };

/**
 * A Unix socket that is missing (ENOENT) or whose server takes nobody in (EAGAIN) says what a port says by refusing;
 * Prisma's adapter knows the port's word.
 */
function callRefused(error: NodeJS.ErrnoException): void {
  if (error.syscall === 'connect' && /^(ENOENT|EAGAIN)$/.test(error.code ?? '')) error.code = 'ECONNREFUSED';
}

/** A pool whose server may come and go: what waits gets an error after 10 s, what comes later a new connection. */
export function createPool(url: string, name: string, log: Logger, max = POOL_SIZE): pg.Pool {
  return openPool(
    {
      connectionString: url,
      max,
      ...pipelined,
      application_name: `banyan ${name}`,
      connectionTimeoutMillis: 10_000,
      idleTimeoutMillis: 60_000,
      statement_timeout: 15_000,
      idle_in_transaction_session_timeout: 30_000,
      keepAlive: true,
    },
    (error) => log.warn({ err: error.message }, 'an idle database connection was lost'),
  );
}

/** Beyond so many different statements the rest is parsed each time: the server keeps what is prepared. */
const MOST_PREPARED = 200;

/**
 * Names for Prisma's statements, so that each connection parses and plans them once: for a read by key that is as
 * much work as running it.
 */
function statementNames(): (query: { readonly sql: string }) => string {
  const names = new Map<string, string>();
  return ({ sql }) => {
    const known = names.get(sql);
    if (known) return known;
    // No name: parsed for this once.
    if (names.size === MOST_PREPARED) return '';
    const name = `prisma-${names.size}`;
    names.set(sql, name);
    return name;
  };
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
  let answered = Number.NEGATIVE_INFINITY;
  const pool = createPool(url, hostId === undefined ? module : `${module}@${hostId}`, log);
  pool.on('release', (error) => {
    if (!error) answered = performance.now();
  });
  const client = prisma(new ModulePg(pool, { schema: module, statementNameGenerator: statementNames() }));
  const options = { publisher, onCommit, strict, log };
  return {
    prisma: client,
    pool,
    sql: {
      async query(text, values, name) {
        const { rows, rowCount } = await pool.query({
          text,
          values: values as unknown[],
          ...(name ? { name } : {}),
        });
        return { rows, rowCount: rowCount ?? 0 };
      },
    },
    writes: sharedCommits(pool, 'durable'),
    unhurried: sharedCommits(pool, 'unhurried'),
    transaction: prismaTransactions(client as P & TransactingClient, options),
    rawTransaction: rawTransactions(pool, options),
    committed: onCommit,
    // Under load it would stand behind hundreds of others in the pool's queue, each of which proves what it asks.
    async ping() {
      if (performance.now() - answered > SIGN_OF_LIFE_MS) await pool.query('SELECT 1');
    },
    async close() {
      await (client as { $disconnect?: () => Promise<void> } | undefined)?.$disconnect?.();
      await pool.end();
    },
  };
}
