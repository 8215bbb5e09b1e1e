// What a module may rely on: rows and events together or neither, through Prisma and through SQL alike; no call
// to another module meanwhile; and a server that comes and goes ends no process.
import { setTimeout as pause } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PrismaClient } from '../../../prisma/orders/client/client.ts';
import { createRef, RefInsideTransaction } from '../calls/ref.ts';
import { currentFlow } from '../context/call.ts';
import { closed, defineContract, event, nothing, operation } from '../contract/contract.ts';
import { Type } from '../contract/type.ts';
import { provision } from '../postgres/provision.ts';
import { roleUrl } from '../postgres/roles.ts';
import { query, silent, type ThrowawayServer, throwawayServer } from '../postgres/testing.ts';
import { createStore, type OpenStore } from './create.ts';
import type { Publisher, Transaction } from './store.ts';

const prisma = new URL('../../../prisma/', import.meta.url);

const letters = defineContract('letters', {
  summary: 'For this test',
  operations: {
    read: operation({
      summary: 'Reads',
      access: 'internal',
      input: nothing,
      output: Type.Null(),
      idempotent: true,
    }),
  },
  events: {
    written: event({ summary: 'Written', version: 1, key: 'id', data: closed({ id: Type.String() }) }),
  },
});
const { written } = letters.events;

const publisher: Publisher = {
  check: ({ type }, data) => ({ id: uuidv7(), row: [type, JSON.stringify(data)] }),
  write: (rows) =>
    rows.map(([type, data]) => ({
      text: 'INSERT INTO sent (type, data) VALUES ($1, $2)',
      values: [type, data],
    })),
};

let server: ThrowawayServer;
let url: string;
let commits = 0;
const open: OpenStore<PrismaClient>[] = [];

function storeOf(strict = true): OpenStore<PrismaClient> {
  const store = createStore({
    module: 'orders',
    url,
    prisma: (adapter) => new PrismaClient({ adapter: adapter as never }),
    publisher,
    onCommit: () => {
      commits += 1;
    },
    strict,
    log: silent,
  });
  open.push(store);
  return store;
}

beforeAll(async () => {
  server = await throwawayServer();
  const moduleDdl = () =>
    `CREATE TABLE IF NOT EXISTS sent (type text CONSTRAINT sent_type CHECK (type <> 'no such'), data json)`;
  const secret = 'a secret';
  await provision({
    adminUrl: server.url,
    secret,
    modules: ['orders'],
    prisma,
    schemas: [],
    moduleDdl,
    log: silent,
  });
  url = roleUrl(server.url, secret, 'banyan_orders');
  store = storeOf();
});
afterAll(async () => {
  await Promise.all(open.map((one) => one.close()));
  await server.stop();
});

let store: OpenStore<PrismaClient>;
beforeEach(async () => {
  await store.pool.query('DELETE FROM sent; DELETE FROM barred_users');
  commits = 0;
});

const insert = 'INSERT INTO barred_users (user_id, since) VALUES ($1, now())';
const state = async () => {
  const { rows } = await store.pool.query(
    'SELECT (SELECT count(*)::int FROM barred_users) AS rows, (SELECT count(*)::int FROM sent) AS events',
  );
  return { ...rows[0], commits };
};

/** With Prisma at work on its connection, and without. */
const kinds = [
  [
    'in which Prisma is used',
    <T>(work: (tx: Transaction) => Promise<T>) =>
      store.transaction(async (tx) => {
        await tx.prisma.barredUser.count();
        return work(tx as Transaction);
      }),
  ],
  [
    'of SQL alone',
    <T>(work: (tx: Transaction) => Promise<T>) => store.transaction((tx) => work(tx as Transaction)),
  ],
] as const;

