// Payments as a module: what implements its contract, what it listens to, the job that charges.
// The sandbox card network lives here too, in its own schema; another network is another line below.
import type { Pool } from 'pg';
import { validate } from 'uuid';
import { PrismaClient } from '../../../prisma/payments/client/client.ts';
import { problem } from '../../kernel/contract/problem.ts';
import { defineModule, type Module } from '../../kernel/module.ts';
import { createPool } from '../../kernel/store/create.ts';
import { withTimeLimit } from './card-network.ts';
import { chargeJob } from './charging.ts';
import { commands } from './commands.ts';
import { payments } from './contract.ts';
import { listeners } from './listeners.ts';
import { PaymentRepository } from './repository.ts';
import { Ledger } from './sandbox/ledger.ts';
import { sandboxNetwork } from './sandbox/network.ts';
import { cardNetworkSchema } from './sandbox/schema.ts';

const askLimitMs = 2_000;

const networkPool = Symbol('the pool of the sandbox network');

export default function paymentsModule(): Module {
  return defineModule<typeof payments, PrismaClient>({
    contract: payments,
    schemas: [cardNetworkSchema],
    prisma: (adapter) => new PrismaClient({ adapter: adapter as never }),

    register(container, kit) {
      const { schema } = cardNetworkSchema;
      const pool = createPool(kit.schemaUrl(schema), schema, kit.log, 3);
      container.registerInstance(networkPool, pool);
      container.registerInstance(Ledger, new Ledger(pool));
      container.register(PaymentRepository, { useFactory: () => new PaymentRepository(kit.store) });
    },

    operations(container, kit) {
      const repository = container.resolve(PaymentRepository);
      const ledger = container.resolve(Ledger);
      return {
        list: async ({ orderId, cursor, limit = 20 }, { principal }) => {
          if (principal.kind !== 'user') throw new Error(`payments was reached by ${principal.kind}`);
          return pageOf(await repository.newest(principal.id, orderId, idOf(cursor), limit + 1), limit);
        },
        sandboxCharges: async ({ orderId, cursor, limit = 100 }) =>
          pageOf(await ledger.newest(orderId, idOf(cursor), limit + 1), limit),
        ...commands({ store: kit.store, where: kit.hostId, wake: () => kit.wake('charge') }),
      };
    },

    listeners: (_container, kit) => listeners(() => kit.wake('charge')),

    jobs: (container, kit) => [
      kit.leasedJob(
        chargeJob({
          store: kit.store,
          network: withTimeLimit(sandboxNetwork(container.resolve(Ledger)), askLimitMs),
          log: kit.log,
        }),
      ),
    ],

    close: (container) => container.resolve<Pool>(networkPool).end(),
  });
}

/** A cursor is the last id of the page before: both lists are ordered by it. */
function idOf(cursor: string | undefined): string | undefined {
  if (cursor === undefined || validate(cursor)) return cursor;
  throw problem(payments, 'bad-cursor', {
    errors: [{ path: '/cursor', message: 'is not a nextCursor of this list' }],
  });
}

/** One row more than the page tells whether there is another page. */
function pageOf<T extends { id: string }>(found: T[], limit: number) {
  const items = found.slice(0, limit);
  return { items, nextCursor: found.length > limit ? items.at(-1)!.id : null };
}
