// A request's whole work, tried: it sees what it would have done, whatever way it writes, and nothing of it is left.
import { setTimeout as pause } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PrismaClient } from '../../../prisma/orders/client/client.ts';
import { createDispatcher, type Dispatcher } from '../calls/dispatcher.ts';
import { createRef } from '../calls/ref.ts';
import { closed, defineContract, event, nothing, operation } from '../contract/contract.ts';
import { Type } from '../contract/type.ts';
import { createPublisher } from '../events/publisher.ts';
import { moduleEventTables } from '../events/tables.ts';
import { provision } from '../postgres/provision.ts';
import { roleUrl } from '../postgres/roles.ts';
import { query, silent, type ThrowawayServer, throwawayServer } from '../postgres/testing.ts';
import { createStore, type OpenStore } from './create.ts';
import { runRolledBack, type Tried } from './rolled-back.ts';

const contract = defineContract('orders', {
  summary: 'For this test',
  operations: {},
  events: {
    written: event({ summary: 'Written', version: 1, key: 'id', data: closed({ id: Type.String() }) }),
  },
});
const { written } = contract.events;

let server: ThrowawayServer;
let store: OpenStore<PrismaClient>;
let commits = 0;

beforeAll(async () => {
  server = await throwawayServer();
  const secret = 'a secret';
  await provision({
    adminUrl: server.url,
    secret,
    modules: ['orders'],
    prisma: new URL('../../../prisma/', import.meta.url),
    schemas: [],
    moduleDdl: moduleEventTables,
    log: silent,
  });
  store = createStore({
    module: 'orders',
    url: roleUrl(server.url, secret, 'banyan_orders'),
    prisma: (adapter) => new PrismaClient({ adapter: adapter as never }),
    publisher: createPublisher(contract),
    onCommit: () => {
      commits += 1;
    },
    strict: true,
    log: silent,
  });
}, 60_000);
afterAll(async () => {
  await store?.close();
  await server?.stop();
});
beforeEach(async () => {
  await store.pool.query('DELETE FROM barred_users');
  commits = 0;
});

/** Enough on a machine that is busy with other suites. */
const patient = { budgetMs: 10_000 };

const bar = 'INSERT INTO barred_users (user_id, since) VALUES ($1, now())';
const count = () => store.prisma.barredUser.count();
const there = async () =>
  (await query(server.url, 'SELECT count(*)::int AS n FROM orders.barred_users'))[0]!.n;
const published = async () =>
  (await query(server.url, 'SELECT count(*)::int AS n FROM orders.event_outbox'))[0]!.n;
const answerOf = <T>({ outcome }: Tried<T>): T => {
  if ('error' in outcome) throw outcome.error;
  return outcome.answer;
};

const ways: readonly (readonly [string, (id: string) => Promise<unknown>])[] = [
  ['SQL by itself', (id) => store.sql.query(bar, [id])],
  ['a commit that is not waited for', (id) => store.asyncCommit.query(bar, [id])],
  ['the pool itself', (id) => store.pool.query(bar, [id])],
  ['Prisma', (userId) => store.prisma.barredUser.create({ data: { userId, since: new Date() } })],
  [
    'a transaction of Prisma, and one within it',
    (userId) =>
      store.prisma.$transaction(async (tx) => {
        await tx.barredUser.create({ data: { userId, since: new Date() } });
        expect(await tx.barredUser.count()).toBe(1);
      }),
  ],
  [
    'a list of Prisma’s, at an isolation of its own',
    (userId) =>
      store.prisma.$transaction([store.prisma.barredUser.create({ data: { userId, since: new Date() } })], {
        isolationLevel: 'Serializable',
      }),
  ],
  [
    'a transaction',
    (id) =>
      store.transaction(async (tx) => {
        await tx.sql.query(bar, [id]);
        expect(await tx.prisma.barredUser.count()).toBe(1);
        await tx.publish(written, { id });
        tx.afterCommit(() => {
          commits += 100;
        });
      }),
  ],
];

test.each(ways)('written by %s, it is seen by the work and by nobody else', async (_, write) => {
  for (let n = 0; n < 5; n += 1) {
    const tried = await runRolledBack(async () => {
      await write(uuidv7());
      return [await count(), (await store.sql.query('SELECT FROM barred_users')).rowCount, await there()];
    }, patient);
    expect(answerOf(tried)).toEqual([1, 1, 0]);
    expect(tried.disturbed).toBeUndefined();
  }
  expect([await there(), await published(), commits]).toEqual([0, 0, 0]);
  // The real thing, after all that.
  await write(uuidv7());
  expect(await there()).toBe(1);
  await query(server.url, 'DELETE FROM orders.event_outbox');
});

