// The only monolith of a shop is killed while it holds a store, in the pause of its move: nobody is there who lets the store go
// but the monolith that is started after it. It comes up, ends the move by itself, and the module serves again. Of modules that
// look after rows of their own at every start, too.
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { query, type ThrowawayServer, throwawayServer } from '../src/banyan/postgres/testing.ts';
import type { Store } from '../src/banyan/servers/desk/contract.ts';
import { clientOf, type Shop } from './shop.ts';
import { startShop } from './start-shop.ts';
import { meet } from './store/boundary.ts';

let shop: Shop;
let server: ThrowawayServer;

beforeAll(async () => {
  server = await throwawayServer();
  shop = clientOf(await startShop({ env: { STORE_OTHER_URL: await server.database() } }));
}, 120_000);
afterAll(async () => {
  await shop?.started.stop();
  await server?.stop();
}, 60_000);

const admin = (module: string, method: string, body?: object, then = '') =>
  shop.call(method, `/admin/stores/${module}${then}`, { token: shop.adminToken, ...(body && { body }) });

/** As it is once nothing is being done to it any more. */
async function ended(module: string): Promise<Store> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const store: Store = (await admin(module, 'GET')).body;
    if (store.move?.endedAt) return store;
    if (Date.now() > deadline) throw new Error(`nothing came to an end: ${JSON.stringify(store)}`);
    await pause(100);
  }
}

test.each(['users', 'catalog', 'orders'])(
  'a start ends the move of %s that holds its store',
  async (module) => {
    const { databaseUrl: url, host } = shop.started;
    const shared = {
      url,
      pid: undefined,
      query: <R extends pg.QueryResultRow>(text: string, values?: unknown[]) => query<R>(url, text, values),
    };
    // It is held, and its commit point waits.
    const { met, callOff } = await meet(shared, { step: 'moved', moment: 'before' });
    try {
      expect((await admin(module, 'PUT', { server: 'other' })).status).toBe(202);
      await met;
      await host.kill();
      // A client that is gone commits no more; its session would wait as long as the boundary stands.
      await query(
        url,
        `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND mode = 'ShareLock'`,
      );
      const held = await query(url, 'SELECT gate FROM banyan_control.store WHERE module = $1', [module]);
      expect(held).toEqual([{ gate: 'held' }]);
    } finally {
      await callOff();
    }

    await shop.started.restart();
    shop = clientOf(shop.started);
    const { server: at, pairedWith } = await ended(module);
    expect(['shared', 'other']).toContain(at);
    const customer = await shop.customer();
    const product = await shop.product();
    const { id } = await shop.order(customer, [{ productId: product.id, quantity: 1 }]);
    expect(await shop.final(customer, id)).toMatchObject({ status: 'confirmed' });
    // Its slot would keep the database of this shop.
    if (pairedWith === null) return;
    expect((await admin(module, 'POST', undefined, '/finish')).status).toBe(202);
    expect(await ended(module)).toMatchObject({ server: at, pairedWith: null });
  },
);
