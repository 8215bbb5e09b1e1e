// Leases as jobs rely on them: one holder at a time, decided by the database; a lost lease changes nothing.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Errand, type Errands, errands, errandsAlone, versioned } from './queue.fixture.ts';
import { type Held, JobQueue } from './queue.ts';

let table: Errands;
/** Two hosts: they share the database and nothing else. */
let one: JobQueue<Errand>;
let other: JobQueue<Errand>;

beforeAll(async () => {
  table = await errandsAlone();
  one = new JobQueue(errands, table.store);
  other = new JobQueue(errands, table.store);
}, 60_000);
beforeEach(() => table.clear());
afterAll(() => table?.close());

const ids = (held: readonly Held<Errand>[]) => held.map(({ job }) => job.id).sort();

test('a claim takes what is due, the longest waiting first, and reads what the module named', async () => {
  await table.write(['milk'], 1_000);
  await table.write(['bread'], 2_000);
  await table.write(['figs'], 3_000);
  await table.write(['later'], -60_000);
  await table.write(['done']);
  await table.finish('done');
  const claimed = await one.claim(2, 60_000);
  expect(ids(claimed)).toEqual(['bread', 'figs']);
  expect(claimed.find(({ job }) => job.id === 'figs')).toEqual({
    lease: { id: 'figs', state: 'open', attempts: 1, cause: null },
    job: { id: 'figs', what: 'buy figs', letters: 8 },
  });
  expect(ids(await other.claim(10, 60_000))).toEqual(['milk']);
  expect(await one.claim(10, 60_000)).toEqual([]);
});

test('a lease puts the due time off by its length; when it ends the row is anybody’s', async () => {
  await table.write(['milk']);
  await one.claim(1, 60_000);
  const { dueInMs } = await table.row('milk');
  expect(dueInMs).toBeGreaterThan(50_000);
  expect(dueInMs).toBeLessThanOrEqual(60_001);
  await table.expireLeases();
  const [again] = await other.claim(1, 60_000);
  expect(again!.lease.attempts).toBe(2);
});

test('of many claims at once no two get the same row, and every row is claimed', async () => {
  const all = Array.from({ length: 300 }, (_, n) => `errand-${String(n).padStart(3, '0')}`);
  await table.write(all);
  const claims = await Promise.all(
    Array.from({ length: 40 }, (_, n) => (n % 2 ? one : other).claim(10, 60_000)),
  );
  const rest = await one.claim(300, 60_000);
  expect(ids([...claims.flat(), ...rest])).toEqual(all);
});

test('what another host is claiming is skipped, not waited for', async () => {
  await table.write(['first'], 1_000);
  await table.write(['second']);
  const client = await table.pool.connect();
  try {
    await client.query('BEGIN');
    await client.query(`SELECT FROM errands WHERE id = 'first' FOR UPDATE`);
    expect(ids(await one.claim(2, 60_000))).toEqual(['second']);
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
});

test('what is put off is due again then, with the columns that were set', async () => {
  await table.write(['milk']);
  const [held] = await one.claim(1, 60_000);
  expect(await one.postpone(held!.lease, 5_000, { trouble: 'the shop is shut' })).toBe(true);
  const row = await table.row('milk');
  expect(row).toMatchObject({ stage: 'open', tries: 1, trouble: 'the shop is shut' });
  expect(row.dueInMs).toBeGreaterThan(3_000);
  expect(row.dueInMs).toBeLessThanOrEqual(5_001);
  await one.postpone(held!.lease, 0);
  await expect.poll(async () => ids(await other.claim(1, 60_000)), { interval: 1 }).toEqual(['milk']);
});

test('who lost the lease to another host cannot end the other’s', async () => {
  await table.write(['milk']);
  const [lost] = await one.claim(1, 60_000);
  await table.expireLeases();
  const [won] = await other.claim(1, 60_000);
  expect(await one.postpone(lost!.lease, 0, { trouble: 'mine' })).toBe(false);
  expect((await table.row('milk')).trouble).toBe(null);
  expect(await one.claim(1, 60_000)).toEqual([]);
  expect(await other.postpone(won!.lease, 0)).toBe(true);
});

test('who holds a row whose state was changed meanwhile puts nothing off', async () => {
  await table.write(['milk']);
  const [held] = await one.claim(1, 60_000);
  await table.finish('milk');
  expect(await one.postpone(held!.lease, 0)).toBe(false);
  expect((await table.row('milk')).dueInMs).toBe(null);
});

test('where rows have a version, it says whose lease it is', async () => {
  const queue = new JobQueue(versioned, table.store);
  await table.write(['milk', 'bread']);
  const held = new Map((await queue.claim(2, 60_000)).map(({ lease }) => [lease.id, lease]));
  // Whoever changes a row without another state and another attempt: it is not held any more.
  await table.pool.query(`UPDATE errands SET version = version + 1 WHERE id = 'milk'`);
  expect(await queue.postpone(held.get('milk')!, 0)).toBe(false);
  // And who moved it on, to another state, holds it.
  await table.pool.query(`UPDATE errands SET stage = 'carried', tries = 9 WHERE id = 'bread'`);
  expect(await queue.postpone(held.get('bread')!, 5_000, { trouble: 'too heavy' })).toBe(true);
  const { rows } = await table.pool.query(
    `SELECT id, version, round(extract(epoch FROM when_due - put_off_at))::int AS waits, trouble FROM errands ORDER BY id`,
  );
  expect(rows).toEqual([
    { id: 'bread', version: 1, waits: 5, trouble: 'too heavy' },
    { id: 'milk', version: 2, waits: null, trouble: null },
  ]);
});