describe.each(kinds)('a transaction %s', (_kind, transaction) => {
  test('commits rows and events together', async () => {
    const answer = await transaction(async (tx) => {
      await tx.sql.query(insert, [uuidv7()]);
      await tx.publish(written, { id: '1' });
      expect(await state()).toEqual({ rows: 0, events: 0, commits: 0 });
      return 'done';
    });
    expect(answer).toBe('done');
    expect(await state()).toEqual({ rows: 1, events: 1, commits: 1 });
  });

  test('rolls back rows and events together', async () => {
    let followed = false;
    const failing = transaction(async (tx) => {
      await tx.sql.query(insert, [uuidv7()]);
      await tx.publish(written, { id: '1' });
      tx.afterCommit(() => {
        followed = true;
      });
      throw new Error('changed its mind');
    });
    await expect(failing).rejects.toThrow('changed its mind');
    expect(await state()).toEqual({ rows: 0, events: 0, commits: 0 });
    expect(followed).toBe(false);
  });

  test('does not commit without an event that could not be written, also when nobody waited for it', async () => {
    const failing = transaction(async (tx) => {
      await tx.sql.query(insert, [uuidv7()]);
      void tx.publish(written, {
        toJSON: () => {
          throw new Error('not JSON');
        },
      } as never);
    });
    await expect(failing).rejects.toThrow();
    expect(await state()).toEqual({ rows: 0, events: 0, commits: 0 });
  });

  test('has committed, whatever fails after it', async () => {
    const seen: string[] = [];
    await transaction(async (tx) => {
      await tx.sql.query(insert, [uuidv7()]);
      tx.afterCommit(() => {
        throw new Error('the job is not there');
      });
      tx.afterCommit(() => seen.push('second'));
    });
    expect(seen).toEqual(['second']);
    expect(await state()).toEqual({ rows: 1, events: 0, commits: 0 });
  });

  test('does not commit where a statement failed that nobody waited for, or whose error was caught', async () => {
    const unheard = transaction(async (tx) => {
      await tx.sql.query(insert, [uuidv7()]);
      void tx.sql.query('SELECT 1 / 0');
    });
    await expect(unheard).rejects.toThrow('division by zero');
    const caught = transaction(async (tx) => {
      await tx.sql.query(insert, [uuidv7()]);
      await tx.sql.query('SELECT 1 / 0').catch(() => {});
      await tx.publish(written, { id: '1' });
    });
    await expect(caught).rejects.toThrow('division by zero');
    expect(await state()).toEqual({ rows: 0, events: 0, commits: 0 });
  });

  test('has not committed when the database refuses at its end, and an event that cannot be written is such', async () => {
    const failing = transaction(async (tx) => {
      await tx.sql.query(insert, [uuidv7()]);
      await tx.publish({ ...written, type: 'no such' }, { id: '1' });
    });
    await expect(failing).rejects.toThrow('sent_type');
    expect(await state()).toEqual({ rows: 0, events: 0, commits: 0 });
    await transaction((tx) => tx.sql.query(insert, [uuidv7()]));
    expect(await state()).toMatchObject({ rows: 1 });
  });

  test('gives pg its values and types', async () => {
    const values = [12n, { a: [1] }, Buffer.from('x'), ['a', 'b'], null];
    const { rows, rowCount } = await transaction((tx) =>
      tx.sql.query(
        'SELECT $1::bigint AS big, $2::jsonb AS json, $3::bytea AS bytes, $4::text[] AS list, $5::uuid AS none',
        values,
      ),
    );
    expect(rows[0]).toEqual({
      big: '12',
      json: { a: [1] },
      bytes: Buffer.from('x'),
      list: ['a', 'b'],
      none: null,
    });
    expect(rowCount).toBe(1);
  });

  test('says that it is over', async () => {
    let kept: Transaction | undefined;
    await transaction(async (tx) => {
      kept = tx;
    });
    await expect(kept!.sql.query('SELECT 1')).rejects.toThrow('The transaction is over');
  });

  test('forbids calls to other modules, and names the line that opened it', async () => {
    const reader = createRef(letters, {
      caller: 'orders',
      local: undefined,
      remote: async () => null,
      placements: { current: { modules: {} } } as never,
      strict: true,
    });
    const inside = transaction(() => reader.read({}));
    await expect(inside).rejects.toThrow(RefInsideTransaction);
    await expect(inside).rejects.toThrow(/opened at src\/banyan\/store\/transaction\.test\.ts:\d+/);
    // What it started and did not wait for is free again once it is over.
    let later: Promise<unknown> = Promise.resolve();
    let go = () => {};
    await transaction(async () => {
      later = new Promise<void>((resolve) => {
        go = resolve;
      }).then(() => reader.read({}));
    });
    go();
    await expect(later).resolves.toBeNull();
    await expect(reader.read({})).resolves.toBeNull();
  });

  test('is run again when it loses a deadlock', async () => {
    const ids = [uuidv7(), uuidv7()] as const;
    for (const id of ids) await store.pool.query(insert, [id]);
    let runs = 0;
    let arrived = 0;
    let bothHold = () => {};
    const both = new Promise<void>((resolve) => {
      bothHold = resolve;
    });
    const lock = 'UPDATE barred_users SET since = now() WHERE user_id = $1';
    const cross = (first: string, second: string) =>
      transaction(async (tx) => {
        runs += 1;
        await tx.sql.query(lock, [first]);
        arrived += 1;
        if (arrived === 2) bothHold();
        await both;
        await tx.sql.query(lock, [second]);
        await tx.publish(written, { id: first });
      });
    await Promise.all([cross(ids[0], ids[1]), cross(ids[1], ids[0])]);
    expect(runs).toBe(3);
    expect(await state()).toEqual({ rows: 2, events: 2, commits: 2 });
  });

  test('starts on a new connection when the server has closed the old ones', async () => {
    await transaction((tx) => tx.sql.query('SELECT 1'));
    await endConnections();
    await transaction((tx) => tx.sql.query(insert, [uuidv7()]));
    expect(await state()).toMatchObject({ rows: 1 });
  });

  test('fails when its connection is lost in the middle, and the next one works', async () => {
    const lost = transaction(async (tx) => {
      await tx.sql.query(insert, [uuidv7()]);
      await endConnections();
      await tx.sql.query(insert, [uuidv7()]);
    });
    await expect(lost).rejects.toThrow();
    await transaction((tx) => tx.sql.query(insert, [uuidv7()]));
    expect(await state()).toMatchObject({ rows: 1 });
  });
});

