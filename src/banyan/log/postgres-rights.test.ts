// Whoever has the role of one module, and nothing else, tries everything on the log: other topics, other groups, the tables,
// the server. What the module needs it may do; all else is refused by the database, and leaves no trace in it.
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openDatabase, openServer, type TestServer } from '../events/testing/server.ts';
import { provisionShop, quiet, urlOf } from '../events/testing/shop.ts';
import { until } from '../events/testing/until.ts';
import { all } from './conformance.ts';
import { type EventLog, LogRefused } from './port.ts';
import { createPostgresLog } from './postgres.ts';

const record = { key: 'a', headers: { ce_id: 'x' }, value: '1' };
const uses = [
  { module: 'shop', topic: 'shop.events', reads: [] },
  { module: 'till', topic: 'till.events', reads: ['shop.events'] },
];

let server: TestServer;
let url: string;
let whole: EventLog;
let till: EventLog;
let asTill: Client;
let admin: Client;

beforeAll(async () => {
  server = await openServer();
  url = (await openDatabase(server.url)).url;
  await provisionShop(url);
  whole = createPostgresLog({ url: urlOf(url, 'banyan_log'), log: quiet });
  await whole.allow!(uses);
  till = createPostgresLog({ url: urlOf(url, 'banyan_till'), whole: false, log: quiet });
  asTill = new Client({ connectionString: urlOf(url, 'banyan_till') });
  admin = new Client({ connectionString: url });
  await Promise.all([asTill.connect(), admin.connect()]);
  await whole.append('shop.events', [record]);
  await whole.append('till.events', [record]);
});
afterAll(async () => {
  await Promise.all([whole.close(), till.close(), asTill.end(), admin.end()]);
  await server.stop();
});

const idOf = async (topic: string) =>
  (await admin.query('SELECT id FROM banyan_log.topic WHERE name = $1', [topic])).rows[0].id as number;

/** Everything that is in the log's tables. */
const picture = async () => {
  const tables = [
    'topic',
    'partition',
    'record',
    'member',
    'claim',
    'consumer_group',
    'role_topic',
    'role_group',
  ];
  const found = tables.map((name) => `'${name}', (SELECT json_agg(t) FROM banyan_log.${name} t)`);
  return (await admin.query(`SELECT json_build_object(${found.join(', ')}) AS all`)).rows[0].all;
};

test('it publishes on its own topic, and hears what it listens to', async () => {
  await till.ensureTopics(['till.events', 'shop.events']);
  await till.append('till.events', [record]);
  const seen: string[] = [];
  const subscription = await till.subscribe({
    group: 'till',
    topics: ['shop.events'],
    onBatch: async ({ records }) => void seen.push(...records.map(({ topic }) => topic)),
  });
  await until('it hears', () => seen.length > 0);
  expect((await till.lag('till', ['shop.events'])).length).toBe(6);
  await subscription.close();
  expect((await all(till.read('shop.events'))).length).toBeGreaterThan(0);
});

