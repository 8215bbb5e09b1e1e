// Transactions in the hands of work that errs, and over connections that break: what is told of them is what happened,
// alone and in company. A work that was refused something has not committed, whatever it caught; nothing runs twice
// whose commit may have happened; one that hangs takes no other with it.
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { currentFlow, type Flow, withFlow } from '../context/call.ts';
import { query, silent, type ThrowawayServer, throwawayServer } from '../postgres/testing.ts';
import { createStore, type OpenStore } from './create.ts';
import type { Transaction } from './store.ts';
import { inTurn, Turn } from './turns.ts';

let server: ThrowawayServer;
let store: OpenStore<undefined>;
const open: OpenStore<undefined>[] = [];

function storeAt(url: string): OpenStore<undefined> {
  const made = createStore({
    module: 'public',
    url,
    prisma: () => undefined,
    publisher: {
      check(_event, data) {
        if (data === 'does not fit') throw new Error('does not fit');
        return { id: '', row: [data, currentFlow()?.event?.id] };
      },
      write: (rows) => [
        {
          text: 'INSERT INTO told SELECT unnest($1::int[]), unnest($2::text[])',
          values: [rows.map(([n]) => n), rows.map(([, cause]) => cause)],
        },
      ],
    },
    onCommit: () => {},
    strict: true,
    log: silent,
  });
  open.push(made);
  return made;
}

beforeAll(async () => {
  server = await throwawayServer();
  store = storeAt(server.url);
  await store.pool.query(
    'CREATE TABLE note (n int, by text); CREATE TABLE told (n int, cause text); CREATE TABLE one (n int PRIMARY KEY)',
  );
}, 60_000);
afterAll(async () => {
  await Promise.all(open.map((one) => one.close()));
  await server.stop();
});
beforeEach(() => store.pool.query('TRUNCATE note, told, one'));

const insert = (tx: Transaction, n: number) => tx.sql.query('INSERT INTO note (n) VALUES ($1)', [n]);
const numbers = (from: number, count: number) => Array.from({ length: count }, (_, n) => from + n);
const notes = async () =>
  (await store.pool.query('SELECT n FROM note WHERE n >= 100 ORDER BY n')).rows.map(({ n }) => n as number);
const transactionsOf = async () =>
  new Set((await store.pool.query('SELECT xmin::text AS x FROM note WHERE n >= 100')).rows.map(({ x }) => x))
    .size;
const ended = (some: readonly PromiseSettledResult<unknown>[]) =>
  some.map((one) => (one.status === 'fulfilled' ? 'committed' : (one.reason as Error).message));

/** Until its kind is taken into company. */
async function introduce(work: (n: number) => Promise<unknown>): Promise<void> {
  for (const n of numbers(0, 20)) await work(n);
}

/** The same body, among others of its kind and for itself. */
const ways = [
  ['alone', () => store.alone],
  ['in company', () => store.transaction],
] as const;

