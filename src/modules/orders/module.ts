// Orders as a module: what implements its contract, what it listens to, its saga. All wiring is here.
import { defineModule, type Module } from '#banyan';
import { PrismaClient } from '../../../prisma/orders/client/client.ts';
import { catalog } from '../catalog/contract.ts';
import { notifications } from '../notifications/contract.ts';
import { payments } from '../payments/contract.ts';
import { users } from '../users/contract.ts';
import { cardsFor } from './cards.ts';
import { orders } from './contract.ts';
import { Fingerprints } from './fingerprint.ts';
import { listeners } from './listeners.ts';
import { OrderRepository } from './repository.ts';
import { SagaOperator } from './saga/operator.ts';
import { checkout } from './saga/orchestration.ts';
import { OrderService } from './service.ts';

export default function ordersModule(): Module {
  return defineModule({
    contract: orders,
    uses: [users, catalog, payments, notifications],
    prisma: PrismaClient,

    setup(kit) {
      const { container, store } = kit;
      const products = kit.ref(catalog);
      const participants = { catalog: products, payments: kit.ref(payments) };
      const coordinator = kit.saga(checkout({ ...participants, notifications: kit.ref(notifications) }));

      const fingerprints = new Fingerprints({ store, seal: kit.sealFor('orders'), unseal: kit.unseal });
      container.register(OrderRepository, { useFactory: () => new OrderRepository(store) });
      container.register(SagaOperator, { useFactory: () => new SagaOperator({ store, coordinator }) });
      container.register(OrderService, {
        useFactory: (own) => {
          const [repository, operator] = [own.resolve(OrderRepository), own.resolve(SagaOperator)];
          const others = { users: kit.ref(users), catalog: products, fingerprints, cards: cardsFor(kit) };
          return new OrderService({ store, repository, ...others, coordinator, operator });
        },
      });
      const service = container.resolve(OrderService);
      const operator = container.resolve(SagaOperator);

      return {
        operations: {
          place: (input, { user }) => service.place(user.id, input),
          list: (input, { user }) => service.list(user.id, input),
          show: ({ id }, { user }) => service.show(user.id, id),
          cancel: ({ id }, { user }) => service.cancel(user.id, id),
          timeline: ({ id }, { user }) => service.timeline(user.id, id),
          sagas: (filter) => operator.overview(filter),
          setSagaStyle: ({ style, changedBy }, call) => operator.setStyle(style, changedBy, call),
          showSaga: ({ orderId }) => operator.show(orderId),
          retrySaga: ({ orderId, changedBy }, call) => operator.retry(orderId, changedBy, call),
          cancelSaga: ({ orderId, changedBy }, call) => operator.cancel(orderId, changedBy, call),
        },
        listeners: listeners(coordinator),
        jobs: [{ name: 'key-fingerprints', everyMs: 86_400_000, run: () => fingerprints.keyOld() }],
      };
    },
  });
}
