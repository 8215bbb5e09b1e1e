// A row whose host stops, is killed or stood still, and two hosts at one table: never two at once, never nobody.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { errandsAndHosts, gate, type Shop } from './hosts.fixture.ts';

let shop: Shop;

beforeAll(async () => {
  shop = await errandsAndHosts();
}, 60_000);
beforeEach(() => shop.table.clear());
afterEach(() => shop.closeHosts());
afterAll(() => shop?.table.close());

const becomes = (id: string, row: object) => expect.poll(() => shop.table.row(id)).toMatchObject(row);

const interrupted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );

test('a host that stops gives back what it has in work, and the next goes on at once', async () => {
  await shop.table.write(['milk']);
  const at = gate();
  const failures: boolean[] = [];
  const first = await shop.host({
    waits: { firstMs: 60_000, longestMs: 60_000 },
    async work(_job, signal) {
      at.begin();
      return interrupted(signal);
    },
    failed(_job, { waitMs, stopping }) {
      failures.push(stopping);
      return { waitMs };
    },
  });
  await at.begun;
  await first.close();
  expect(failures).toEqual([true]);
  expect((await shop.table.row('milk')).dueInMs).toBeLessThanOrEqual(0);
  await shop.host({ work: shop.finish });
  await becomes('milk', { stage: 'done', tries: 2 });
});

test('what a killed host held is taken over when its lease ends, not before', async () => {
  await shop.table.write(['milk']);
  const at = gate();
  // It never answers and gives nothing back, as a killed one.
  await shop.host({
    leaseMs: 400,
    async work() {
      at.begin();
      await at.opened;
      return 'over';
    },
  });
  await at.begun;
  const { rows } = await shop.table.pool.query('SELECT when_due AS at FROM errands');
  let taken: Date | undefined;
  const { task } = await shop.host({
    async work(job) {
      taken = (await shop.table.pool.query('SELECT now() AS at')).rows[0].at;
      return shop.finish(job);
    },
  });
  while ((await shop.table.row('milk')).stage !== 'done') task.wake();
  expect(taken!.getTime()).toBeGreaterThanOrEqual(rows[0].at.getTime());
  expect((await shop.table.row('milk')).tries).toBe(2);
  at.open();
});

test('who comes back after the lease was lost does not free the row of its new holder', async () => {
  await shop.table.write(['milk']);
  const [late, now] = [gate(), gate()];
  const frozen = await shop.host({
    async work() {
      late.begin();
      await late.opened;
      throw new Error('thawed');
    },
    failed: () => ({ waitMs: 0 }),
  });
  await late.begun;
  await frozen.task.stop();
  await shop.table.expireLeases();
  await shop.host({
    async work(job) {
      now.begin();
      await now.opened;
      return shop.finish(job);
    },
  });
  await now.begun;
  late.open();
  await frozen.close();
  expect((await shop.table.row('milk')).dueInMs).toBeGreaterThan(30_000);
  now.open();
  await becomes('milk', { stage: 'done', tries: 2 });
});

test('two hosts share the work, and never a job', async () => {
  const all = Array.from({ length: 200 }, (_, n) => `errand-${n}`);
  const workers = new Map<string, string[]>(all.map((id) => [id, []]));
  const both = { one: gate(), other: gate() };
  const working = (name: 'one' | 'other') =>
    shop.host({
      atOnce: 16,
      async work(job) {
        workers.get(job.id)!.push(name);
        both[name].begin();
        await Promise.all([both.one.begun, both.other.begun]);
        return shop.finish(job);
      },
    });
  const [one, other] = await Promise.all([working('one'), working('other')]);
  await shop.table.write(all);
  one.task.wake();
  other.task.wake();
  for (const id of all) await becomes(id, { stage: 'done', tries: 1 });
  const by = [...workers.values()].map((names) => names.join());
  expect(new Set(by)).toEqual(new Set(['one', 'other']));
});
