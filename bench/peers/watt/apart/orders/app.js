// Orders as an application of its own, in a thread of its own: it asks the others over the mesh of the runtime.
import fastify, { LogController } from 'fastify';
import pg from 'pg';
import { findOrder, place } from '../../../work.ts';

const { DATABASE_URL } = process.env;
const db = DATABASE_URL ? new pg.Pool({ connectionString: DATABASE_URL, max: 5 }) : undefined;

async function ask(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.json();
}

export function create() {
  const app = fastify({
    loggerInstance: globalThis.platformatic?.logger,
    logController: new LogController({ disableRequestLogging: true }),
  });
  app.get('/:id', async ({ params }) => {
    const order = await findOrder(params.id, db);
    const ids = order.lines.map(({ productId }) => productId).join(',');
    const [user, products] = await Promise.all([
      ask(`http://users.plt.local/${order.userId}`),
      ask(`http://catalog.plt.local/?ids=${ids}`),
    ]);
    return place(order, user, products);
  });
  return app;
}
