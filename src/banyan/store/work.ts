// A piece of work for a transaction: what runs it is given, and what comes of it. Types only.
import type { Logger } from 'pino';
import type { ModulePool } from '../postgres/module-pool.ts';
import type { AskedParts } from './asked.ts';
import type { Transaction, TransactionClient } from './store.ts';

export interface TransactionParts<P> extends AskedParts<P> {
  readonly pool: ModulePool;
  readonly strict: boolean;
  readonly log?: Pick<Logger, 'error'>;
}

export type Work<P, T> = (tx: Transaction<TransactionClient<P>>) => Promise<T>;

/** What came of a piece of work that has committed. */
export interface Done<T> {
  readonly result: T;
  readonly follows: readonly (() => void)[];
}
