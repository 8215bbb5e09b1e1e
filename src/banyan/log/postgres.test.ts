// The Postgres log: the conformance suite, and what only it can get wrong (a late commit, a killed session).
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attributesOf } from '../events/cloudevents.ts';
import { openDatabase, openServer, type TestServer } from '../events/testing/server.ts';
import { provisionShop, quiet, urlOf } from '../events/testing/shop.ts';
import { until } from '../events/testing/until.ts';
import { all, conformance } from './conformance.ts';
import { LOG_DAYS, type StoredRecord, saneTime } from './port.ts';
import { createPostgresLog } from './postgres.ts';

conformance('Postgres', async () => {
  const server = await openServer();
  const database = await openDatabase(server.url);
  await provisionShop(database.url);
  return {
    connect: () => createPostgresLog({ url: urlOf(database.url, 'banyan_log'), log: quiet }),
    async close() {
      await server.stop();
    },
  };
});

conformance('Postgres as the role of a module', async () => {
  const server = await openServer();
  const database = await openDatabase(server.url);
  await provisionShop(database.url);
  const run = async (sql: string, name: string) => {
    const admin = new Client({ connectionString: urlOf(database.url, 'banyan_log') });
    await admin.connect();
    await admin.query(sql, [name]).finally(() => admin.end());
  };
  return {
    connect: () => createPostgresLog({ url: urlOf(database.url, 'banyan_shop'), whole: false, log: quiet }),
    allow: (what) =>
      'topic' in what
        ? run(`INSERT INTO banyan_log.role_topic VALUES ('banyan_shop', $1, true, true)`, what.topic)
        : run(
            `INSERT INTO banyan_log.role_group VALUES ('banyan_shop', $1) ON CONFLICT DO NOTHING`,
            what.group,
          ),
    async close() {
      await server.stop();
    },
  };
});

