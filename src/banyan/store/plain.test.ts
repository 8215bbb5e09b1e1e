// What makes transactions fast (BEGIN and COMMIT in company, events in one statement, single writes that share commits,
// Prisma without a transaction of its own) beside the plainest way to do the same: one connection, each statement
// awaited, each event by a statement of its own. The same work comes to the same rows and the same events.
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PrismaClient } from '../../../prisma/orders/client/client.ts';
import { closed, defineContract, event } from '../contract/contract.ts';
import { Type } from '../contract/type.ts';
import { createPublisher, eventArguments } from '../events/publisher.ts';
import { moduleEventTables } from '../events/tables.ts';
import { provision } from '../postgres/provision.ts';
import { roleUrl } from '../postgres/roles.ts';
import { silent, type ThrowawayServer, throwawayServer } from '../postgres/testing.ts';
import { createStore, type OpenStore } from './create.ts';
import type { Sql } from './store.ts';

const orders = defineContract('orders', {
  summary: 'For this test',
  operations: {},
  events: {
    placed: event({
      summary: 'Placed',
      version: 1,
      key: 'userId',
      data: closed({ userId: Type.String(), n: Type.Integer() }),
    }),
  },
});
const { placed } = orders.events;

let server: ThrowawayServer;

beforeAll(async () => {
  server = await throwawayServer();
}, 60_000);
afterAll(() => server.stop());

/** What both ways are given. */
interface Tx {
  readonly sql: Sql;
  order(id: string, userId: string, lines: readonly string[]): Promise<unknown>;
  tell(userId: string, n: number): Promise<unknown>;
}

interface Way {
  transaction(work: (tx: Tx) => Promise<void>): Promise<void>;
  single: Sql['query'];
  rows(): Promise<unknown>;
  close(): Promise<void>;
}

const insertOrder = `INSERT INTO orders (id, user_id, status, total_cents, currency, created_at)
  VALUES ($1, $2, 'placed', 5, 'EUR', '2026-01-01')`;
const insertLine = `INSERT INTO order_lines (order_id, position, product_id, name, quantity, unit_cents)
  VALUES ($1, $2, $3, 'fig', 1, 5)`;
const tables = {
  orders: 'SELECT id, user_id, status, total_cents, created_at FROM orders ORDER BY id',
  lines: 'SELECT order_id, position, product_id, unit_cents FROM order_lines ORDER BY order_id, position',
  barred: 'SELECT user_id FROM barred_users ORDER BY user_id',
  events: 'SELECT key, sequence, type, data, causation_id FROM event_outbox ORDER BY key, sequence',
};

async function database(): Promise<string> {
  const adminUrl = await server.database();
  const secret = 'a secret';
  await provision({
    adminUrl,
    secret,
    modules: ['orders'],
    prisma: new URL('../../../prisma/', import.meta.url),
    schemas: [],
    moduleDdl: moduleEventTables,
    log: silent,
  });
  return roleUrl(adminUrl, secret, 'banyan_orders');
}

async function fastWay(): Promise<Way> {
  const store: OpenStore<PrismaClient> = createStore({
    module: 'orders',
    url: await database(),
    prisma: (adapter) => new PrismaClient({ adapter: adapter as never }),
    publisher: createPublisher(orders),
    onCommit: () => {},
    strict: true,
    log: silent,
  });
  return {
    transaction: (work) =>
      store.transaction(({ sql, prisma, publish }) =>
        work({
          sql,
          order: (id, userId, lines) =>
            prisma.order.create({
              data: {
                ...{
                  id,
                  userId,
                  status: 'placed',
                  totalCents: 5n,
                  currency: 'EUR',
                  createdAt: new Date('2026-01-01'),
                },
                lines: {
                  create: lines.map((productId, index) => {
                    return { position: index + 1, productId, name: 'fig', quantity: 1, unitCents: 5n };
                  }),
                },
              },
            }),
          tell: (userId, n) => publish(placed, { userId, n }),
        }),
      ),
    single: store.sql.query,
    rows: () => rowsOf(store.sql),
    close: () => store.close(),
  };
}

