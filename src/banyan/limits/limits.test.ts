// Limits as their callers rely on them: counted in Postgres by all hosts together, whatever comes at once.
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Problem } from '../contract/problem.ts';
import { type ThrowawayServer, throwawayServer } from '../postgres/testing.ts';
import type { Sql } from '../store/store.ts';
import { clientOf, exemptions, exemptNetworks } from './address.ts';
import { createLimits } from './limits.ts';
import { limitTables } from './tables.ts';

let server: ThrowawayServer;
let pool: pg.Pool;
let sql: Sql;

beforeAll(async () => {
  server = await throwawayServer();
  pool = new pg.Pool({ connectionString: await server.database(), max: 8 });
  // The server ends before the last of its sessions.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  await pool.query('CREATE SCHEMA box');
  // Made twice, as at two starts. Its callers have another search path.
  for (const _ of ['first', 'second'])
    await pool.query(`SET search_path = box; ${limitTables()}; RESET search_path`);
  sql = {
    async query(text, values) {
      const { rows, rowCount } = await pool.query(text, values as unknown[]);
      return { rows, rowCount: rowCount ?? 0 };
    },
  };
});
afterAll(async () => {
  await pool?.end();
  await server?.stop();
});

/** Another process: it shares the database and nothing else. */
const host = (isExempt = exemptions()) => createLimits({ sql, schema: 'box', isExempt });

/** What came of it: 'taken', or the seconds to wait. */
const outcome = (work: Promise<void>) =>
  work.then(
    () => 'taken' as const,
    (error: Problem) => {
      expect(error).toBeInstanceOf(Problem);
      expect(error.body).toMatchObject({ status: 429, code: 'too-many-requests' });
      return error.retryAfter!;
    },
  );
const taken = (outcomes: readonly unknown[]) => outcomes.filter((one) => one === 'taken').length;
/** As if these seconds had passed for the guesses. */
const later = (seconds: number) =>
  pool.query(
    `UPDATE box.limit_guess SET free_at = free_at - $1 * interval '1 s', expires_at = expires_at - $1 * interval '1 s'`,
    [seconds],
  );

test('of many requests of one address at once, two hosts let as many through as the rule says', async () => {
  const rule = { name: 'tests', most: 7, seconds: 60 };
  const [one, other] = [host(), host()];
  const all = await Promise.all(
    Array.from({ length: 40 }, (_, i) => outcome((i % 2 ? one : other).take(rule, '192.0.2.1'))),
  );
  expect(taken(all)).toBe(7);
  expect(all.filter((wait) => wait !== 'taken').every((wait) => wait > 0 && wait <= 60)).toBe(true);
  expect(await outcome(host().take(rule, '192.0.2.2'))).toBe('taken');
  expect(await outcome(host().take({ ...rule, name: 'others' }, '192.0.2.1'))).toBe('taken');
});

test('an exempt address is not counted', async () => {
  const rule = { name: 'few', most: 1, seconds: 60 };
  const limits = host(exemptions(exemptNetworks(['203.0.113.0/24'])));
  for (const address of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1', '203.0.113.9', undefined]) {
    const all = await Promise.all([1, 2, 3].map(() => outcome(limits.take(rule, address))));
    expect(taken(all), address).toBe(3);
  }
  const strangers = [1, 2].map(() => outcome(limits.take(rule, '203.0.114.9')));
  expect(taken(await Promise.all(strangers))).toBe(1);
});