test('nested writes of Prisma are taken back alone where they fail', async () => {
  const order = (id: string, positions: number[]) => ({
    id,
    userId: uuidv7(),
    status: 'placed',
    totalCents: 1n,
    currency: 'EUR',
    createdAt: new Date(),
    lines: {
      create: positions.map((position) => ({
        position,
        productId: uuidv7(),
        name: 'fig',
        quantity: 1,
        unitCents: 1n,
      })),
    },
  });
  const tried = await runRolledBack(async () => {
    await store.prisma.order.create({ data: order(uuidv7(), [1, 2]) });
    await expect(store.prisma.order.create({ data: order(uuidv7(), [1, 1]) })).rejects.toThrow('Unique');
    return [await store.prisma.order.count(), await store.prisma.orderLine.count()];
  }, patient);
  expect(answerOf(tried)).toEqual([1, 2]);
  expect(await store.prisma.order.count()).toBe(0);
});

describe('what fails', () => {
  test('by itself, or in a transaction, takes back nothing but itself', async () => {
    const id = uuidv7();
    const tried = await runRolledBack(async () => {
      await store.sql.query(bar, [id]);
      await expect(store.sql.query(bar, [id])).rejects.toThrow('duplicate key');
      await expect(
        store.prisma.barredUser.create({ data: { userId: id, since: new Date() } }),
      ).rejects.toThrow();
      const failing = store.transaction(async (tx) => {
        await tx.sql.query(bar, [uuidv7()]);
        await tx.publish(written, { id: 'never' });
        await tx.sql.query(bar, [id]);
      });
      // Beside it, and not aborted by it.
      const [failed, beside] = await Promise.allSettled([
        failing,
        store.sql.query('SELECT FROM barred_users'),
      ]);
      expect(failed).toMatchObject({ status: 'rejected', reason: { message: /duplicate key/ } });
      expect(beside.status).toBe('fulfilled');
      await store.transaction((tx) => tx.publish(written, { id: 'published' }));
      return count();
    }, patient);
    expect(answerOf(tried)).toBe(1);
    expect(tried.events.map(({ key }) => key)).toEqual(['published']);
  });

  test('after an error that was caught nothing of the transaction is kept, and it says so', async () => {
    const id = uuidv7();
    const tried = await runRolledBack(async () => {
      await store.sql.query(bar, [id]);
      const kept = store.transaction(async (tx) => {
        await tx.sql.query(bar, [uuidv7()]);
        await tx.sql.query(bar, [id]).catch(() => {});
      });
      await expect(kept).rejects.toThrow('duplicate key');
      return count();
    }, patient);
    expect(answerOf(tried)).toBe(1);
  });

  test('a savepoint of its own is a way out of an error', async () => {
    const id = uuidv7();
    const tried = await runRolledBack(async () => {
      await store.sql.query(bar, [id]);
      const client = await store.pool.connect();
      await client.query('BEGIN');
      await client.query('SAVEPOINT mine');
      await expect(client.query(bar, [id])).rejects.toThrow('duplicate key');
      await client.query('ROLLBACK TO SAVEPOINT mine');
      await client.query(bar, [uuidv7()]);
      const { command } = await client.query('COMMIT');
      client.release();
      return [command, await count()];
    }, patient);
    expect(answerOf(tried)).toEqual(['COMMIT', 2]);
  });

  test('the work itself: its error is the outcome', async () => {
    const { outcome, events } = await runRolledBack(async () => {
      await store.transaction((tx) => tx.publish(written, { id: 'one' }));
      throw new Error('changed its mind');
    });
    expect(outcome).toMatchObject({ error: { message: 'changed its mind' } });
    expect(events).toMatchObject([{ key: 'one' }]);
  });
});

test('transactions at once are one after the other on the one connection', async () => {
  const tried = await runRolledBack(async () => {
    await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        store.transaction(async (tx) => {
          await tx.sql.query(bar, [uuidv7()]);
          await pause(2);
          if (n % 2) throw new Error('odd');
          await tx.publish(written, { id: String(n) });
        }),
      ).map((one) => one.catch(() => {})),
    );
    return count();
  }, patient);
  expect(answerOf(tried)).toBe(3);
  expect(tried.events.map(({ key }) => key)).toEqual(['0', '2', '4']);
});

test('the events are its own, whatever others publish and roll back meanwhile', async () => {
  const busy = Array.from({ length: 40 }, async (_, n) => {
    await store.transaction(async (tx) => {
      await tx.publish(written, { id: `real-${n}` });
    });
  });
  const tried = await runRolledBack(async () => {
    await store.transaction((tx) => tx.publish(written, { id: 'mine' }));
    await pause(10);
  }, patient);
  await Promise.all(busy);
  expect(tried.events).toEqual([{ module: 'orders', type: written.type, key: 'mine', data: { id: 'mine' } }]);
  expect(await published()).toBe(40);
  await query(server.url, 'DELETE FROM orders.event_outbox');
});

test('Prisma’s look-ups by key of many requests in one turn do not mix with those of a trial', async () => {
  const [ours, theirs] = [uuidv7(), uuidv7()];
  await store.sql.query(bar, [theirs]);
  const find = (userId: string) => store.prisma.barredUser.findUnique({ where: { userId } });
  const begun = Promise.withResolvers<void>();
  const together = Promise.withResolvers<void>();
  const trial = runRolledBack(async () => {
    await store.sql.query(bar, [ours]);
    begun.resolve();
    await together.promise;
    return Promise.all([find(ours), find(theirs)]);
  }, patient);
  await begun.promise;
  together.resolve();
  await Promise.resolve();
  const real = await Promise.all([find(ours), find(theirs), find(ours)]);
  expect(real.map((one) => one?.userId)).toEqual([undefined, theirs, undefined]);
  expect(answerOf(await trial).map((one) => one?.userId)).toEqual([ours, theirs]);
});

