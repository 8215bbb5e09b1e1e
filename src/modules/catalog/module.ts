// Catalog as a module: what implements its contract, what it listens to, its seeds. All wiring is here.
import { defineModule, type Module } from '#banyan';
import { PrismaClient } from '../../../prisma/catalog/client/client.ts';
import { catalog } from './contract.ts';
import { listeners } from './listeners.ts';
import { ProductRepository } from './repository.ts';
import { release, reserve, sell, type WantedOrder } from './reservations.ts';
import { seedProducts } from './seeds/seed.ts';
import { ProductService } from './service.ts';

export default function catalogModule(): Module {
  return defineModule({
    contract: catalog,
    prisma: PrismaClient,

    setup({ container, store, hostId: where }) {
      container.register(ProductRepository, { useFactory: () => new ProductRepository(store) });
      container.register(ProductService, {
        useFactory: (own) => new ProductService(store, own.resolve(ProductRepository)),
      });
      const service = container.resolve(ProductService);

      return {
        operations: {
          listProducts: (query) => service.list(query),
          getProduct: ({ id }) => service.get(id),
          createProduct: (product) => service.create(product),
          changeProduct: ({ id, ...fields }) => service.change(id, fields),
          priceProducts: ({ ids }) => service.price(ids),
          async reserve(order) {
            const { state } = await store.transaction((tx) => reserve(tx, order as WantedOrder));
            return { state, where };
          },
          async release({ orderId }) {
            await store.transaction((tx) => release(tx, orderId));
            return { where };
          },
          async sell({ orderId }) {
            await sell(store.sql, orderId);
            return { where };
          },
        },
        listeners,
        seed: () => seedProducts(store.sql),
      };
    },
  });
}