test('one client of IPv6 is its network', () => {
  expect(clientOf('2001:db8:1:2:3:4:5:6')).toBe(clientOf('2001:db8:1:2::9'));
  expect(clientOf('2001:db8:1:2::9')).not.toBe(clientOf('2001:db8:1:3::9'));
  expect(clientOf('2001:db8::1')).toBe('2001:db8:0:0::/64');
  expect(clientOf('::ffff:192.0.2.1')).toBe('192.0.2.1');
  expect(clientOf('64:ff9b::192.0.2.1')).toBe('64:ff9b:0:0::/64');
  expect(clientOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
});

test('sixty guesses at once from sixty addresses are five, and then the waits grow', async () => {
  const guesses = Array.from({ length: 60 }, (_, i) => outcome(host().guess('at-once', `192.0.2.${i}`)));
  expect(taken(await Promise.all(guesses))).toBe(5);
  const waits: unknown[] = [];
  for (let wait = await outcome(host().guess('at-once', '192.0.2.99')); waits.length < 12; ) {
    waits.push(wait);
    await later(Number(wait));
    expect(await outcome(host().guess('at-once', '192.0.2.99'))).toBe('taken');
    wait = await outcome(host().guess('at-once', '192.0.2.99'));
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
});

test('the owner gets in where they were before, and anywhere else after one wait', async () => {
  const [home, abroad, stranger] = ['198.51.100.1', '198.51.100.2', '192.0.2.1'];
  const owner = host();
  await owner.guess('owned', home);
  await owner.right('owned', home);
  for (let i = 0; i < 9; i += 1) {
    await outcome(host().guess('owned', stranger));
    await later(1000);
  }
  await host().guess('owned', stranger);
  expect(await outcome(host().guess('owned', stranger))).toBeGreaterThan(0);
  expect(await outcome(owner.guess('owned', home))).toBe('taken');
  await owner.right('owned', home);
  const wait = Number(await outcome(host().guess('owned', abroad)));
  expect(wait).toBeGreaterThan(0);
  // Others go on guessing; who has waited gets in all the same.
  await later(wait);
  for (let i = 10; i < 20; i += 1) await outcome(host().guess('owned', `192.0.2.${i}`));
  expect(await outcome(host().guess('owned', abroad))).toBe('taken');
});

test('right guesses never make anybody wait, also many in a row', async () => {
  for (let i = 0; i < 20; i += 1) {
    expect(await outcome(host().guess('busy', `192.0.2.${i % 3}`))).toBe('taken');
    await host().right('busy', `192.0.2.${i % 3}`);
  }
});

test('a right guess that waits for another right one is not told to wait for it', async () => {
  const [subject, address] = ['two-at-once', '192.0.2.1'];
  await host().guess(subject, address);
  await host().right(subject, address);
  const other = await pool.connect();
  try {
    await other.query('BEGIN');
    await other.query(`SELECT FROM box.limit_guess WHERE source = $1 FOR UPDATE`, [address]);
    const guess = outcome(host().guess(subject, address));
    await expect
      .poll(async () => {
        const { rows } = await pool.query(
          `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%limit_guess_begin%'`,
        );
        return rows.length;
      })
      .toBe(1);
    const over = { sql: { query: other.query.bind(other) } as Sql, schema: 'box', isExempt: exemptions() };
    await createLimits(over).right(subject, address);
    await other.query('COMMIT');
    expect(await guess).toBe('taken');
  } finally {
    other.release();
  }
});

test('what has run out is removed by whoever counts next', async () => {
  await host().guess('old', '192.0.2.1');
  await later(3700);
  await pool.query(`INSERT INTO box.limit_count VALUES ('old', 1, 1)`);
  await host().guess('new', '192.0.2.1');
  await expect
    .poll(async () => {
      const { rows } =
        await pool.query(`SELECT (SELECT count(*)::int FROM box.limit_guess WHERE expires_at < now())
        + (SELECT count(*)::int FROM box.limit_count WHERE key = 'old') AS old`);
      return rows[0].old;
    })
    .toBe(0);
});

test('without its store nothing is let through', async () => {
  const gone: Sql = { query: () => Promise.reject(new Error('gone')) };
  const limits = createLimits({ sql: gone, schema: 'box', isExempt: exemptions() });
  await expect(limits.take({ name: 'x', most: 1, seconds: 1 }, '192.0.2.1')).rejects.toThrow('gone');
  await expect(limits.guess('x', '192.0.2.1')).rejects.toThrow('gone');
});
