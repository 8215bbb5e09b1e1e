// A module's store as the module sees it: reads by Prisma or SQL, and one kind of transaction. Types only: the pools,
// roles and migrations behind it are in the other files of this folder, and so is whatever makes it fast.
//
//   store.prisma, store.sql       outside of a transaction: each statement is one of its own
//   store.transaction(work)       what `work` does through its `tx` commits or rolls back together, events included
//     tx.prisma, tx.sql           the same connection, the same uncommitted rows
//     tx.publish, tx.afterCommit  an event that goes with the commit; what follows it
import type { QueryResultRow } from 'pg';
import type { DataOf, EventDefinition } from '../contract/contract.ts';
import type { ModulePool } from '../postgres/module-pool.ts';
import type { TrialReader } from '../postgres/trial.ts';

/** The port to SQL: one statement in, its rows out, in pg's types. Whatever comes again is prepared. */
export interface Sql {
  query<R extends QueryResultRow = QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ rows: R[]; rowCount: number }>;
}

/** An event that is written with the transaction's commit. */
export interface Published {
  readonly id: string;
}

/** An open transaction. Everything done through it commits or rolls back together, events included. */
export interface Transaction<PrismaTx = unknown> {
  readonly prisma: PrismaTx;
  readonly sql: Sql;
  /** Checks the event now and writes it to the outbox with the commit. Its key is the field that the contract names. */
  publish<E extends EventDefinition>(event: E, data: DataOf<E>): Promise<Published>;
  /** Runs once the transaction has committed (to wake a job that it made work for); never when it rolls back. */
  afterCommit(work: () => void): void;
}

/** Prisma's client inside a transaction: the client without what opens or ends one. */
export type TransactionClient<PrismaClient> = Omit<
  PrismaClient,
  '$connect' | '$disconnect' | '$on' | '$transaction' | '$extends' | '$use'
>;

export interface Store<PrismaClient = unknown> {
  readonly prisma: PrismaClient;
  /** Each statement is a transaction of its own. */
  readonly sql: Sql;
  /**
   * Runs the work in one transaction. What loses a conflict is run again, so the work does nothing but through `tx`;
   * a ref called inside it throws (in tests and development).
   */
  transaction<T>(work: (tx: Transaction<TransactionClient<PrismaClient>>) => Promise<T>): Promise<T>;
}

/** The store as the library itself has it. */
export interface InnerStore<PrismaClient = unknown> extends Store<PrismaClient> {
  /** The pool itself, for statements of the library's own. */
  readonly pool: ModulePool;
  /** The same for work that never shares a transaction: it is shared by pieces of the library's own. */
  readonly alone: Store<PrismaClient>['transaction'];
  /** Single statements whose commit does not wait for the disk: leases, and what is only done again. */
  readonly asyncCommit: Sql;
}

/** An event's row on its way to the outbox. */
export interface OutgoingEvent {
  readonly id: string;
  /** Undefined: nothing is written, since the past is being replayed. */
  readonly row: readonly unknown[] | undefined;
}

/** How events get into the outbox; events/ implements it. */
export interface Publisher {
  /** Checks the event; throws what the module hears at once. */
  check(event: EventDefinition, data: unknown): OutgoingEvent;
  /** The statements that write these rows, in this order. */
  write(rows: readonly (readonly unknown[])[]): { readonly text: string; readonly values: unknown[] }[];
  /** Reads what a trial would publish, as `module`, `type`, `key` and `data`. Absent: it publishes nothing. */
  readonly trialReader?: TrialReader;
}
