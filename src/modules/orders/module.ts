// Orders as a module: what implements its contract, what it listens to. All wiring is here.
import { PrismaClient } from '../../../prisma/orders/client/client.ts';
import type { Call } from '../../kernel/calls/call.ts';
import { defineModule, type Module } from '../../kernel/module.ts';
import { catalog } from '../catalog/contract.ts';
import { users } from '../users/contract.ts';
import { orders } from './contract.ts';
import { listeners } from './listeners.ts';
import { OrderRepository } from './repository.ts';
import { OrderService } from './service.ts';

export default function ordersModule(): Module {
  return defineModule<typeof orders, PrismaClient>({
    contract: orders,
    uses: [users, catalog],
    prisma: (adapter) => new PrismaClient({ adapter: adapter as never }),

    register(container, kit) {
      container.register(OrderRepository, { useFactory: () => new OrderRepository(kit.store) });
      container.register(OrderService, {
        useFactory: (own) =>
          new OrderService({
            store: kit.store,
            repository: own.resolve(OrderRepository),
            users: kit.ref(users),
            catalog: kit.ref(catalog),
          }),
      });
    },

    operations(container) {
      const service = container.resolve(OrderService);
      return {
        place: (input, call) => service.place(customer(call), input),
        list: (input, call) => service.list(customer(call), input),
        show: ({ id }, call) => service.show(customer(call), id),
        cancel: ({ id }, call) => service.cancel(customer(call), id),
      };
    },

    listeners: () => listeners,
  });
}

/** Every operation here is for sessions; the dispatcher lets nobody else through. */
function customer({ principal }: Call): string {
  if (principal.kind !== 'user') throw new Error(`orders was reached by ${principal.kind}, not by a user`);
  return principal.id;
}