describe.each(ways)('%s', (_name, way) => {
  /** Beside two that are in order, where there is company. */
  async function one(odd: (tx: Transaction) => Promise<unknown>): Promise<string[]> {
    const work = (n: number) =>
      way()(async (tx) => {
        await insert(tx, n);
        if (n === 101) await odd(tx);
        return n;
      });
    await introduce(work);
    return ended(await Promise.allSettled([100, 101, 102].map(work)));
  }

  const misdeeds: [string, string | RegExp, (tx: Transaction) => Promise<unknown>][] = [
    ['catches an error of the database', /division/, (tx) => tx.sql.query('SELECT 1 / 0').catch(() => {})],
    [
      'catches that a value cannot be written',
      /BigInt/,
      (tx) => tx.sql.query('INSERT INTO note (n) VALUES ($1)', [{ n: 1n }]).catch(() => {}),
    ],
    [
      'does not wait for a statement whose value cannot be written',
      /BigInt/,
      async (tx) => void tx.sql.query('INSERT INTO note (n) VALUES ($1)', [{ n: 1n }]),
    ],
    [
      'catches that an event does not fit',
      'does not fit',
      (tx) => tx.publish({} as never, 'does not fit' as never).catch(() => {}),
    ],
    [
      'throws after it has published',
      'changed its mind',
      async (tx) => {
        await tx.publish({} as never, 101 as never);
        throw new Error('changed its mind');
      },
    ],
    [
      'ends the transaction by a statement',
      /begins and ends/,
      (tx) => tx.sql.query(`${'/* now */ '.repeat(40)}COMMIT`).catch(() => {}),
    ],
    ['begins another', /begins and ends/, async (tx) => void tx.sql.query('begin')],
  ];
  test.each(misdeeds)('a work that %s has not committed, and is told so', async (_what, reason, odd) => {
    const [first, second, third] = await one(odd);
    expect([first, third]).toEqual(['committed', 'committed']);
    expect(second).toMatch(reason);
    expect(await notes()).toEqual([100, 102]);
    expect((await store.pool.query('SELECT n FROM told')).rows).toEqual([]);
  });

  test('a savepoint is a way back that the database knows of', async () => {
    const done = await one(async (tx) => {
      await tx.sql.query('SAVEPOINT before');
      await tx.sql.query('SELECT 1 / 0').catch(() => {});
      await tx.sql.query('ROLLBACK TO before');
    });
    expect(done).toEqual(['committed', 'committed', 'committed']);
    expect(await notes()).toEqual([100, 101, 102]);
  });

  test('what a work sends after its end goes nowhere', async () => {
    let late: Promise<unknown> = Promise.resolve();
    const over = Promise.withResolvers<void>();
    const done = await one(async (tx) => {
      late = over.promise.then(() => insert(tx, 500));
      late.catch(() => {});
    });
    over.resolve();
    expect(done).toEqual(['committed', 'committed', 'committed']);
    await expect(late).rejects.toThrow('The transaction is over');
    expect(await notes()).toEqual([100, 101, 102]);
  });

  test('many comments before a statement cost nothing', async () => {
    const done = await one((tx) => tx.sql.query(`${'/* * now */ '.repeat(40)}SELECT 1`).then(() => {}));
    expect(done).toEqual(['committed', 'committed', 'committed']);
  });

  test('what a work publishes or wishes after its end is refused, not lost', async () => {
    let kept: Transaction | undefined;
    await one(async (tx) => {
      kept = tx;
    });
    await expect(kept!.publish({} as never, 1 as never)).rejects.toThrow('The transaction is over');
    expect(() => kept!.afterCommit(() => {})).toThrow('The transaction is over');
    expect(() => kept!.prisma).toThrow('The transaction is over');
  });

  test('what follows a commit follows it in order, and one that fails, now or later, fails nobody', async () => {
    const order: string[] = [];
    const done = await one(async (tx) => {
      tx.afterCommit(() => order.push('first'));
      tx.afterCommit(() => {
        throw new Error('at once');
      });
      tx.afterCommit(async () => {
        throw new Error('later');
      });
      tx.afterCommit(() => order.push('last'));
    });
    expect(done).toEqual(['committed', 'committed', 'committed']);
    expect(order).toEqual(['first', 'last']);
  });

  test('the flow names the line that opened the transaction, and is the caller’s again after it', async () => {
    const lines: (string | undefined)[] = [];
    await one(async () => {
      lines.push(currentFlow()?.transaction);
    });
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(/store\/transaction-faults\.test\.ts:\d+$/);
    expect(currentFlow()?.transaction).toBeUndefined();
  });

  test('a work that is no async function and throws is one that failed', async () => {
    const work = (n: number) =>
      way()((tx) => {
        void insert(tx, n);
        if (n === 101) throw new Error('at once');
        return Promise.resolve(n);
      });
    await introduce(work);
    expect(ended(await Promise.allSettled([100, 101, 102].map(work)))).toEqual([
      'committed',
      'at once',
      'committed',
    ]);
    expect(await notes()).toEqual([100, 102]);
  });

  test('a lost connection in the middle leaves nothing, and the pool goes on', async () => {
    const work = (n: number) =>
      way()(async (tx) => {
        const { rows } = await tx.sql.query(
          'INSERT INTO note (n) VALUES ($1) RETURNING pg_backend_pid() AS pid',
          [n],
        );
        if (n === 101 && !killed) {
          killed = true;
          await query(server.url, 'SELECT pg_terminate_backend($1)', [rows[0]!.pid]);
        }
      });
    let killed = false;
    await introduce(work);
    const done = ended(await Promise.allSettled([100, 101, 102].map(work)));
    const told = done.flatMap((one, at) => (one === 'committed' ? [100 + at] : []));
    // Those whose commit it befell hear of it, whether or not it is known what came of them.
    expect(killed).toBe(true);
    expect(await notes()).toEqual(told);
    await Promise.all(numbers(200, 6).map(work));
    expect(await notes()).toEqual([...told, ...numbers(200, 6)]);
  });
});

