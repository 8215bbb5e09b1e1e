// "Once" rests on the order of the times for which things are kept: what the log can still bring is always
// recognised, and a key starts again only when the log has nothing left of its past.
import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LOG_DAYS } from '../log/port.ts';
import { defaultRetention, forget, RESTART_DAYS } from './retention.ts';
import { openServer, type TestServer } from './testing/server.ts';
import { openStand, type Stand } from './testing/stand.ts';

const HOUR = 1 / 24;
let server: TestServer;
let stand: Stand;
let pool: Pool;

beforeAll(async () => {
  server = await openServer();
  stand = await openStand(server.url);
  pool = new Pool({ connectionString: stand.url, max: 1 });
}, 60_000);
afterAll(async () => {
  await pool.end();
  await stand.close();
  await server.stop();
});

async function take(id: string, key: string, sequence: number): Promise<string> {
  const { rows } = await pool.query<{ verdict: string }>(
    `SELECT till.event_take($1, 'shop.events', $2, $3, 'shop.sold.v1', now(), NULL, NULL) AS verdict`,
    [id, key, sequence],
  );
  return rows[0]!.verdict;
}

/** As if everything about the key had happened so many days earlier. */
async function age(key: string, days: number): Promise<void> {
  const by = `make_interval(secs => $2::float8 * 86400)`;
  await pool.query(
    `UPDATE till.event_delivery SET received_at = received_at - ${by}, settled_at = settled_at - ${by} WHERE key = $1`,
    [key, days],
  );
  await pool.query(`UPDATE till.event_stream SET last_at = last_at - ${by} WHERE key = $1`, [key, days]);
}

test('the log forgets first, then a key may start again, then ids are forgotten, and keys last', () => {
  const { sentDays, keyDays } = defaultRetention;
  expect(LOG_DAYS).toBeLessThan(RESTART_DAYS);
  expect(RESTART_DAYS).toBeLessThan(sentDays);
  expect(sentDays).toBeLessThan(keyDays);
});

test('the oldest event that the log can bring again is recognised', async () => {
  const id = randomUUID();
  expect(await take(id, 'repeated', 1)).toBe('take');
  await age('repeated', LOG_DAYS);
  await forget(pool, 'till');
  expect(await take(id, 'repeated', 1)).toBe('duplicate');
});

test('a repeat is recognised also after its key could have started again', async () => {
  const id = randomUUID();
  expect(await take(id, 'restarted', 1)).toBe('take');
  await age('restarted', RESTART_DAYS + HOUR);
  await forget(pool, 'till');
  expect(await take(id, 'restarted', 1)).toBe('duplicate');
});

test('a key starts again when its last event is older than all that the log keeps, and not before', async () => {
  for (const [key, days, verdict] of [
    ['younger', LOG_DAYS, 'late'],
    ['almost', RESTART_DAYS - HOUR, 'late'],
    ['older', RESTART_DAYS + HOUR, 'take'],
  ] as const) {
    expect(await take(randomUUID(), key, 1)).toBe('take');
    await age(key, days);
    expect(await take(randomUUID(), key, 1), key).toBe(verdict);
  }
});
