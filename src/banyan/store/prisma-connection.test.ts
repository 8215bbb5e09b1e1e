// `tx.prisma` in the hands of work that errs, and of many at once: what it did is part of its transaction, or nothing.
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { PrismaClient } from '../../../prisma/orders/client/client.ts';
import { withFlow } from '../context/call.ts';
import { newTraceparent } from '../context/trace.ts';
import { toProblem } from '../http/problems.ts';
import { provision } from '../postgres/provision.ts';
import { roleUrl } from '../postgres/roles.ts';
import { silent, type ThrowawayServer, throwawayServer } from '../postgres/testing.ts';
import { createStore, type OpenStore } from './create.ts';

let server: ThrowawayServer;
let store: OpenStore<PrismaClient>;

beforeAll(async () => {
  server = await throwawayServer();
  const secret = 'a secret';
  await provision({
    adminUrl: server.url,
    secret,
    modules: ['orders'],
    prisma: new URL('../../../prisma/', import.meta.url),
    schemas: [],
    moduleDdl: () => '',
    log: silent,
  });
  store = createStore({
    module: 'orders',
    url: roleUrl(server.url, secret, 'banyan_orders'),
    prisma: (adapter) => new PrismaClient({ adapter: adapter as never }),
    publisher: { check: () => ({ id: '', row: undefined }), write: () => [] },
    onCommit: () => {},
    strict: true,
    log: silent,
  });
}, 60_000);
afterAll(async () => {
  await store.close();
  await server.stop();
});
beforeEach(() => store.pool.query('DELETE FROM barred_users'));

const barred = (userId = uuidv7()) => ({ userId, since: new Date('2026-01-01') });
const count = () => store.prisma.barredUser.count();

test('a unique violation that the work catches fails the transaction, and says why', async () => {
  const twice = barred();
  const failing = store.transaction(async ({ prisma }) => {
    await prisma.barredUser.create({ data: twice });
    await prisma.barredUser.create({ data: twice }).catch(() => {});
    return 'done';
  });
  await expect(failing).rejects.toThrow(/duplicate key/);
  expect(await count()).toBe(0);
});

test('a conflict that the statement itself allows fails nothing', async () => {
  const twice = barred();
  const { count: made } = await store.transaction(async ({ prisma }) => {
    await prisma.barredUser.create({ data: twice });
    return prisma.barredUser.createMany({ data: [twice, barred()], skipDuplicates: true });
  });
  expect(made).toBe(1);
  expect(await count()).toBe(2);
});

test('several at once, raw ones and SQL are of one transaction', async () => {
  const failing = store.transaction(async ({ prisma, sql }) => {
    const all = Promise.all([
      prisma.barredUser.create({ data: barred() }),
      prisma.barredUser.createMany({ data: [barred(), barred()] }),
      prisma.$executeRaw`INSERT INTO barred_users (user_id, since) VALUES (${uuidv7()}::uuid, now())`,
      sql.query('INSERT INTO barred_users (user_id, since) VALUES ($1, now())', [uuidv7()]),
    ]);
    await all;
    expect(await prisma.barredUser.count()).toBe(5);
    throw new Error('changed its mind');
  });
  await expect(failing).rejects.toThrow('changed its mind');
  expect(await count()).toBe(0);
});

test('a transaction of Prisma’s inside is part of ours: what it took back is not kept', async () => {
  const whole = (prisma: unknown) => prisma as PrismaClient;
  const failing = store.transaction(async ({ prisma }) => {
    await prisma.barredUser.create({ data: barred() });
    await whole(prisma)
      .$transaction(async (inner) => {
        await inner.barredUser.create({ data: barred() });
        throw new Error('the inner one changed its mind');
      })
      .catch(() => {});
  });
  await expect(failing).rejects.toThrow('Prisma took back a part');
  expect(await count()).toBe(0);
  await store.transaction(async ({ prisma }) => {
    await whole(prisma).$transaction([
      prisma.barredUser.create({ data: barred() }),
      prisma.barredUser.create({ data: barred() }),
    ]);
    await whole(prisma).$transaction((inner) => inner.barredUser.create({ data: barred() }));
  });
  expect(await count()).toBe(3);
});

test('a nested write that Prisma gives up half done is not kept half', async () => {
  const id = uuidv7();
  const lines = [1].map((position) => ({
    position,
    productId: uuidv7(),
    name: 'fig',
    quantity: 1,
    unitCents: 1n,
  }));
  const order = {
    id,
    userId: uuidv7(),
    status: 'placed',
    totalCents: 1n,
    currency: 'EUR',
    createdAt: new Date(),
  };
  await store.transaction(({ prisma }) =>
    prisma.order.create({ data: { ...order, lines: { create: lines } } }),
  );
  const missing = { where: { orderId_position: { orderId: id, position: 7 } }, data: { name: 'pear' } };
  let heard: unknown;
  const failing = store.transaction(async ({ prisma }) => {
    await prisma.order
      .update({ where: { id }, data: { status: 'confirmed', lines: { update: missing } } })
      .catch((error: unknown) => {
        heard = error;
      });
  });
  await expect(failing).rejects.toThrow('Prisma took back a part');
  expect(heard).toMatchObject({ code: 'P2025' });
  expect(await store.prisma.order.findUnique({ where: { id } })).toMatchObject({ status: 'placed' });
});

test('twenty at once with five connections: each is its own, and half of them fail', async () => {
  const done = await Promise.allSettled(
    Array.from({ length: 20 }, (_, n) =>
      store.transaction(async ({ prisma, sql }) => {
        await sql.query(`SELECT set_config('banyan.mark', $1, true)`, [String(n)]);
        const { userId } = await prisma.barredUser.create({ data: barred() });
        const [row] = await prisma.$queryRaw<
          { mark: string }[]
        >`SELECT current_setting('banyan.mark') AS mark`;
        expect(row!.mark).toBe(String(n));
        if (n % 2 === 1) throw new Error('changed its mind');
        return userId;
      }),
    ),
  );
  const kept = done.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(kept).toHaveLength(10);
  const rows = await store.prisma.barredUser.findMany({ select: { userId: true } });
  expect(rows.map(({ userId }) => userId).toSorted()).toEqual(kept.toSorted());
});

test('while the store is held, what cannot wait is refused in one way, whatever it writes by', async () => {
  await store.pool.hold();
  const soon = () => ({ deadline: Date.now() + 30, traceparent: newTraceparent() });
  const ways: (() => Promise<unknown>)[] = [
    count,
    () => store.prisma.$transaction([store.prisma.barredUser.create({ data: barred() })]),
    () => store.sql.query('DELETE FROM barred_users'),
    () => store.sql.query('SELECT FROM barred_users'),
    () => store.asyncCommit.query('DELETE FROM barred_users'),
    () => store.transaction(({ sql }) => sql.query('SELECT FROM barred_users')),
    () => store.transaction(({ prisma }) => prisma.barredUser.count()),
  ];
  try {
    for (const way of ways) {
      const refused = toProblem(await withFlow(soon(), async () => way()).catch((error: unknown) => error));
      expect(refused).toMatchObject({ status: 503, code: 'unavailable', retryAfter: 2 });
    }
  } finally {
    store.pool.release();
  }
  expect(await count()).toBe(0);
});
