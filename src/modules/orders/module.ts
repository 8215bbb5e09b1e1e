// Orders as a module: what implements its contract, what it listens to, its coordinator. All wiring is here.
import { PrismaClient } from '../../../prisma/orders/client/client.ts';
import type { Call } from '../../kernel/calls/call.ts';
import { Lane } from '../../kernel/lane.ts';
import { defineModule, type Module } from '../../kernel/module.ts';
import { Engine } from '../../kernel/saga/engine.ts';
import { catalog } from '../catalog/contract.ts';
import { notifications } from '../notifications/contract.ts';
import { payments } from '../payments/contract.ts';
import { users } from '../users/contract.ts';
import { orders } from './contract.ts';
import { listeners } from './listeners.ts';
import { OrderRepository } from './repository.ts';
import { SagaOperator } from './saga/operator.ts';
import { type Checkout, checkout } from './saga/orchestration.ts';
import { styleOf } from './saga/words.ts';
import { OrderService } from './service.ts';

/** Sagas that one host works on at a time; each waits for one answer. */
const sagasInFlight = 128;
const job = 'coordinate';

export default function ordersModule(): Module {
  return defineModule<typeof orders, PrismaClient>({
    contract: orders,
    uses: [users, catalog, payments, notifications],
    prisma: (adapter) => new PrismaClient({ adapter: adapter as never }),

    register(container, kit) {
      const { store, log } = kit;
      const wake = () => kit.wake(job);
      const lane = kit.lane(job, sagasInFlight);
      const saga = checkout({
        catalog: kit.ref(catalog),
        payments: kit.ref(payments),
        notifications: kit.ref(notifications),
      });
      const coordinator = new Engine<Checkout>({ saga, store, lane, log });
      const operator = new SagaOperator({ store, coordinator, wake });
      container.registerInstance(Lane, lane);
      container.registerInstance<unknown>(Engine, coordinator);
      container.registerInstance(SagaOperator, operator);
      container.register(OrderRepository, { useFactory: () => new OrderRepository(store) });
      container.register(OrderService, {
        useFactory: (own) =>
          new OrderService({
            store,
            repository: own.resolve(OrderRepository),
            users: kit.ref(users),
            catalog: kit.ref(catalog),
            coordinator,
            operator,
            wake,
          }),
      });
      const help = 'Sagas that are not over, by state; stuck: past their deadline';
      kit.gauge('banyan_sagas_open', help, ['style', 'step', 'state'], async () =>
        (await coordinator.count()).map(({ driven, step, state, count: value }) => {
          return { labels: { style: styleOf({ driven }), step, state }, value };
        }),
      );
    },

    operations(container) {
      const service = container.resolve(OrderService);
      const operator = container.resolve(SagaOperator);
      return {
        place: (input, call) => service.place(customer(call), input),
        list: (input, call) => service.list(customer(call), input),
        show: ({ id }, call) => service.show(customer(call), id),
        cancel: ({ id }, call) => service.cancel(customer(call), id),
        timeline: ({ id }, call) => service.timeline(customer(call), id),
        sagas: () => operator.overview(),
        setSagaStyle: ({ style, changedBy }) => operator.setStyle(style, changedBy),
        showSaga: ({ orderId }) => operator.show(orderId),
        retrySaga: ({ orderId }) => operator.retry(orderId),
        cancelSaga: ({ orderId }) => operator.cancel(orderId),
      };
    },

    listeners: (container) => listeners(container.resolve<Engine<Checkout>>(Engine)),

    jobs: (container) => [container.resolve<Engine<Checkout>>(Engine).job(job)],

    close: (container) => container.resolve(Lane).close(),
  });
}

/** Operations for sessions come here; the dispatcher lets nobody else through. */
function customer({ principal }: Call): string {
  if (principal.kind !== 'user') throw new Error(`orders was reached by ${principal.kind}, not by a user`);
  return principal.id;
}