test.each([
  ['alone', 1],
  ['in company', 3],
])('a connection lost at COMMIT, %s: nothing is run again, and all are told', async (_name, size) => {
  await store.pool.query(`CREATE OR REPLACE FUNCTION hang_up() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER hang_up AFTER INSERT ON note INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.n = 100) EXECUTE FUNCTION hang_up()`);
  // Its groups were never halved.
  const fresh = storeAt(server.url);
  let runs = 0;
  const work = (n: number) =>
    fresh.transaction(async (tx) => {
      runs += 1;
      await insert(tx, n);
    });
  await introduce(work);
  runs = 0;
  const done = await Promise.allSettled(numbers(100, size).map(work));
  await store.pool.query('DROP TRIGGER hang_up ON note');
  expect(done.map(({ status }) => status)).toEqual(Array(size).fill('rejected'));
  expect(runs).toBe(size);
  expect(await notes()).toEqual([]);
  await Promise.all(numbers(200, 6).map(work));
  expect(await notes()).toEqual(numbers(200, 6));
});

test('a value that cannot be written does not spoil its prepared statement', async () => {
  const text = 'INSERT INTO note (by) VALUES ($1)';
  const client = () => store.transaction((tx) => tx.sql.query(text, [{ fine: 1 }]));
  for (const _ of numbers(0, 3)) await client();
  await expect(store.transaction((tx) => tx.sql.query(text, [{ n: 1n }]))).rejects.toThrow('BigInt');
  for (const _ of numbers(0, 6)) await client();
});

