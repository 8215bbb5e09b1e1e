// Payments as a module: what implements its contract, what it listens to, the job that charges.
// The sandbox card network lives here too, in its own schema; another network is another line below.
import { instanceCachingFactory } from 'tsyringe';
import { defineModule, type Module, pageOf } from '#banyan';
import { PrismaClient } from '../../../prisma/payments/client/client.ts';
import { withTimeLimit } from './card-network.ts';
import { chargeJob, networkFailures, paymentOutcomes } from './charging.ts';
import { commands } from './commands.ts';
import { payments } from './contract.ts';
import { forgetTokens } from './lifecycle.ts';
import { listeners } from './listeners.ts';
import { PaymentRepository } from './repository.ts';
import { Ledger } from './sandbox/ledger.ts';
import { sandboxNetwork } from './sandbox/network.ts';
import { cardNetworkSchema } from './sandbox/schema.ts';

const ASK_LIMIT_MS = 2_000;

export default function paymentsModule(): Module {
  return defineModule({
    contract: payments,
    schemas: [cardNetworkSchema],
    prisma: PrismaClient,

    setup(kit) {
      const { container, store, log, unseal, security, hostId: where } = kit;
      const wake = () => kit.wake('charge');
      const ended = kit.counter('payments_ended_total', 'Payments that came to an end at the card network', {
        outcome: paymentOutcomes,
      });
      const asks = 'Asks of the card network that came to no answer';
      const troubled = kit.counter('payments_network_failures_total', asks, { kind: networkFailures });
      const books = kit.outside(cardNetworkSchema, 3);
      container.register(PaymentRepository, { useFactory: () => new PaymentRepository(store) });
      container.register(Ledger, { useFactory: instanceCachingFactory(() => new Ledger(books)) });
      const repository = container.resolve(PaymentRepository);
      const ledger = container.resolve(Ledger);
      const network = withTimeLimit(sandboxNetwork(ledger), ASK_LIMIT_MS);

      return {
        operations: {
          list: ({ orderId, ...query }, { user }) =>
            pageOf(payments, query, (after, most) => repository.newest(user.id, orderId, after, most)),
          sandboxCharges: ({ orderId, limit = 100, cursor }) =>
            pageOf(payments, { limit, cursor }, (after, most) => ledger.newest(orderId, after, most)),
          ...commands({ store, where, wake }),
        },
        listeners: listeners(wake),
        jobs: [
          kit.leasedJob(chargeJob({ store, network, unseal, security, ended, troubled, log })),
          { name: 'forget-tokens', everyMs: 3_600_000, run: () => forgetTokens(store.sql).then(() => false) },
        ],
      };
    },
  });
}