const endConnections = () =>
  query(server.url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'banyan_orders'`);

test('Prisma and SQL see the same uncommitted rows', async () => {
  await store.transaction(async (tx) => {
    const userId = uuidv7();
    await tx.sql.query(insert, [userId]);
    expect(await tx.prisma.barredUser.count()).toBe(1);
    await tx.prisma.barredUser.delete({ where: { userId } });
    expect((await tx.sql.query('SELECT FROM barred_users')).rowCount).toBe(0);
  });
});

test('Prisma’s own transactions, for nested writes, are part of ours', async () => {
  const order = (id: string) => ({
    id,
    userId: uuidv7(),
    status: 'placed',
    totalCents: 1n,
    currency: 'EUR',
    createdAt: new Date(),
    lines: {
      create: [1, 2].map((position) => ({
        position,
        productId: uuidv7(),
        name: 'fig',
        quantity: 1,
        unitCents: 1n,
      })),
    },
  });
  const [kept, dropped] = [uuidv7(), uuidv7()];
  await store.transaction((tx) => tx.prisma.order.create({ data: order(kept) }));
  const failing = store.transaction(async (tx) => {
    await tx.prisma.order.create({ data: order(dropped) });
    expect(await tx.prisma.orderLine.count({ where: { orderId: dropped } })).toBe(2);
    throw new Error('changed its mind');
  });
  await expect(failing).rejects.toThrow('changed its mind');
  const rows = await store.prisma.order.findMany({
    where: { id: { in: [kept, dropped] } },
    include: { lines: true },
  });
  expect(rows.map(({ id, lines }) => [id, lines.length])).toEqual([[kept, 2]]);
});

test('a query that Prisma makes after the end goes nowhere, also while its connection serves another', async () => {
  let late = async (): Promise<unknown> => undefined;
  const resume = Promise.withResolvers<void>();
  let stray: Promise<unknown> = Promise.resolve();
  await store.transaction(async (tx) => {
    const { prisma } = tx;
    await prisma.barredUser.count();
    stray = resume.promise.then(() => prisma.barredUser.deleteMany());
    stray.catch(() => {});
    late = () => prisma.barredUser.count();
  });
  await expect(late()).rejects.toThrow('The transaction is over');
  await store.transaction(async (tx) => {
    await tx.prisma.barredUser.create({ data: { userId: uuidv7(), since: new Date() } });
    resume.resolve();
    await expect(stray).rejects.toThrow('The transaction is over');
    expect(await tx.prisma.barredUser.count()).toBe(1);
  });
});

test('transactions that run at once have a connection each', async () => {
  const seen = await Promise.all(
    Array.from({ length: 12 }, (_, at) =>
      store.transaction(async (tx) => {
        await tx.sql.query(`SET LOCAL banyan.mark = '${at}'`);
        await pause(5);
        const [row] = await tx.prisma.$queryRaw<
          { mark: string }[]
        >`SELECT current_setting('banyan.mark') AS mark`;
        return row!.mark === String(at);
      }),
    ),
  );
  expect(seen).toEqual(Array.from({ length: 12 }, () => true));
});

test('a host that is not strict does not look for the line', async () => {
  const easy = storeOf(false);
  expect(await easy.transaction(async () => currentFlow()?.transaction)).toBeUndefined();
});

test('the pool stays within five connections', async () => {
  await Promise.all(Array.from({ length: 40 }, () => store.pool.query('SELECT pg_sleep(0.005)')));
  const [row] = await query(
    server.url,
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = 'banyan_orders' AND application_name = 'banyan orders'`,
  );
  expect(row!.n).toBeLessThanOrEqual(10);
});