describe('refused, and without effect, is', () => {
  const refused = { code: '42501' };
  const other = randomUUID();

  test.each<[string, () => Promise<unknown>]>([
    ['an event of another module', () => till.append('shop.events', [record])],
    ['a topic of its own making', () => till.ensureTopics(['mine.events'])],
    ['an event on a topic that nobody granted', () => till.append('mine.events', [record])],
    ['a look into a topic that it does not listen to', () => all(till.read('till.events'))],
    ['how far another group is', () => till.lag('shop', ['shop.events'])],
    ['how far its own is in what it does not hear', () => till.lag('till', ['till.events'])],
  ])('by the adapter: %s', async (_what, attempt) => {
    const before = await picture();
    await expect(attempt()).rejects.toThrow(LogRefused);
    expect(await picture()).toEqual(before);
  });

  test('a membership of another group, the offsets and the members of others', async () => {
    const beat = (group: string, topics: string[], member = other) =>
      asTill.query(`SELECT * FROM banyan_log.group_beat($1, $2, pg_backend_pid(), now(), $3, '6 s')`, [
        group,
        member,
        topics,
      ]);
    const subscription = await whole.subscribe({
      group: 'shop',
      topics: ['till.events'],
      onBatch: async () => {},
    });
    const member = async () =>
      (await admin.query(`SELECT id FROM banyan_log.member WHERE group_name = 'shop'`)).rows.map(
        ({ id }) => id,
      );
    const [its] = await member();
    await expect(beat('shop', ['shop.events'])).rejects.toMatchObject(refused);
    await expect(beat('shop', ['till.events'], its)).rejects.toMatchObject(refused);
    await expect(beat('till', ['till.events'])).rejects.toMatchObject(refused);
    const offsets = JSON.stringify([{ t: await idOf('till.events'), p: 0, o: '999', release: true }]);
    await expect(
      asTill.query(`SELECT banyan_log.group_commit('shop', $1, $2::json)`, [its, offsets]),
    ).rejects.toMatchObject(refused);
    await expect(asTill.query(`SELECT banyan_log.group_leave('shop', $1)`, [its])).rejects.toMatchObject(
      refused,
    );
    // In its own group the id of a stranger's member is just another one.
    await asTill.query(`SELECT banyan_log.group_commit('till', $1, $2::json)`, [its, offsets]);
    expect(await member()).toEqual([its]);
    expect((await whole.lag('shop', ['till.events'])).every(({ next }) => next !== '999')).toBe(true);
    await subscription.close();
  });

  test('the functions by the numbers of topics', async () => {
    const [shop, own] = [await idOf('shop.events'), await idOf('till.events')];
    const records = JSON.stringify([{ p: 0, k: 'a', h: {}, v: '1' }]);
    const attempts: [string, unknown[]][] = [
      ['SELECT banyan_log.append_to($1, $2::json)', [shop, records]],
      ['SELECT banyan_log.append_to($1, $2::json)', [-1, records]],
      ['SELECT * FROM banyan_log.fetch_records($1::json, 10)', [JSON.stringify([{ t: own, p: 0, o: 0 }])]],
      [
        'SELECT * FROM banyan_log.fetch_records($1::json, 10)',
        [
          JSON.stringify([
            { t: shop, p: 0, o: 0 },
            { t: own, p: 0, o: 0 },
          ]),
        ],
      ],
      ['SELECT * FROM banyan_log.page_of($1, $2::json, 10, null)', [own, JSON.stringify([{ p: 0, o: 0 }])]],
      ['SELECT * FROM banyan_log.begins_of($1, null)', [own]],
      ['SELECT * FROM banyan_log.ends_of($1)', [own]],
    ];
    const before = await picture();
    for (const [text, values] of attempts)
      await expect(asTill.query(text, values), text).rejects.toMatchObject(refused);
    expect(await picture()).toEqual(before);
  });

  test.each([
    `INSERT INTO banyan_log.record (topic, partition, "offset", headers) VALUES (1, 0, 999, '{}')`,
    'SELECT * FROM banyan_log.record',
    'DELETE FROM banyan_log.record',
    'TRUNCATE banyan_log.record',
    'UPDATE banyan_log.claim SET committed = 999',
    'DELETE FROM banyan_log.member',
    'SELECT * FROM banyan_log.consumer_group FOR UPDATE',
    'BEGIN; LOCK TABLE banyan_log.partition',
    `INSERT INTO banyan_log.role_topic VALUES ('banyan_till', 'shop.events', true, true)`,
    `INSERT INTO banyan_log.role_group VALUES ('banyan_till', 'shop')`,
    `SELECT banyan_log.set_rights('[]', 6)`,
    `SELECT banyan_log.append(1, '[]')`,
    `SELECT banyan_log.ensure_topic('mine.events', 1)`,
    `SELECT banyan_log.commit_offsets('shop', '${other}', '[]')`,
    `SELECT * FROM banyan_log.beat('shop', '${other}', 1, now(), '{}', '1 s')`,
    'CREATE TABLE banyan_log.mine ()',
    'CREATE FUNCTION banyan_log.append_to(integer, json) RETURNS void LANGUAGE sql AS $$ SELECT $$',
    'CREATE FUNCTION till.mine() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
    'ALTER FUNCTION banyan_log.append_to(integer, json) SET search_path = till',
    'CREATE SCHEMA mine',
    'SET ROLE banyan_log',
    'SET ROLE banyan_log_owner',
    'SET ROLE banyan_shop',
    'SET SESSION AUTHORIZATION banyan_shop',
    'SELECT * FROM shop.event_outbox',
    'SELECT * FROM pg_authid',
    `ALTER ROLE banyan_shop PASSWORD 'mine'`,
    'ALTER ROLE banyan_till CONNECTION LIMIT 1000',
    'ALTER ROLE banyan_till CREATEROLE',
    'BEGIN; LOCK TABLE banyan_lock.provision IN EXCLUSIVE MODE',
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $$banyan_log$$',
  ])('by SQL: %s', async (text) => {
    await expect(asTill.query(text)).rejects.toMatchObject(refused);
    await asTill.query('ROLLBACK');
  });

  test('a table in a search path of its own is not what the functions take for theirs', async () => {
    await asTill.query(
      'CREATE TEMP TABLE role_topic AS SELECT $$banyan_till$$::name AS role, $$shop.events$$ AS topic, true AS appends, true AS reads, NULL::timestamptz AS ends_at',
    );
    await asTill.query('SET search_path = pg_temp, till');
    const attempt = asTill.query(`SELECT banyan_log.append_to($1, '[{"p":0,"k":"a","h":{},"v":"1"}]')`, [
      await idOf('shop.events'),
    ]);
    await expect(attempt).rejects.toMatchObject(refused);
    await asTill.query('DROP TABLE pg_temp.role_topic; RESET search_path');
  });
});