async function plainWay(): Promise<Way> {
  const client = new pg.Client({ connectionString: await database() });
  await client.connect();
  const query = async (text: string, values?: readonly unknown[]) => {
    const { rows, rowCount } = await client.query(text, values as unknown[]);
    return { rows, rowCount: rowCount ?? 0 };
  };
  const sql = { query } as Sql;
  return {
    async transaction(work) {
      await client.query('BEGIN');
      try {
        await work({
          sql,
          async order(id, userId, lines) {
            await query(insertOrder, [id, userId]);
            for (const [index, productId] of lines.entries())
              await query(insertLine, [id, index + 1, productId]);
          },
          tell: (userId, n) =>
            query(
              'SELECT emit_event($1::uuid, $2, $3, $4, $5::json, $6, $7, $8)',
              eventArguments(placed, { userId, n }),
            ),
        });
        await client.query('COMMIT');
      } catch (error) {
        await client.query('ROLLBACK');
        throw error;
      }
    },
    single: sql.query,
    rows: () => rowsOf(sql),
    close: () => client.end(),
  };
}

async function rowsOf(sql: Sql) {
  const found = Object.entries(tables).map(
    async ([name, text]) => [name, (await sql.query(text)).rows] as const,
  );
  return Object.fromEntries(await Promise.all(found));
}

test('the fast ways come to the rows and events of the plain ones', async () => {
  const [fast, plain] = [await fastWay(), await plainWay()];
  const users = Array.from({ length: 7 }, () => uuidv7());
  const works = Array.from({ length: 60 }, (_, n) => {
    const id = uuidv7();
    const userId = users[n % users.length]!;
    const lines = Array.from({ length: n % 4 }, () => uuidv7());
    return async (way: Way) => {
      const bar = 'INSERT INTO barred_users (user_id, since) VALUES ($1, now()) ON CONFLICT DO NOTHING';
      if (n % 5 === 0) await way.single(bar, [uuidOf(n)]);
      const done = way.transaction(async (tx) => {
        await tx.order(id, userId, lines);
        for (let at = 0; at < n % 3; at += 1) await tx.tell(`${userId} ${n}`, at);
        if (n % 11 === 0) await tx.sql.query('UPDATE orders SET total_cents = 6 WHERE id = $1', [id]);
        if (n % 7 === 0) throw new Error('changed its mind');
        if (n % 13 === 0) await tx.sql.query('INSERT INTO barred_users VALUES (NULL, now())');
      });
      return done.then(
        () => 'done',
        (error: Error) => error.message,
      );
    };
  });
  const together = await Promise.all(works.map((work) => work(fast)));
  const oneByOne: string[] = [];
  for (const work of works) oneByOne.push(await work(plain));
  expect(together).toEqual(oneByOne);
  expect(new Set(together).size).toBe(3);
  expect(await fast.rows()).toEqual(await plain.rows());
  await Promise.all([fast.close(), plain.close()]);
});

test('of many at once with one key, the one that is first decides, and all events are in one order', async () => {
  const way = await fastWay();
  const ids = Array.from({ length: 20 }, () => uuidv7());
  const claim = `INSERT INTO idempotency_keys (user_id, key, fingerprint, order_id, answer, created_at)
    VALUES ($1, 'k', 'f', $2, '{}', now()) ON CONFLICT DO NOTHING`;
  const userId = uuidv7();
  const won: string[] = [];
  await Promise.all(
    ids.map((id) =>
      way.transaction(async (tx) => {
        if ((await tx.sql.query(claim, [userId, id])).rowCount === 0) return;
        await tx.order(id, userId, []);
        for (const n of [1, 2, 3]) await tx.tell(userId, n);
        won.push(id);
      }),
    ),
  );
  expect(won).toHaveLength(1);
  const { orders: kept, events } = (await way.rows()) as {
    orders: { id: string }[];
    events: { data: { n: number } }[];
  };
  expect(kept.map(({ id }) => id)).toEqual(won);
  expect(events.map(({ data }) => data.n)).toEqual([1, 2, 3]);
  await way.close();
});

/** The same on every run. */
function uuidOf(n: number): string {
  return `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
}
