// A module's store as the module sees it: its Prisma client, its pool, its transactions. Types only:
// the pools, roles and migrations behind it are in the other files of this folder.
import type { Pool, QueryResultRow } from 'pg';
import type { DataOf, EventDefinition } from '../contract/contract.ts';

/** The structural port to any open transaction, Prisma's or pg's: one statement in, its rows out. */
export interface Sql {
  query<R extends QueryResultRow = QueryResultRow>(
    text: string,
    values?: readonly unknown[],
    /** Prepares it under this name, once per connection: a hot statement is then parsed and planned no more. */
    name?: string,
  ): Promise<{ rows: R[]; rowCount: number }>;
}

/** An open transaction. Everything done through it commits or rolls back together, events included. */
export interface Transaction<PrismaTx = unknown> {
  readonly prisma: PrismaTx;
  readonly sql: Sql;
  /** Writes the event to the outbox. Its key is the field that the contract names. */
  publish<E extends EventDefinition>(event: E, data: DataOf<E>): Promise<void>;
  /** A statement of one's own wrote an event (`emit_event`): it is sent once the transaction has committed. */
  emitted(): void;
  /** Runs once the transaction has committed (to wake a job that it made work for); never when it rolls back. */
  afterCommit(work: () => void): void;
}

/** Prisma's client inside an interactive transaction: the client without what opens or ends one. */
export type TransactionClient<PrismaClient> = Omit<
  PrismaClient,
  '$connect' | '$disconnect' | '$on' | '$transaction' | '$extends' | '$use'
>;

export interface Store<PrismaClient = unknown> {
  readonly prisma: PrismaClient;
  /** The pool itself, for what takes one; statements go by `sql` and `writes`. */
  readonly pool: Pool;
  /** The pool as a port: each statement is a transaction of its own. */
  readonly sql: Sql;
  /** The same for writes on hot paths: those that come together share a commit (shared-commits.ts). */
  readonly writes: Sql;
  /** The same, and their commit does not wait for the disk: for leases, and for what is only done again. */
  readonly unhurried: Sql;
  /** A Prisma interactive transaction; a ref called inside it throws (in tests and development). */
  transaction<T>(work: (tx: Transaction<TransactionClient<PrismaClient>>) => Promise<T>): Promise<T>;
  /** A plain pg transaction for hot paths; same rules. */
  rawTransaction<T>(work: (tx: Transaction<never>) => Promise<T>): Promise<T>;
  /** Tells the relay and the jobs of this module, after a commit, that there is work. */
  committed(): void;
}

/** Writes an event to the outbox within an open transaction; events/ implements it. */
export type Publisher = (sql: Sql, event: EventDefinition, data: unknown) => Promise<void>;
