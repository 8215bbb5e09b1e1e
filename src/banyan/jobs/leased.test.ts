// What becomes of a row that is due on a host with a leased job: woken, full, failing, given up, going on.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { errandsAndHosts, gate, type Shop } from './hosts.fixture.ts';
import { versioned } from './queue.fixture.ts';

let shop: Shop;

beforeAll(async () => {
  shop = await errandsAndHosts();
}, 60_000);
beforeEach(() => shop.table.clear());
afterEach(() => shop.closeHosts());
afterAll(() => shop?.table.close());

const becomes = (id: string, row: object) => expect.poll(() => shop.table.row(id)).toMatchObject(row);

test('woken, it works on what is due', async () => {
  const { task } = await shop.host({ work: shop.finish });
  await shop.table.write(['milk']);
  task.wake();
  await becomes('milk', { stage: 'done', tries: 1 });
});

test('as many at once as it may, and the next when one is over', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const gates = new Map(names.map((id) => [id, gate()]));
  const inWork = new Set<string>();
  let most = 0;
  await shop.table.write(names);
  await shop.host({
    atOnce: 2,
    async work(job) {
      inWork.add(job.id);
      most = Math.max(most, inWork.size);
      gates.get(job.id)!.begin();
      await gates.get(job.id)!.opened;
      inWork.delete(job.id);
      return shop.finish(job);
    },
  });
  const waiting = new Map(gates);
  while (waiting.size > 0) {
    const next = await Promise.race([...waiting].map(([id, { begun }]) => begun.then(() => id)));
    waiting.delete(next);
    gates.get(next)!.open();
  }
  for (const id of names) await becomes(id, { stage: 'done', tries: 1 });
  expect(most).toBe(2);
});

test('what fails is tried again after waits that double, up to the longest', async () => {
  await shop.table.write(['milk']);
  const waits: number[] = [];
  const { ended } = await shop.host({
    async work(job) {
      if (waits.length < 4) throw new Error('the shop is shut');
      return shop.finish(job);
    },
    failed(_job, { error, waitMs, stopping }) {
      expect(stopping).toBe(false);
      waits.push(waitMs);
      return { waitMs, set: { trouble: (error as Error).message } };
    },
  });
  await becomes('milk', { stage: 'done', tries: 5, trouble: 'the shop is shut' });
  expect(waits).toEqual([20, 40, 40, 40]);
  expect(ended).toEqual([true, true, true, true, false]);
});

test('who is woken after a wait finds the row due, every time', async () => {
  await shop.table.write(['milk']);
  await shop.host({
    // Longer than a round of the loop: each look is for this row alone.
    waits: { firstMs: 25, longestMs: 25 },
    async work(job) {
      if ((await shop.table.row(job.id)).tries < 25) throw new Error('the shop is shut');
      return shop.finish(job);
    },
  });
  await expect.poll(() => shop.table.row('milk'), { timeout: 5_000 }).toMatchObject({ tries: 25 });
});

test('a module that says nothing of failures gets the backoff', async () => {
  await shop.table.write(['milk']);
  await shop.host({
    waits: { firstMs: 30_000, longestMs: 60_000 },
    work: () => Promise.reject(new Error('the shop is shut')),
  });
  const aboutHalfAMinute = expect.toSatisfy((ms: number) => ms > 20_000 && ms <= 30_000);
  await becomes('milk', { stage: 'open', tries: 1, dueInMs: aboutHalfAMinute });
});

test('given up, it is not tried again', async () => {
  await shop.table.write(['milk', 'bread']);
  const { task } = await shop.host({
    work: async (job) => (job.id === 'milk' ? Promise.reject(new Error('sold out')) : shop.finish(job)),
    failed: shop.finish,
  });
  await becomes('milk', { stage: 'done', dueInMs: null });
  await shop.table.write(['figs']);
  task.wake();
  await becomes('figs', { stage: 'done' });
  expect((await shop.table.row('milk')).tries).toBe(1);
});

test('where there is more to do it goes on at once', async () => {
  await shop.table.write(['milk']);
  await shop.host({
    async work({ id }) {
      const { stage } = await shop.table.row(id);
      const [next, due] = stage === 'open' ? ['carried', 'now()'] : ['done', 'NULL'];
      const change = `UPDATE errands SET stage = $2, when_due = ${due} WHERE id = $1`;
      await shop.table.pool.query(change, [id, next]);
      return stage === 'open' ? 'due' : 'over';
    },
  });
  await becomes('milk', { stage: 'done', tries: 2 });
});

test('who leases what is next with its record goes on, and postpones by that lease', async () => {
  await shop.table.write(['milk']);
  const stages: string[] = [];
  await shop.host({
    table: versioned,
    async work(job) {
      const { stage } = await shop.table.row(job.id);
      stages.push(stage);
      if (stage === 'carried') throw new Error('the bag is torn');
      const { rows } = await shop.table.pool.query(
        `UPDATE errands SET stage = 'carried', version = version + 1, tries = 1 WHERE id = $1 RETURNING *`,
        [job.id],
      );
      const { tries: attempts, cause, version } = rows[0];
      return { next: { lease: { id: job.id, state: 'carried', attempts, cause, version }, job } };
    },
    failed: (_job, { error }) => ({ waitMs: 30_000, set: { trouble: (error as Error).message } }),
  });
  await becomes('milk', { stage: 'carried', tries: 1, trouble: 'the bag is torn' });
  expect(stages).toEqual(['open', 'carried']);
});

test('what waits until its lease ends is not written, and found then', async () => {
  await shop.table.write(['milk']);
  let left = 1;
  await shop.host({
    leaseMs: 200,
    work: async (job) => (left-- > 0 ? 'leased' : shop.finish(job)),
  });
  await becomes('milk', { stage: 'done', tries: 2 });
});