describe('bounds', () => {
  test('a lock of somebody else is not waited for', async () => {
    const id = uuidv7();
    await store.sql.query(bar, [id]);
    await store.transaction(async (tx) => {
      await tx.sql.query('SELECT FROM barred_users FOR UPDATE');
      const began = performance.now();
      const tried = await runRolledBack(() => store.sql.query('DELETE FROM barred_users'));
      expect(performance.now() - began).toBeLessThan(200);
      expect(tried.outcome).toMatchObject({ error: { code: '55P03' } });
      expect(tried.disturbed).toContain('lock timeout');
    });
    expect(await there()).toBe(1);
  });

  test('whoever works for real waits for a trial no longer than its budget', async () => {
    const id = uuidv7();
    await store.sql.query(bar, [id]);
    const never = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const trial = runRolledBack(
      async () => {
        await store.sql.query('UPDATE barred_users SET since = since');
        locked.resolve();
        await never.promise;
        await store.sql.query(bar, [uuidv7()]);
      },
      { budgetMs: 120 },
    );
    await locked.promise;
    const began = performance.now();
    await store.sql.query('DELETE FROM barred_users');
    expect(performance.now() - began).toBeLessThan(400);
    const { outcome, disturbed } = await trial;
    expect(outcome).toMatchObject({ error: { code: 'deadline-exceeded' } });
    expect(disturbed).toContain('120 ms');
    never.resolve();
  });

  test('a frozen process holds nothing either: the server ends its transaction', async () => {
    const seen = await runRolledBack(async () => {
      const { rows } = await store.sql.query(
        `SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement,
           current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('transaction_timeout') AS whole`,
      );
      return rows[0];
    });
    expect(answerOf(seen)).toEqual({ lock: '50ms', statement: '250ms', idle: '300ms', whole: '301ms' });
  });

  test('what it left running is refused after its end, and does not become real', async () => {
    let late: Promise<unknown> = Promise.resolve();
    const resume = Promise.withResolvers<void>();
    await runRolledBack(async () => {
      late = resume.promise.then(() => store.sql.query(bar, [uuidv7()]));
      late.catch(() => {});
    });
    resume.resolve();
    await expect(late).rejects.toThrow('the trial is over');
    expect(await there()).toBe(0);
  });
});

test('two are under way at once, and who comes then is told so, and tried nothing', async () => {
  const held = Promise.withResolvers<void>();
  const two = [1, 2].map(() => runRolledBack(() => held.promise, patient));
  let begun = false;
  const third = await runRolledBack(async () => {
    begun = true;
  });
  expect([begun, third.outcome, third.disturbed]).toEqual([
    false,
    { error: expect.objectContaining({ code: 'unavailable' }) },
    expect.stringContaining('no more are at once'),
  ]);
  held.resolve();
  for (const one of await Promise.all(two)) expect(one.disturbed).toBeUndefined();
  expect((await runRolledBack(async () => 4)).outcome).toEqual({ answer: 4 });
});

test('connections come back as they were', async () => {
  for (let n = 0; n < 30; n += 1)
    await runRolledBack(async () => {
      await store.sql.query(`SET statement_timeout = 1`);
      await store.sql.query(bar, [uuidv7()]);
    });
  const { rows } = await store.pool.query(
    `SELECT current_setting('statement_timeout') AS limit, count(*)::int AS open FROM pg_stat_activity WHERE usename = current_user`,
  );
  expect(rows[0].limit).toBe('15s');
  expect(rows[0].open).toBeLessThanOrEqual(5);
});

test('it stays in its process: a ref goes near whatever the placement, or nowhere', async () => {
  const letters = defineContract('letters', {
    summary: 'For this test',
    operations: {
      count: operation({
        summary: 'Counts',
        access: 'internal',
        input: nothing,
        output: Type.Integer(),
        idempotent: true,
      }),
    },
    events: {},
  });
  const dispatcher = createDispatcher(letters, { count }, { codec: true });
  const refTo = (local: Dispatcher | undefined) =>
    createRef(letters, {
      caller: 'depots',
      local,
      remote: async () => 'far',
      placements: { current: { modules: { letters: { placement: 'service', instances: [] } } } } as never,
      strict: true,
    });
  expect(await refTo(dispatcher).count({})).toBe('far');
  const tried = await runRolledBack(async () => {
    await store.sql.query(bar, [uuidv7()]);
    const refused = await refTo(undefined)
      .count({})
      .catch((error: unknown) => error);
    return [await refTo(dispatcher).count({}), refused];
  }, patient);
  expect(answerOf(tried)).toMatchObject([1, { code: 'unavailable', status: 503 }]);
});
