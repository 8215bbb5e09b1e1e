// The three modules of the work as registration records. Whether what orders asks is near or far, they do not know.
import { defineModule, type Module } from '../../../src/banyan/host/module.ts';
import type { Store } from '../../../src/banyan/store/store.ts';
import { findOrder, findProducts, findUser, place, type Queries } from '../work.ts';
import { catalog, orders, users } from './contracts.ts';

/** @param stored the modules ask their stores; otherwise what they know is in memory. */
export function modules(stored: boolean): Module[] {
  return [
    defineModule({
      contract: users,
      setup: ({ store }) => {
        const db = stored ? queriesOf(store) : undefined;
        return { operations: { get: ({ id }) => findUser(id, db) } };
      },
    }),
    defineModule({
      contract: catalog,
      setup: ({ store }) => {
        const db = stored ? queriesOf(store) : undefined;
        return { operations: { list: async ({ ids }) => ({ items: await findProducts(ids, db) }) } };
      },
    }),
    defineModule({
      contract: orders,
      uses: [users, catalog],
      setup: (kit) => {
        const db = stored ? queriesOf(kit.store) : undefined;
        const customers = kit.ref(users);
        const products = kit.ref(catalog);
        const get = async ({ id }: { id: string }) => {
          const order = await findOrder(id, db);
          const [user, { items }] = await Promise.all([
            customers.get({ id: order.userId }),
            products.list({ ids: order.lines.map(({ productId }) => productId) }),
          ]);
          return place(order, user, items);
        };
        return { operations: { get } };
      },
    }),
  ];
}

/** A store names its statements itself. */
function queriesOf({ sql }: Pick<Store, 'sql'>): Queries {
  return { query: ({ text, values }) => sql.query(text, values) };
}