describe('in company', () => {
  /** Its kind is taken into company, and then does more than it did. */
  const turning = (more: (tx: Transaction) => unknown) => (n: number) =>
    store.transaction(async (tx) => {
      await insert(tx, n);
      if (n >= 100) await more(tx);
      return n;
    });

  test.each([
    ['caught', (tx: Transaction) => insert(tx, 900).catch(() => {})],
    ['unheard', (tx: Transaction) => void insert(tx, 900)],
    [
      'unheard, with a setting',
      (tx: Transaction) => void tx.sql.query(`-- mine\nSET LOCAL banyan.mark = 'x'`),
    ],
    [
      'caught, by Prisma',
      (tx: Transaction) => {
        try {
          return tx.prisma as undefined;
        } catch {
          return undefined;
        }
      },
    ],
  ])('a second wave whose refusal is %s is not left out', async (_what, more) => {
    const work = turning(more);
    await introduce(work);
    await Promise.all(numbers(100, 4).map(work));
    const all = await notes();
    expect(all.filter((n) => n < 900)).toEqual(numbers(100, 4));
    if (`${more}`.includes('900')) expect(all.filter((n) => n === 900)).toHaveLength(4);
    expect(await transactionsOf()).toBe(4);
  });

  test('a statement whose flow was lost is not taken for one of a first wave', async () => {
    const jobs: (() => void)[] = [];
    let wake = () => {};
    // As a queue does that was started elsewhere: what is put into it runs in its own flow.
    const elsewhere = (async () => {
      for (;;) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        for (const job of jobs.splice(0)) job();
      }
    })();
    void elsewhere;
    const work = (n: number) =>
      store.transaction(async (tx) => {
        const { rows } = await tx.sql.query<{ n: number }>('SELECT n FROM one FOR UPDATE');
        if (n < 100) return;
        const answer = Promise.withResolvers<unknown>();
        jobs.push(() => {
          tx.sql.query('UPDATE one SET n = $1', [rows[0]!.n + 1]).then(answer.resolve, answer.reject);
        });
        wake();
        await answer.promise;
      });
    await store.pool.query('INSERT INTO one VALUES (0)');
    await introduce(work);
    await Promise.all(numbers(100, 6).map(work));
    expect((await store.pool.query('SELECT n FROM one')).rows).toEqual([{ n: 6 }]);
  });

  test('what is shared out among pieces of its own is shared with nobody else', async () => {
    const work = (n: number) =>
      store.transaction(async (tx) => {
        const { rows } = await tx.sql.query<{ n: number }>('SELECT n FROM one FOR UPDATE');
        await inTurn(new Turn(false), () =>
          tx.sql.query('UPDATE one SET n = $1', [rows[0]!.n + Math.sign(n)]),
        );
      });
    await store.pool.query('INSERT INTO one VALUES (0)');
    for (const _ of numbers(0, 20)) await work(0);
    await Promise.all(numbers(100, 6).map(work));
    expect((await store.pool.query('SELECT n FROM one')).rows).toEqual([{ n: 6 }]);
  });

  test('one that hangs keeps the others waiting for a while only', async () => {
    const hang = Promise.withResolvers<void>();
    const work = (n: number) =>
      store.transaction(async (tx) => {
        await insert(tx, n);
        if (n === 101) await hang.promise;
      });
    await introduce(work);
    const [first, hanging, third] = [100, 101, 102].map(work);
    await Promise.all([first, third]);
    expect(await notes()).toEqual([100, 102]);
    hang.resolve();
    await hanging;
    expect(await notes()).toEqual([100, 101, 102]);
  }, 20_000);

  test('locks in opposite order, and a lock of a stranger, cost nobody more than his time', async () => {
    await store.pool.query('INSERT INTO one VALUES (1), (2)');
    const lock = (n: number) => `WITH a AS (SELECT n FROM one WHERE n = ${n} FOR UPDATE),
      b AS (SELECT n FROM one WHERE n = ${3 - n} AND EXISTS (SELECT FROM a) FOR UPDATE)
      INSERT INTO note (n) SELECT $1 FROM b`;
    let runs = 0;
    const work = (n: number) =>
      store.transaction(async (tx) => {
        runs += 1;
        await tx.sql.query(lock(1 + (n % 2)), [n]);
      });
    await introduce(work);
    runs = 0;
    await Promise.all(numbers(100, 30).map(work));
    expect(await notes()).toEqual(numbers(100, 30));
    const stranger = await store.pool.connect();
    await stranger.query('BEGIN; SELECT FROM one FOR UPDATE');
    const waiting = Promise.all(numbers(200, 3).map(work));
    await pause(400);
    await stranger.query('COMMIT');
    stranger.release();
    await waiting;
    expect(await notes()).toEqual([...numbers(100, 30), ...numbers(200, 3)]);
    expect(runs).toBeGreaterThanOrEqual(36);
  });

  test('a conflict runs again whom it befell, and each took effect once', async () => {
    let failed = 0;
    await store.pool.query(`CREATE OR REPLACE FUNCTION upset() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF nextval('upsets') % 3 = 0 THEN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END IF; RETURN NULL; END $$;
      CREATE SEQUENCE upsets;
      CREATE CONSTRAINT TRIGGER upset AFTER INSERT ON note INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.n >= 100) EXECUTE FUNCTION upset()`);
    const work = (n: number) =>
      store.transaction(async (tx) => {
        if (n >= 100) failed += 1;
        await insert(tx, n);
        await tx.publish({} as never, n as never);
        const mine = n;
        tx.afterCommit(() => followed.push(mine));
      });
    const followed: number[] = [];
    await introduce(work);
    followed.length = 0;
    const done = await Promise.allSettled(numbers(100, 12).map(work));
    await store.pool.query('DROP TRIGGER upset ON note');
    const told = done.flatMap(({ status }, at) => (status === 'fulfilled' ? [100 + at] : []));
    expect(failed).toBeGreaterThan(12);
    expect(await notes()).toEqual(told);
    const events = await store.pool.query('SELECT n FROM told WHERE n >= 100 ORDER BY n');
    expect(events.rows.map(({ n }) => n)).toEqual(told);
    expect(followed.toSorted((a, b) => a - b)).toEqual(told);
  });

  test('each has its own flow: the cause of its events, and what its deadline is', async () => {
    // Its groups were never halved.
    const fresh = storeAt(server.url);
    const seen: [number, number | undefined][] = [];
    const work = (n: number) => {
      const flow: Flow = {
        deadline: n,
        traceparent: '00-00000000000000000000000000000001-0000000000000001-01',
        event: { id: `cause ${n}`, correlationId: 'c', replay: false },
      };
      return withFlow(flow, () =>
        fresh.transaction(async (tx) => {
          await insert(tx, n);
          seen.push([n, currentFlow()?.deadline]);
          await tx.publish({} as never, n as never);
          tx.afterCommit(() => seen.push([n, currentFlow()?.deadline]));
        }),
      );
    };
    await introduce(work);
    await Promise.all(numbers(100, 5).map(work));
    expect(await transactionsOf()).toBe(1);
    expect(seen.every(([n, deadline]) => n === deadline)).toBe(true);
    const { rows } = await store.pool.query('SELECT n, cause FROM told WHERE n >= 100');
    expect(rows).toHaveLength(5);
    expect(rows.every(({ n, cause }) => cause === `cause ${n}`)).toBe(true);
  });
});

