// The work on Platformatic as one application: a Fastify server that its application server runs, the three modules
// as plugins of it.
import fastify, { LogController } from 'fastify';
import pg from 'pg';
import { findOrder, findProducts, findUser, place } from '../../work.ts';

const pool = () =>
  process.env.DATABASE_URL ? new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 5 }) : undefined;

const named = (plugin) => Object.assign(plugin, { [Symbol.for('skip-override')]: true });

const users = named(async (app) => {
  const db = pool();
  app.decorate('users', { get: (id) => findUser(id, db) });
});

const catalog = named(async (app) => {
  const db = pool();
  app.decorate('catalog', { list: (ids) => findProducts(ids, db) });
});

const orders = named(async (app) => {
  const db = pool();
  app.get('/api/orders/:id', async ({ params }) => {
    const order = await findOrder(params.id, db);
    const [user, products] = await Promise.all([
      app.users.get(order.userId),
      app.catalog.list(order.lines.map(({ productId }) => productId)),
    ]);
    return place(order, user, products);
  });
});

export async function create() {
  const app = fastify({
    loggerInstance: globalThis.platformatic?.logger,
    logController: new LogController({ disableRequestLogging: true }),
  });
  await app.register(users);
  await app.register(catalog);
  await app.register(orders);
  return app;
}
