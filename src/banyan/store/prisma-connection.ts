// Prisma's adapter over a module's pool, with one thing more: whoever opens an interactive transaction can
// get at its connection. So a transaction's `sql` is pg itself, with pg's values and types, in Prisma's
// transactions as in raw ones, and both see the same uncommitted rows.
import { AsyncLocalStorage } from 'node:async_hooks';
import { PrismaPg } from '@prisma/adapter-pg';
import type { PoolClient } from 'pg';

/** The connection of a transaction while it is open; empty before and after. */
export interface Handover {
  client?: PoolClient | undefined;
}

const wanted = new AsyncLocalStorage<Handover>();

/** The first interactive transaction that `work` opens puts its connection into `handover`. */
export function withHandover<T>(handover: Handover, work: () => T): T {
  return wanted.run(handover, work);
}

export class ModulePg extends PrismaPg {
  override async connect(): ReturnType<PrismaPg['connect']> {
    const adapter = await super.connect();
    const startTransaction = adapter.startTransaction.bind(adapter);
    adapter.startTransaction = async (isolationLevel) => {
      const transaction = await startTransaction(isolationLevel);
      const handover = wanted.getStore();
      if (!handover || handover.client) return transaction;
      handover.client = (transaction as unknown as { client: PoolClient }).client;
      // Both only give the connection back to the pool; Prisma has sent COMMIT or ROLLBACK before, also when
      // it gave up on a transaction that took too long. From here on the connection is somebody else's.
      for (const end of ['commit', 'rollback'] as const) {
        const release = transaction[end].bind(transaction);
        transaction[end] = () => {
          handover.client = undefined;
          return release();
        };
      }
      return transaction;
    };
    return adapter;
  }
}