test('locks that it may take hold up nobody: topics, groups and provisioning go on', async () => {
  await asTill.query('BEGIN');
  for (const lock of ['hashtext($$banyan_log$$), hashtext($$shop$$)', '7220001', '7220002', '7220003'])
    await asTill.query(`SELECT pg_advisory_lock(${lock})`);
  await asTill.query('SELECT banyan_log.make_topics($1, 6)', [['till.events']]);
  await whole.append('shop.events', [record]);
  const subscription = await whole.subscribe({
    group: 'shop',
    topics: ['till.events'],
    onBatch: async () => {},
  });
  await subscription.close();
  await provisionShop(url);
  await admin.query('COMMENT ON SCHEMA till IS NULL');
  await provisionShop(url);
  await asTill.query('ROLLBACK; SELECT pg_advisory_unlock_all()');
});

test('a right that nobody names any more ends, an hour later', async () => {
  const may = async () => (await all(till.read('shop.events'))).length > 0;
  const without = uses.map((one) => ({ ...one, reads: [] }));
  await whole.allow!(without);
  expect(await may()).toBe(true);
  await admin.query(
    `UPDATE banyan_log.role_topic SET ends_at = now() - interval '1 s' WHERE ends_at IS NOT NULL`,
  );
  // Its own topic is in both lists; what it read is not.
  await expect(may()).rejects.toThrow('the role banyan_till may not read shop.events');
  await whole.allow!(uses);
  expect(await may()).toBe(true);
});

test('ten thousand notifications of a module cost the others a few looks', async () => {
  const seen: unknown[] = [];
  const reading = await whole.subscribe({
    group: 'flooded',
    topics: ['till.events'],
    onBatch: async ({ records }) => void seen.push(...records),
  });
  await until('it has read what is there', () => seen.length > 0);
  const looks = vi.spyOn(Client.prototype, 'query');
  const began = performance.now();
  await asTill.query(
    `DO $$ BEGIN FOR n IN 1..10000 LOOP
       PERFORM pg_notify('banyan_log', n || ' topic:till.events:0,1,2,3,4,5 group:flooded');
       IF n % 100 = 0 THEN COMMIT; END IF;
     END LOOP; END $$`,
  );
  // Said after all of these, so it is heard after them.
  await whole.append('till.events', [{ ...record, headers: { ce_id: 'last' } }]);
  await until('it reads on', () => seen.some((one) => (one as typeof record).headers.ce_id === 'last'));
  const spans = (performance.now() - began) / 15;
  const fetches = looks.mock.calls.filter(([what]) => JSON.stringify(what).includes('log-fetch')).length;
  const beats = looks.mock.calls.filter(([what]) => JSON.stringify(what).includes('group_beat')).length;
  looks.mockRestore();
  expect(fetches).toBeGreaterThan(0);
  expect(fetches).toBeLessThan(spans + 10);
  expect(beats).toBeLessThan(spans / 6 + 10);
  await reading.close();
});

test('a record that whoever reads the topic could not hold is refused, by the log itself', async () => {
  const large = 'x'.repeat(1024 * 1024);
  await expect(till.append('till.events', [{ ...record, value: `${large}x` }])).rejects.toThrow(
    'record_size',
  );
  await expect(till.append('till.events', [{ ...record, headers: { ce_id: large } }])).rejects.toThrow(
    'record_size',
  );
  await till.append('till.events', [{ ...record, value: large }]);
});
