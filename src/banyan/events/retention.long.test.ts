// Weeks of load in a minute: a round stands for a day, and what is older than three rounds is forgotten. The
// tables must stay as large as those three days make them, with autovacuum alone to clean up behind.
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EventLog } from '../log/port.ts';
import { createPostgresLog } from '../log/postgres.ts';
import { defaultRetention, forget } from './retention.ts';
import { openServer, type TestServer } from './testing/server.ts';
import { quiet, urlOf } from './testing/shop.ts';
import { openStand, type Stand } from './testing/stand.ts';
import { until } from './testing/until.ts';

/** Those that have enough dead rows for autovacuum to come, by what the server knows of them: the same as it goes by. */
const untidy = (stand: Stand, tables: readonly string[]) =>
  stand.query(
    `SELECT FROM pg_class c CROSS JOIN LATERAL (
       SELECT max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_threshold') AS threshold,
         max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_scale_factor') AS factor
       FROM pg_options_to_table(c.reloptions)) own
     WHERE c.oid = ANY ($1::regclass[]) AND pg_stat_get_dead_tuples(c.oid) >
       coalesce(own.threshold, current_setting('autovacuum_vacuum_threshold'))::float8
       + coalesce(own.factor, current_setting('autovacuum_vacuum_scale_factor'))::float8 * greatest(c.reltuples, 0)`,
    [tables],
  );

/** Bytes on the disk, with indexes. */
async function sizesOf(stand: Stand, tables: readonly string[]): Promise<Record<string, number>> {
  const rows = await stand.query<{ name: string; size: string }>(
    'SELECT name, pg_total_relation_size(name::regclass) AS size FROM unnest($1::text[]) name',
    [tables],
  );
  return Object.fromEntries(rows.map(({ name, size }) => [name, Number(size)]));
}

const DAYS = 14;
const KEPT = 3;
const PER_DAY = 1_500;
const MS_PER_DAY = 24 * 3600_000;

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
  const admin = new Client({ connectionString: server.url });
  await admin.connect();
  // A day passes in seconds here, so the launcher looks every second instead of every minute.
  await admin.query("ALTER SYSTEM SET autovacuum_naptime = '1s'");
  await admin.query('SELECT pg_reload_conf()');
  await admin.end();
}, 60_000);
afterAll(() => server.stop());

test('the event tables stay as large as what is kept', async () => {
  const stand = await openStand(server.url);
  const retentionMs = 1;
  const eventLog = createPostgresLog({
    url: urlOf(stand.url, 'banyan_log'),
    log: quiet,
    retentionMs,
    pollMs: 200,
  }) as EventLog & { trim(): Promise<number> };
  const host = stand.host({ eventLog });
  await host.start();
  const tables = [
    'shop.event_outbox',
    'shop.event_sent',
    'till.event_outbox',
    'till.event_delivery',
    'banyan_log.record',
  ];
  const sizes = [await sizesOf(stand, tables)];
  const began: number[] = [];
  for (let day = 1; day <= DAYS; day += 1) {
    began.push(Date.now());
    await stand.query(
      `SELECT count(shop.emit_event(gen_random_uuid(), 'shop.events', 'key-' || n % 300, 'shop.sold.v1',
         json_build_object('orderId', 'key-' || n % 300, 'n', n)))
       FROM generate_series(1, $1::int) n`,
      [PER_DAY],
    );
    await until(
      'the day is done',
      async () => {
        const [row] = await stand.query<{ n: number }>(
          `SELECT (SELECT count(*) FROM shop.event_outbox)::int + (SELECT count(*) FROM till.event_outbox)::int
             + $1::int - (SELECT count(*) FROM till.effect)::int AS n`,
          [day * PER_DAY],
        );
        return row!.n === 0;
      },
      60_000,
    );
    const oldest = began.at(-KEPT);
    if (oldest !== undefined) {
      const sentDays = (Date.now() - oldest) / MS_PER_DAY;
      await forget(host.shopStore.pool, 'shop', { ...defaultRetention, sentDays });
      await forget(host.tillStore.pool, 'till', { ...defaultRetention, sentDays });
    }
    await eventLog.trim();
    // A real day is long: what autovacuum has to do it has done by its end, however busy the machine is.
    await until(
      'autovacuum has nothing to do',
      async () => (await untidy(stand, tables)).length === 0,
      60_000,
    );
    sizes.push(await sizesOf(stand, tables));
  }
  console.log(sizes.map((one) => JSON.stringify(one)).join('\n'));
  for (const table of tables) {
    const all = sizes.map((one) => one[table]!);
    const dayAtMost = Math.max(...all.slice(1).map((size, day) => size - all[day]!));
    // Autovacuum comes every few days, so a table goes up and down. What nobody cleans has all days in it.
    expect(Math.max(...all), `${table} grows`).toBeLessThan((DAYS / 2) * dayAtMost);
  }
  const [kept] = await stand.query<{ sent: number; done: number }>(
    `SELECT (SELECT count(*) FROM shop.event_sent)::int AS sent, (SELECT count(*) FROM till.event_delivery)::int AS done`,
  );
  expect(kept!.sent).toBeLessThanOrEqual((KEPT + 1) * PER_DAY);
  expect(kept!.done).toBeLessThanOrEqual((KEPT + 1) * PER_DAY);
  await until('autovacuum has been at the outbox', async () => {
    const [row] = await stand.query<{ n: number }>(
      `SELECT coalesce(autovacuum_count, 0)::int AS n FROM pg_stat_user_tables
       WHERE schemaname = 'shop' AND relname = 'event_outbox'`,
    );
    return row!.n > 0;
  });
  await stand.close();
}, 300_000);
