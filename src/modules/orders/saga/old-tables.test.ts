// A database from before the engine owned the tables of sagas, when a migration of orders made them: it is taken over
// as it stands, with its open sagas, and they go on. The same SQL is run over it at every start.
import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createPublisher } from '../../../banyan/events/publisher.ts';
import { moduleEventTables } from '../../../banyan/events/tables.ts';
import { createJobTask } from '../../../banyan/jobs/loop.ts';
import { WorkerPool } from '../../../banyan/jobs/worker-pool.ts';
import { limitTables } from '../../../banyan/limits/tables.ts';
import { provision } from '../../../banyan/postgres/provision.ts';
import { roleUrl, runtimeRole } from '../../../banyan/postgres/roles.ts';
import { query, silent, type ThrowawayServer, throwawayServer } from '../../../banyan/postgres/testing.ts';
import { Engine } from '../../../banyan/saga/engine.ts';
import { sagaTables } from '../../../banyan/saga/tables.ts';
import { createStore } from '../../../banyan/store/create.ts';
import { orders } from '../contract.ts';
import { type Checkout, checkout, type Participants } from './orchestration.ts';

const prisma = new URL('../../../../prisma/', import.meta.url);

const secret = 'a secret of this test';
let server: ThrowawayServer;
let adminUrl: string;

beforeAll(async () => {
  server = await throwawayServer();
  adminUrl = await server.database();
});
afterAll(() => server.stop());

const before = () => `${moduleEventTables()}\n${limitTables()}`;
const now = () => `${before()}\n${sagaTables()}`;
const start = (moduleDdl: () => string) =>
  provision({ adminUrl, secret, modules: ['orders'], prisma, schemas: [], moduleDdl, log: silent });

const driven = v7();
const watched = v7();
const customer = v7();

/** As the code before this wrote them: two orders whose stock is reserved and whose money is not there yet. */
async function ordersOfBefore(): Promise<void> {
  const data = {
    orderId: driven,
    userId: customer,
    lines: [],
    totalCents: 500,
    currency: 'EUR',
    paymentToken: 'tok_ok',
  };
  await query(
    adminUrl,
    `INSERT INTO orders.orders (id, user_id, status, total_cents, currency, created_at, saga, payment_token)
     VALUES ($1, $3, 'placed', 500, 'EUR', now(), 'orchestration', 'tok_ok'),
       ($2, $3, 'placed', 500, 'EUR', now(), 'choreography', 'tok_ok')`,
    [driven, watched, customer],
  );
  await query(
    adminUrl,
    `INSERT INTO orders.sagas (id, path, step, data, attempts, awaits, version, due_at, deadline_at, updated_at)
     VALUES ($1, 'forward', 'capture-payment', $2, 1, true, 4, now(), now() + interval '1 hour', now())`,
    [driven, JSON.stringify(data)],
  );
  await query(
    adminUrl,
    `INSERT INTO orders.saga_steps (saga_id, id, step, status, instance, attempts, at)
     SELECT id, gen_random_uuid(), step, 'done', 'monolith', 1, now()
     FROM unnest($1::uuid[]) AS id, unnest('{place-order,reserve-stock}'::text[]) AS step`,
    [[driven, watched]],
  );
  await query(adminUrl, `UPDATE orders.saga_style SET style = 'orchestration', changed_by = 'somebody'`);
}

const rows = async () => ({
  sagas: await query(adminUrl, 'SELECT * FROM orders.sagas'),
  steps: await query(adminUrl, 'SELECT * FROM orders.saga_steps ORDER BY saga_id, id'),
  style: await query(adminUrl, 'SELECT * FROM orders.saga_style'),
});

test('keeps every row, and an open saga goes on to its end', async () => {
  await start(before);
  await ordersOfBefore();
  const kept = await rows();
  expect(kept.sagas).toHaveLength(1);
  expect(kept.steps).toHaveLength(4);
  // The code before may start once more in between.
  for (const ddl of [now, before, now]) await start(ddl);
  expect(await rows()).toEqual(kept);
  // Where a pair of servers stands, both are made ready by the same SQL: it adds no row that they could differ in.
  expect(await query(adminUrl, 'SELECT FROM orders.saga_act')).toEqual([]);

  const store = createStore({
    module: 'orders',
    url: roleUrl(adminUrl, secret, runtimeRole('orders')),
    prisma: () => undefined,
    publisher: createPublisher(orders),
    onCommit: () => {},
    strict: true,
    log: silent,
  });
  const at = { where: 'elsewhere' };
  const others = {
    catalog: { sell: async () => at },
    payments: { charge: async () => ({ ...at, state: 'captured' }) },
    notifications: { tellOfOrder: async () => at },
  };
  const workers = new WorkerPool({
    name: 'orders/coordinate',
    limit: 8,
    wake: () => task.wake(),
    log: silent,
  });
  const saga = checkout(others as unknown as Participants);
  const engine = new Engine<Checkout>({ saga, store, workers, log: silent });
  const task = createJobTask(engine.job('coordinate'), silent);
  try {
    expect(await engine.style()).toMatchObject({ style: 'orchestration', changedBy: 'somebody' });
    expect(await engine.open(driven)).toMatchObject({
      driven: true,
      step: 'capture-payment',
      by: 'payments',
    });
    expect(await engine.open(watched)).toMatchObject({
      driven: false,
      step: 'capture-payment',
      by: 'payments',
    });
    task.start();
    await vi.waitFor(async () => expect(await engine.open(driven)).toBeUndefined(), 10_000);
    const words = (await engine.timeline(driven)).map(({ step }) => step);
    expect(words.slice(0, 2).sort()).toEqual(['place-order', 'reserve-stock']);
    expect(words.slice(2)).toEqual(['capture-payment', 'confirm-order', 'sell-stock', 'mail-customer']);
    const rows = 'SELECT id, status FROM orders.orders ORDER BY status';
    expect(await query(adminUrl, rows)).toEqual([
      { id: driven, status: 'confirmed' },
      { id: watched, status: 'placed' },
    ]);
  } finally {
    await task.stop();
    await workers.close();
    await store.close();
  }
});
