// The tables of events in a module's schema: what an older version made is taken over with its rows and becomes what a
// new schema is, what is as it should be is left alone, and what the files say twice is the same in the code.
import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { provision } from '../postgres/provision.ts';
import { MAX_EVENT_BYTES, MAX_KEY_LENGTH } from './cloudevents.ts';
import { deliveryStates } from './delivery.ts';
import { auditActions } from './operations/audit.ts';
import { moduleEventTables } from './tables.ts';
import { openDatabase, openServer, type TestServer } from './testing/server.ts';

const before = readFileSync(new URL('./testing/tables-before.sql', import.meta.url), 'utf8');

let server: TestServer;
beforeAll(async () => {
  server = await openServer();
}, 60_000);
afterAll(() => server.stop());

const prepare = (adminUrl: string, ddl: string) =>
  provision({
    adminUrl,
    secret: 'a secret of this test',
    modules: [],
    schemas: [{ schema: 'till', role: 'banyan_till', ddl }],
    moduleDdl: () => '',
    log: pino({ level: 'silent' }),
  });

async function inDatabase<T>(work: (url: string, client: Client) => Promise<T>): Promise<T> {
  const { url, drop } = await openDatabase(server.url);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(url, client);
  } finally {
    await client.end();
    await drop();
  }
}

/** All that makes the schema what it is: columns, rules, indexes, functions. */
async function shape(client: Client) {
  const { rows } = await client.query(`
    SELECT format('column %s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) AS part
      FROM information_schema.columns WHERE table_schema = 'till'
    UNION ALL SELECT format('rule %s.%s %s %s', conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid))
      FROM pg_constraint WHERE connamespace = 'till'::regnamespace
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'till'
    UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'till'::regnamespace
    UNION ALL SELECT format('options of %s: %s', relname, reloptions) FROM pg_class
      WHERE relnamespace = 'till'::regnamespace AND relkind = 'r'
    ORDER BY part`);
  return rows.map(({ part }) => part as string);
}

/** Which transaction last wrote each function, and who each table and rule is: one that is made again is another. */
async function marks(client: Client) {
  const { rows } = await client.query(`
    SELECT 'function ' || proname AS name, xmin::text AS mark FROM pg_proc WHERE pronamespace = 'till'::regnamespace
    UNION ALL SELECT 'relation ' || relname, format('%s %s', oid, relfilenode) FROM pg_class
      WHERE relnamespace = 'till'::regnamespace
    UNION ALL SELECT 'rule ' || conname, oid::text FROM pg_constraint WHERE connamespace = 'till'::regnamespace
    ORDER BY name`);
  return rows as { name: string; mark: string }[];
}

const rowsOf = async (client: Client) => ({
  outbox: (await client.query('SELECT * FROM till.event_outbox ORDER BY position')).rows,
  keys: (await client.query('SELECT * FROM till.event_key ORDER BY key')).rows,
  streams: (await client.query('SELECT * FROM till.event_stream ORDER BY topic, key')).rows,
  deliveries: (await client.query('SELECT * FROM till.event_delivery ORDER BY id')).rows,
});

const take = async (client: Client, sequence: number, state: string) =>
  (
    await client.query(
      `SELECT till.event_take(gen_random_uuid(), 'shop.events', 'a', $1, 'shop.sold.v1', now(), '{}', 'x', $2, 'r', true) AS verdict`,
      [sequence, state],
    )
  ).rows[0].verdict as string;

test('what an older version made is taken over, and an older one may start once more', () =>
  inDatabase(async (url, client) => {
    await prepare(url, before);
    await client.query(`SELECT till.emit_event(gen_random_uuid(), 'till.events', 'k', 'till.paid.v1', '{}')`);
    expect([
      await take(client, 1, 'done'),
      await take(client, 2, 'dead'),
      await take(client, 4, 'done'),
    ]).toEqual(['take', 'take', 'early']);
    const kept = await rowsOf(client);
    for (const ddl of [moduleEventTables(), before, moduleEventTables()]) await prepare(url, ddl);
    expect(await rowsOf(client)).toEqual(kept);
    expect(await take(client, 3, 'done')).toBe('queued');
    const fresh = await inDatabase(async (other, client) => {
      await prepare(other, moduleEventTables());
      return shape(client);
    });
    expect(await shape(client)).toEqual(fresh);
  }));

test('what is as it should be is left alone, and running it once more makes no table or rule again', () =>
  inDatabase(async (url, client) => {
    await prepare(url, moduleEventTables());
    const made = await marks(client);
    await prepare(url, moduleEventTables());
    expect(await marks(client)).toEqual(made);
    const tables = (some: typeof made) => some.filter(({ name }) => !name.startsWith('function'));
    await prepare(url, `${moduleEventTables()}\nSELECT;`);
    expect(tables(await marks(client))).toEqual(tables(made));
  }));

test('every function finds its tables, whoever calls it', () =>
  inDatabase(async (url, client) => {
    await prepare(url, moduleEventTables());
    const { rows } = await client.query(
      `SELECT proname AS name, coalesce(array_to_string(proconfig, ' '), '') LIKE '%search_path=till%' AS keeps
       FROM pg_proc JOIN pg_language l ON l.oid = prolang WHERE pronamespace = 'till'::regnamespace AND lanname = 'plpgsql'`,
    );
    expect(rows.map(({ name }) => name)).toContain('emit_event');
    expect(rows.filter(({ keeps }) => !keeps)).toEqual([]);
  }));

test('the files say what the code says', () =>
  inDatabase(async (url, client) => {
    await prepare(url, moduleEventTables());
    const ruleOf = async (name: string) =>
      (
        await client.query(
          `SELECT pg_get_constraintdef(oid) AS rule FROM pg_constraint WHERE conname = $1 AND connamespace = 'till'::regnamespace`,
          [name],
        )
      ).rows[0].rule as string;
    const words = (rule: string) => [...rule.matchAll(/'([^']+)'::text/g)].map((match) => match[1]!).sort();
    expect(words(await ruleOf('event_delivery_state_check'))).toEqual(Object.keys(deliveryStates).sort());
    expect(words(await ruleOf('event_audit_action_check'))).toEqual(Object.keys(auditActions).sort());
    expect(await ruleOf('event_outbox_key')).toContain(`<= ${MAX_KEY_LENGTH}`);
    expect(await ruleOf('event_outbox_size')).toContain(`<= ${MAX_EVENT_BYTES}`);
    expect(words(await ruleOf('event_outbox_topic'))).toEqual(['till.events']);
  }));
