// Keys that share a transaction: order within each, bounds by count and by time, and what a failure does to
// the others of its batch. Without a database, then with one.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openServer, type TestServer } from '../events/testing/server.ts';
import { shop } from '../events/testing/shop.ts';
import { byKey, openStand, type Sold } from '../events/testing/stand.ts';
import { until } from '../events/testing/until.ts';
import { on } from '../saga/on.ts';
import { BATCH_BUDGET_MS, Batcher, DurationAverages, LONGEST_BATCH_MS, MAX_BATCH } from './batcher.ts';

const calm = new AbortController().signal;

function recording(options: { broken?: string; estimate?: (piece: string) => number } = {}) {
  const together: string[][] = [];
  const alone: string[][] = [];
  const batcher = new Batcher<string>({
    atOnce: 1,
    estimate: options.estimate ?? (() => 0),
    together: async (lists) => {
      const pieces = lists.flat();
      together.push(pieces);
      if (options.broken && pieces.includes(options.broken)) throw new Error('no');
    },
    alone: async (list) => void alone.push([...list]),
  });
  return { batcher, together, alone };
}

describe('a batch', () => {
  test('is made of what waits, chain by chain', async () => {
    const { batcher, together } = recording();
    await Promise.all([batcher.add(['a1', 'a2'], calm), batcher.add(['b1'], calm)]);
    expect(together).toEqual([['a1', 'a2', 'b1']]);
  });

  test('is bounded by count; a chain goes on where it was cut', async () => {
    const { batcher, together } = recording();
    const pieces = Array.from({ length: MAX_BATCH + 5 }, (_, n) => `a${n}`);
    await Promise.all([batcher.add(pieces, calm), batcher.add(['b0', 'b1'], calm)]);
    expect(together.map((batch) => batch.length)).toEqual([MAX_BATCH, 7]);
    expect(together.flat().filter((piece) => piece.startsWith('a'))).toEqual(pieces);
  });

  test('is bounded by time: what is slow does not share one with what is fast', async () => {
    const { batcher, together, alone } = recording({
      estimate: (piece) => (piece.startsWith('slow') ? BATCH_BUDGET_MS : 1),
    });
    await Promise.all([
      batcher.add(['slow'], calm),
      ...['a', 'b', 'c'].map((key) => batcher.add([key], calm)),
    ]);
    expect(alone).toEqual([['slow']]);
    expect(together).toEqual([['a', 'b', 'c']]);
  });

  test('that fails is done piece by piece, and the next ones are smaller', async () => {
    const { batcher, together, alone } = recording({ broken: 'x' });
    await Promise.all(['a', 'x', 'b'].map((key) => batcher.add([key], calm)));
    expect(together).toHaveLength(1);
    expect(alone).toEqual([['a'], ['x'], ['b']]);
    const many = Array.from({ length: MAX_BATCH }, (_, n) => `k${n}`);
    await Promise.all(many.map((key) => batcher.add([key], calm)));
    expect(together[1]).toHaveLength(MAX_BATCH / 2);
  });

  test('is never so small that batches would not grow again', async () => {
    const { batcher, together } = recording({ broken: 'x' });
    for (let n = 0; n < 10; n += 1) await Promise.all(['x', 'y'].map((key) => batcher.add([key], calm)));
    const many = Array.from({ length: 20 }, (_, n) => `k${n}`);
    await Promise.all(many.map((key) => batcher.add([key], calm)));
    expect(together.slice(10).map((batch) => batch.length)).toEqual([2, 3, 4, 5, 6]);
  });

  test('takes nothing of a partition that is lost', async () => {
    const { batcher, together } = recording();
    const lost = new AbortController();
    lost.abort();
    const results = await Promise.allSettled([
      batcher.add(['a1', 'a2'], lost.signal),
      batcher.add(['b1', 'b2'], calm),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(together).toEqual([['b1', 'b2']]);
  });

  test('takes as long as what is in it has waited, up to a bound, so that who is behind catches up', async () => {
    vi.useFakeTimers();
    try {
      const sizes: number[] = [];
      let waits = 0;
      const batcher = new Batcher<string>({
        atOnce: 1,
        estimate: () => BATCH_BUDGET_MS,
        together: async (lists) => void sizes.push(lists.flat().length),
        alone: () => new Promise((resolve) => void setTimeout(resolve, waits)),
      });
      for (waits of [0, 3 * BATCH_BUDGET_MS, 60_000]) {
        const first = batcher.add(['first'], calm);
        await vi.advanceTimersByTimeAsync(0);
        const rest = Array.from({ length: 30 }, (_, n) => batcher.add([`${n}`], calm));
        await vi.advanceTimersByTimeAsync(waits);
        await first;
        await vi.runAllTimersAsync();
        await Promise.all(rest);
        if (waits > 0) expect(sizes[0]).toBe(Math.min(waits, LONGEST_BATCH_MS) / BATCH_BUDGET_MS);
        else expect(sizes).toEqual([]);
        sizes.length = 0;
      }
    } finally {
      vi.useRealTimers();
    }
  });

  test('learns what a kind takes, and starts with care', () => {
    const averages = new DurationAverages();
    expect(averages.of('a')).toBeGreaterThan(1);
    for (let n = 0; n < 50; n += 1) averages.record('a', 0.2);
    expect(averages.of('a')).toBeLessThan(0.3);
  });
});

describe('in the database', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await openServer();
  }, 60_000);
  afterAll(() => server.stop());

  test.each([
    ['throws', 'one after the other'],
    ['breaks a constraint', 'one after the other'],
    ['throws', 'side by side'],
    ['breaks a constraint', 'side by side'],
  ])('an event that %s among others of its transaction, %s, fails alone', async (how, order) => {
    const stand = await openStand(server.url);
    const sizes: number[] = [];
    try {
      const host = stand.host({
        retry: { attempts: 2, baseMs: 10 },
        waits: order === 'one after the other',
        steps: { inbox: (step, ids) => void (step === 'after-take' && sizes.push(ids.length)) },
        before: ({ orderId, n }: Sold) => {
          if (how === 'throws' && orderId === 'bad' && n === 2) throw new Error('poison');
        },
      });
      if (how !== 'throws') await stand.query(`ALTER TABLE till.effect ADD CHECK (key <> 'bad' OR n <> 2)`);
      const keys = Array.from({ length: 12 }, (_, n) => (n === 5 ? 'bad' : `good-${n}`));
      for (let n = 1; n <= 3; n += 1) await host.sell(...keys.map((orderId) => ({ orderId, n })));
      await host.start();
      await until('the good ones are done', async () => (await stand.effects()).length === 34);
      await until('the bad one is dead', async () => {
        const [row] = await stand.query<{ n: number }>(
          `SELECT count(*)::int AS n FROM till.event_delivery WHERE state = 'dead'`,
        );
        return row!.n === 1;
      });
      expect(Math.max(...sizes), 'they did share a transaction').toBeGreaterThan(1);
      const effects = byKey(await stand.effects());
      expect(effects.bad).toEqual([1]);
      for (const key of keys.filter((one) => one !== 'bad')) expect(effects[key]).toEqual([1, 2, 3]);
      // The one behind it may still be on its way from the log: it waits for the dead one when it is there.
      const open = () =>
        stand.query(
          `SELECT key, state, value IS NOT NULL AS kept FROM till.event_delivery WHERE state <> 'done' ORDER BY sequence`,
        );
      await until('the one behind it is there', async () => (await open()).length > 1);
      expect(await open()).toEqual([
        { key: 'bad', state: 'dead', kept: true },
        { key: 'bad', state: 'queued', kept: true },
      ]);
      const paid = await stand.query<{ n: number }>(
        `SELECT ((SELECT count(*) FROM till.event_outbox) + (SELECT count(*) FROM till.event_sent))::int AS n`,
      );
      expect(paid[0]!.n, 'one answer for each effect').toBe(34);
    } finally {
      await stand.close();
    }
  });

  test('listeners of one wave come to run side by side, those of one key in their order', async () => {
    const stand = await openStand(server.url);
    try {
      const inHand = new Map<string, number>();
      let mostKeys = 0;
      let mostOfOne = 0;
      const host = stand.host({
        before: async ({ orderId }) => {
          inHand.set(orderId, (inHand.get(orderId) ?? 0) + 1);
          mostOfOne = Math.max(mostOfOne, inHand.get(orderId)!);
          mostKeys = Math.max(mostKeys, [...inHand.values()].filter((n) => n > 0).length);
          await new Promise(setImmediate);
          inHand.set(orderId, inHand.get(orderId)! - 1);
        },
      });
      const keys = Array.from({ length: 8 }, (_, n) => `k${n}`);
      const numbers: number[] = [];
      const sell = async () => {
        for (let more = 0; more < 10; more += 1) {
          numbers.push(numbers.length + 1);
          await host.sell(...keys.map((orderId) => ({ orderId, n: numbers.length })));
        }
      };
      const areDone = async () => (await stand.effects()).length === keys.length * numbers.length;
      await sell();
      await host.start();
      await until('all are done', areDone);
      // What takes long is handled alone, and on a busy machine the first ones do: it comes with more of them.
      for (let rounds = 1; mostKeys === 1 && rounds < 20; rounds += 1) {
        await sell();
        await until('these are done too', areDone);
      }
      for (const effects of Object.values(byKey(await stand.effects()))) expect(effects).toEqual(numbers);
      expect(mostKeys, 'keys in hand at once').toBeGreaterThan(1);
      expect(mostOfOne, 'of one key').toBe(1);
    } finally {
      await stand.close();
    }
  });

  test.each([
    ['always', 0],
    ['after a while', 100],
  ])(
    'a listener that reads a row under a lock and writes it by a second statement, %s, loses nothing',
    async (_when, from) => {
      const stand = await openStand(server.url);
      try {
        await stand.query('CREATE TABLE till.counter (n int NOT NULL)');
        await stand.query('GRANT ALL ON till.counter TO banyan_till');
        await stand.query('INSERT INTO till.counter VALUES (0)');
        const sizes: number[] = [];
        const listeners = [
          on(shop.events.sold, async ({ n }, { tx }) => {
            if (n < from) return void (await tx.sql.query('UPDATE till.counter SET n = n + 1'));
            const { rows } = await tx.sql.query<{ n: number }>('SELECT n FROM till.counter FOR UPDATE');
            await tx.sql.query('UPDATE till.counter SET n = $1', [rows[0]!.n + 1]);
          }),
        ];
        const inbox = (step: string, ids: readonly string[]) =>
          void (step === 'after-commit' && sizes.push(ids.length));
        const host = stand.host({ listeners, steps: { inbox } });
        await host.sell(...Array.from({ length: 200 }, (_, n) => ({ orderId: `k${n}`, n })));
        await host.start();
        await until('all are counted', () => host.till.counters().handled === 200);
        expect(await stand.query('SELECT n FROM till.counter')).toEqual([{ n: 200 }]);
        expect(Math.max(...sizes), 'they did share a transaction').toBeGreaterThan(1);
        expect(await stand.query('SELECT FROM till.event_attempt'), 'and none counts as failed').toEqual([]);
      } finally {
        await stand.close();
      }
    },
  );

  test('two transactions that want the same rows in another order do not wait for the deadlock to be seen', async () => {
    const stand = await openStand(server.url);
    try {
      const rows = ['one', 'two'];
      await stand.query('CREATE TABLE till.shared (name text PRIMARY KEY, n int NOT NULL DEFAULT 0)');
      await stand.query('GRANT ALL ON till.shared TO banyan_till');
      await stand.query('INSERT INTO till.shared SELECT unnest($1::text[])', [rows]);
      const listeners = [
        on(shop.events.sold, async ({ n }, { tx }) => {
          await tx.sql.query('UPDATE till.shared SET n = n + 1 WHERE name = $1', [rows[n % 2]]);
        }),
      ];
      const hosts = ['h1', 'h2'].map((hostId) => stand.host({ hostId, listeners }));
      const total = 300;
      for (let at = 0; at < total; at += 50) {
        await hosts[0]!.sell(
          ...Array.from({ length: 50 }, (_, k) => ({
            orderId: `k${(at + k) % 60}`,
            n: Math.floor((at + k) / 60) + k,
          })),
        );
      }
      await Promise.all(hosts.map((host) => host.start()));
      const sum = async () =>
        (await stand.query<{ n: number }>('SELECT sum(n)::int AS n FROM till.shared'))[0]!.n;
      await until('all are counted', async () => (await sum()) >= total, 30_000);
      expect(await sum()).toBe(total);
      const failures = await stand.query<{ n: number }>('SELECT count(*)::int AS n FROM till.event_attempt');
      expect(failures[0]!.n, 'a conflict is no failed attempt').toBe(0);
    } finally {
      await stand.close();
    }
  }, 60_000);
});