describe('the Postgres log alone', () => {
  let server: TestServer;
  let url: string;

  beforeAll(async () => {
    server = await openServer();
    const database = await openDatabase(server.url);
    await provisionShop(database.url);
    url = urlOf(database.url, 'banyan_log');
  });
  afterAll(() => server.stop());

  test('a row that somebody wrote by hand, with headers or a time that are none, is given and holds up nothing', async () => {
    const log = createPostgresLog({ url, log: quiet, partitions: 1 });
    const topic = randomUUID();
    await log.ensureTopics([topic]);
    const hand = new Client({ connectionString: url });
    await hand.connect();
    const odd = ['[1]', '"text"', '{"ce_id":5,"ce_type":"x","traceparent":null}'];
    for (const headers of odd)
      await hand.query(
        `SELECT banyan_log.append((SELECT id FROM banyan_log.topic WHERE name = $1),
           json_build_array(json_build_object('p', 0, 'k', 'a', 'h', $2::json, 'v', '1')))`,
        [topic, headers],
      );
    await hand.end();
    await log.append(topic, [{ key: 'a', headers: { ce_id: 'last' }, value: '1' }]);
    const expected = [{}, {}, { ce_type: 'x' }, { ce_id: 'last' }];
    const read = await all(log.read(topic));
    expect(read.map((one) => one.headers)).toEqual(expected);
    for (const one of read) expect(() => attributesOf(one, 'here')).not.toThrow();
    expect(() => attributesOf({ ...read[0]!, timestamp: saneTime(Infinity) }, 'here')).not.toThrow();
    const seen: StoredRecord[] = [];
    const subscription = await log.subscribe({
      group: 'by hand',
      topics: [topic],
      onBatch: async ({ records }) => void seen.push(...records),
    });
    await until('all of them', () => seen.length === expected.length);
    await subscription.close();
    await log.close();
  });

  test('an append that commits late is not skipped', async () => {
    const log = createPostgresLog({ url, log: quiet, partitions: 1 });
    const topic = randomUUID();
    await log.ensureTopics([topic]);
    const seen: string[] = [];
    const subscription = await log.subscribe({
      group: 'late',
      topics: [topic],
      onBatch: async ({ records }) => void seen.push(...records.map((one) => one.headers.ce_id!)),
    });
    const slow = new Client({ connectionString: url });
    await slow.connect();
    await slow.query('BEGIN');
    await slow.query(
      `SELECT banyan_log.append((SELECT id FROM banyan_log.topic WHERE name = $1), '[{"p":0,"k":"a","h":{"ce_id":"slow"},"v":"1"}]')`,
      [topic],
    );
    const fast = log.append(topic, [{ key: 'b', headers: { ce_id: 'fast' }, value: '1' }]);
    await until('the fast one waits for the slow one', async () => {
      const { rows } = await slow.query(`SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted`);
      return rows[0].n > 0;
    });
    expect(seen).toEqual([]);
    await slow.query('COMMIT');
    await fast;
    await until('both are read', () => seen.length === 2);
    expect(seen).toEqual(['slow', 'fast']);
    await slow.end();
    await subscription.close();
    await log.close();
  });

  test('a killed member loses its partitions at once, not after its time', async () => {
    const topic = randomUUID();
    const log = createPostgresLog({ url, log: quiet });
    await log.ensureTopics([topic]);
    const dead = new Client({ connectionString: url });
    await dead.connect();
    const { rows: who } = await dead.query(
      'SELECT pid, backend_start::text AS start FROM pg_stat_activity WHERE pid = pg_backend_pid()',
    );
    const { rows: its } = await dead.query(
      `SELECT * FROM banyan_log.beat('killed', $1, $2, $3, $4, '1 hour')`,
      [randomUUID(), who[0].pid, who[0].start, [topic]],
    );
    expect(its).toHaveLength(6);
    await dead.end();
    const seen: string[] = [];
    const subscription = await log.subscribe({
      group: 'killed',
      topics: [topic],
      onBatch: async ({ records }) => void seen.push(...records.map((one) => one.headers.ce_id!)),
    });
    await log.append(topic, [{ key: 'a', headers: { ce_id: 'x' }, value: '1' }]);
    await until('the living one reads', () => seen.length === 1, 5_000);
    await subscription.close();
    await log.close();
  });

  test('nobody is notified where nobody else reads, and who begins to read is', async () => {
    const topic = randomUUID();
    const record = { key: 'a', headers: {}, value: '1' };
    const open = () => createPostgresLog({ url, log: quiet, pollMs: 60_000 });
    const own = open();
    await own.ensureTopics([topic]);
    const heard: string[] = [];
    const listening = new Client({ connectionString: url });
    await listening.connect();
    listening.on('notification', ({ payload }) => heard.push(payload ?? ''));
    await listening.query('LISTEN banyan_log');
    const first = await own.subscribe({ group: randomUUID(), topics: [topic], onBatch: async () => {} });
    await until('appends are silent', async () => {
      heard.length = 0;
      await own.append(topic, [record]);
      // Who joins always says so, and after what was said before.
      const group = randomUUID();
      const joined = await own.subscribe({ group, topics: [topic], onBatch: async () => {} });
      await until('the group is heard', () => heard.some((words) => words.includes(`group:${group}`)));
      await joined.close();
      return !heard.some((words) => words.includes(`topic:${topic}`));
    });

    const other = open();
    const seen: (string | undefined)[] = [];
    const second = await other.subscribe({
      group: randomUUID(),
      topics: [topic],
      onBatch: async ({ records }) => void seen.push(...records.map((one) => one.headers.ce_id)),
    });
    const before = await all(own.read(topic));
    await until('the other has read what was there', () => seen.length >= before.length);
    await until('the other reads what is appended now', async () => {
      await own.append(topic, [{ ...record, headers: { ce_id: 'new' } }]);
      return seen.includes('new');
    });
    await Promise.all([first.close(), second.close()]);
    await Promise.all([own.close(), other.close(), listening.end()]);
  });

  test('records are kept for the days that outboxes and inboxes count on', async () => {
    const topic = randomUUID();
    const log = createPostgresLog({ url, log: quiet }) as ReturnType<typeof createPostgresLog> & {
      trim(): Promise<number>;
    };
    await log.ensureTopics([topic]);
    const records = ['older', 'younger'].map((key) => ({ key, headers: {}, value: '1' }));
    await log.append(topic, records);
    const hand = new Client({ connectionString: url });
    await hand.connect();
    for (const [key, hours] of [
      ['older', LOG_DAYS * 24 + 1],
      ['younger', LOG_DAYS * 24 - 1],
    ])
      await hand.query(
        `UPDATE banyan_log.record SET appended_at = now() - $2::int * interval '1 hour' WHERE key = $1`,
        [key, hours],
      );
    await hand.end();
    expect(await log.trim()).toBe(1);
    expect((await all(log.read(topic))).map(({ key }) => key)).toEqual(['younger']);
    await log.close();
  });

  test('records go after the retention, and a reader goes on behind them', async () => {
    const topic = randomUUID();
    const log = createPostgresLog({ url, log: quiet, retentionMs: 0 }) as ReturnType<
      typeof createPostgresLog
    > & {
      trim(): Promise<number>;
    };
    await log.ensureTopics([topic]);
    await log.append(
      topic,
      Array.from({ length: 10 }, (_, n) => ({ key: `k${n}`, headers: {}, value: '1' })),
    );
    await until(
      'everything is old',
      async () => (await log.trim()) >= 10 || (await all(log.read(topic))).length === 0,
    );
    expect((await log.lag('nobody', [topic])).every((one) => one.events === 0)).toBe(true);
    await log.append(topic, [{ key: 'a', headers: { ce_id: 'new' }, value: '1' }]);
    expect(await all(log.read(topic))).toHaveLength(1);
    await log.close();
  });
});