/** Between a store and its server: it can keep the server's answers to itself and then hang up. */
async function deafWire(): Promise<{ url: string; deafen(): void; cut(): void; close(): void }> {
  const to = new URL(server.url);
  let deaf = false;
  const sockets: Socket[] = [];
  const door = createServer((near) => {
    const host = to.searchParams.get('host');
    const far = host?.startsWith('/')
      ? connect(`${host}/.s.PGSQL.${to.port || to.searchParams.get('port') || 5432}`)
      : connect(Number(to.port), to.hostname);
    sockets.push(near, far);
    for (const one of [near, far]) one.on('error', () => {});
    near.on('data', (bytes) => far.write(bytes));
    far.on('data', (bytes) => {
      if (!deaf) near.write(bytes);
    });
    near.on('close', () => far.end());
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  const url = new URL(server.url);
  url.search = '';
  url.hostname = '127.0.0.1';
  url.port = String((door.address() as { port: number }).port);
  return {
    url: url.href,
    deafen() {
      deaf = true;
    },
    cut() {
      deaf = false;
      for (const one of sockets.splice(0)) one.destroy();
    },
    close: () => door.close(),
  };
}

test.each([
  ['alone', 1],
  ['in company', 3],
])(
  'work %s whose commit may have happened is not run again, though no answer came at all',
  async (_name, count) => {
    const wire = await deafWire();
    const there = storeAt(wire.url);
    let runs = 0;
    const work = (n: number) =>
      there.transaction(async (tx) => {
        runs += 1;
        void insert(tx, n);
      });
    await introduce(work);
    runs = 0;
    wire.deafen();
    const done = Promise.allSettled(numbers(100, count).map(work));
    while ((await notes()).length < count) await pause(5);
    wire.cut();
    expect(ended(await done)).not.toContain('committed');
    expect(await notes()).toEqual(numbers(100, count));
    expect(runs).toBe(count);
    await work(200);
    expect(await notes()).toEqual([...numbers(100, count), 200]);
    wire.close();
  },
);
