// A log that the version before has made, upgraded in place: nothing of it is lost, its hosts go on with the log's own role
// and their own statements until they are replaced, and share a group with those of this version meanwhile.
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, openServer, type TestServer } from '../events/testing/server.ts';
import { provisionShop, quiet, urlOf } from '../events/testing/shop.ts';
import { until } from '../events/testing/until.ts';
import { provision } from '../postgres/provision.ts';
import { readSql } from '../postgres/sql-file.ts';
import { createPostgresLog } from './postgres.ts';

let server: TestServer;
let url: string;
let older: Client;

/** The statements of the version before, word for word. */
const append = (topic: string, key: string) =>
  older.query('SELECT banyan_log.append((SELECT id FROM banyan_log.topic WHERE name = $1), $2::json)', [
    topic,
    JSON.stringify([{ p: 0, k: key, h: { ce_id: key }, v: '1' }]),
  ]);
const beat = async (member: string) =>
  (
    await older.query(
      `SELECT * FROM banyan_log.beat($1, $2, pg_backend_pid(), (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()), $3, '6 s')`,
      ['till', member, ['shop.events']],
    )
  ).rows as { topic_id: number; partition: number; surplus: boolean }[];

beforeAll(async () => {
  server = await openServer();
  url = (await openDatabase(server.url)).url;
  await provision({
    adminUrl: url,
    secret: 'a secret of the tests',
    modules: [],
    schemas: [
      { schema: 'banyan_log', role: 'banyan_log', ddl: readSql(import.meta.url, './testing/log-before.sql') },
    ],
    moduleDdl: () => '',
    log: pino({ level: 'silent' }),
  });
  older = new Client({ connectionString: urlOf(url, 'banyan_log') });
  await older.connect();
});
afterAll(async () => {
  await older.end();
  await server.stop();
});

test('a host of each version share a group, and nothing that was in the log is lost or given twice', async () => {
  const member = randomUUID();
  await older.query(`SELECT banyan_log.ensure_topic('shop.events', 6)`);
  await append('shop.events', 'done');
  await append('shop.events', 'open');
  const its = await beat(member);
  const [first] = its.filter(({ partition }) => partition === 0);
  await older.query('SELECT banyan_log.commit_offsets($1, $2, $3::json)', [
    'till',
    member,
    JSON.stringify([{ t: first!.topic_id, p: 0, o: '1', release: false }]),
  ]);

  await provisionShop(url);
  const whole = createPostgresLog({ url: urlOf(url, 'banyan_log'), log: quiet });
  await whole.allow!([{ module: 'till', topic: 'till.events', reads: ['shop.events'] }]);
  await append('shop.events', 'later');
  expect(await beat(member)).toHaveLength(6);

  const till = createPostgresLog({
    url: urlOf(url, 'banyan_till'),
    whole: false,
    sessionMs: 400,
    log: quiet,
  });
  const seen: (string | undefined)[] = [];
  const subscription = await till.subscribe({
    group: 'till',
    topics: ['shop.events'],
    onBatch: async ({ records }) => void seen.push(...records.map(({ headers }) => headers.ce_id)),
  });
  // Both are seen to live: the older one is asked to give up half.
  await until('its share', async () => (await beat(member)).filter(({ surplus }) => surplus).length === 3);
  expect(seen).toEqual([]);
  // Gone without a word.
  await older.end();
  older = new Client({ connectionString: urlOf(url, 'banyan_log') });
  await older.connect();
  await until('the newer one has all of them', () => seen.length === 2);
  expect(seen).toEqual(['open', 'later']);
  await subscription.close();
  await Promise.all([till.close(), whole.close()]);
});
