// "May this event take effect now" is one rule in one text (tables/turn.sql). That it says the right thing is tried here
// case by case; that everybody asks it is tried by changing it: whoever had a rule of its own would not follow.
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { outcome } from './operations/at-rest.ts';
import { listDeadLetters } from './operations/dead-letters.ts';
import { heldKeys } from './operations/held.ts';
import { readStats } from './stats.ts';
import { openServer, type TestServer } from './testing/server.ts';
import { openStand, type Stand } from './testing/stand.ts';
import { Waiting } from './waiting.ts';

let server: TestServer;
let stand: Stand;
let client: Client;

beforeAll(async () => {
  server = await openServer();
  stand = await openStand(server.url);
  client = new Client({ connectionString: stand.url });
  await client.connect();
}, 60_000);
afterAll(async () => {
  await client.end();
  await stand.close();
  await server.stop();
});

const topic = 'shop.events';
const key = 'a';

const value = async (text: string, values: unknown[] = []) =>
  Object.values((await client.query(text, values)).rows[0] ?? {})[0];

test.each([
  ['the first of a new key', 0, 0, 1, true, 'take'],
  ['the next of its key', 4, 0, 5, true, 'take'],
  ['the next, behind one that is not done', 4, 1, 5, true, 'queued'],
  ['the same once more', 4, 0, 4, true, 'late'],
  ['one from before', 4, 2, 1, true, 'late'],
  ['one whose predecessor has not come', 4, 0, 6, true, 'early'],
  ['the same behind one that is not done', 4, 1, 6, true, 'early'],
  ['one whose predecessor nobody waits for', 0, 0, 6, false, 'take'],
  ['the same behind one that is not done', 0, 1, 6, false, 'queued'],
  ['one without a sequence', 4, 0, null, true, 'take'],
  ['one without a sequence behind one that is not done', 4, 1, null, true, 'queued'],
])('%s (%i received, %i open, comes %s)', async (_, received, open, sequence, awaits, turn) => {
  expect(await value('SELECT till.event_turn($1, $2, $3, $4)', [received, open, sequence, awaits])).toBe(
    turn,
  );
});

describe('everybody follows', () => {
  beforeEach(() => client.query('BEGIN'));
  afterEach(() => client.query('ROLLBACK'));

  const ruleIs = (answer: string) =>
    client.query(`SET LOCAL search_path = till;
      CREATE OR REPLACE FUNCTION event_turn(p_received bigint, p_open integer, p_sequence bigint, p_awaits boolean DEFAULT true)
      RETURNS text LANGUAGE sql IMMUTABLE RETURN ${answer}`);
  const isOpen = (answer: string) =>
    client.query(`SET LOCAL search_path = till;
      CREATE OR REPLACE FUNCTION event_is_open(p_state text, p_holds boolean)
      RETURNS boolean LANGUAGE sql IMMUTABLE RETURN ${answer}`);
  const isHeld = (answer: string) =>
    client.query(`SET LOCAL search_path = till;
      CREATE OR REPLACE FUNCTION event_is_held(p_state text, p_holds boolean)
      RETURNS boolean LANGUAGE sql IMMUTABLE RETURN ${answer}`);

  const callers = {
    event_take: (sequence: number) =>
      client.query('SELECT till.event_take($1, $2, $3, $4, $5, now(), NULL, NULL)', [
        randomUUID(),
        topic,
        key,
        sequence,
        'shop.sold.v1',
      ]),
    event_take_many: (sequence: number) =>
      client.query('SELECT * FROM till.event_take_many($1, $2)', [
        JSON.stringify([
          { id: randomUUID(), topic, key, sequence, type: 'shop.sold.v1', time: new Date(), state: 'done' },
        ]),
        '1s',
      ]),
    event_pass: (sequence: number) =>
      client.query('SELECT till.event_pass($1, $2)', [
        topic,
        JSON.stringify([{ id: randomUUID(), key, sequence, type: 'shop.seen.v1', time: new Date() }]),
      ]),
  };
  const received = async () => Number(await value('SELECT received FROM till.event_stream'));
  const states = async () =>
    (await client.query('SELECT state FROM till.event_delivery ORDER BY sequence')).rows.map(
      ({ state }) => state,
    );

  test.each(Object.entries(callers))('%s, where nothing has its turn', async (_, take) => {
    await ruleIs(`'early'`);
    await take(1);
    expect(await received()).toBe(0);
    expect(await states()).toEqual(['early']);
  });

  test.each(Object.entries(callers))('%s, where the next of a key has no turn', async (_, take) => {
    await take(1);
    await ruleIs(`'early'`);
    await take(2);
    expect(await received()).toBe(1);
    expect((await states()).at(-1)).toBe('early');
  });

  test.each(Object.entries(callers))('%s, where a gap is the turn', async (_, take) => {
    await take(1);
    await ruleIs(`CASE WHEN p_sequence = 7 THEN 'take' ELSE 'early' END`);
    await take(7);
    expect(await received()).toBe(7);
    expect(await states()).not.toContain('early');
  });

  test('what came early, where one gap is none and another stays', async () => {
    await client.query(`INSERT INTO till.event_source VALUES ($1, '-infinity')`, [topic]);
    await callers.event_take(3);
    await callers.event_take(4);
    expect(await states()).toEqual(['early', 'early']);
    await ruleIs(`CASE WHEN p_sequence < 4 THEN 'take' ELSE 'early' END`);
    await callers.event_take(1);
    expect(await received()).toBe(3);
    expect(await states()).toEqual(['done', 'waiting', 'early']);
  });

  const deadLetter = async (sequence: number) => {
    const id = randomUUID();
    await client.query(
      `SELECT till.event_take($1, $2, $3, $4, 'shop.sold.v1', now(), NULL, NULL, 'dead', 'no', true)`,
      [id, topic, key, sequence],
    );
    return id;
  };

  test('the counter of a key, at arrival and when a delivery settles', async () => {
    await isOpen('false');
    const id = await deadLetter(1);
    expect(await value('SELECT open FROM till.event_stream')).toBe(0);
    await callers.event_take(2);
    expect(await states()).toEqual(['dead', 'done']);
    await isOpen(`p_state = 'dropped'`);
    await client.query(`SELECT till.event_settle($1, 'dropped')`, [id]);
    expect(await value('SELECT open FROM till.event_stream')).toBe(1);
  });

  test('the head of a key', async () => {
    await deadLetter(1);
    await callers.event_take(2);
    expect(await states()).toEqual(['dead', 'queued']);
    await isOpen(`p_state <> 'dead'`);
    await client.query('SELECT till.event_advance($1, $2)', [topic, key]);
    expect(await states()).toEqual(['dead', 'waiting']);
  });

  test('what people are shown', async () => {
    const id = await deadLetter(1);
    await callers.event_take(2);
    const pool = { query: client.query.bind(client) } as never;
    const sql = { query: client.query.bind(client) } as never;
    const behind = async () => {
      const { rows } = await client.query(`SELECT id FROM till.event_delivery WHERE state = 'queued'`);
      return (await outcome(sql, 'till', [rows[0].id]))[0]!.behind;
    };
    const letters = async () => (await listDeadLetters(pool, 'till', { state: 'dead', limit: 9 }))[0]!.letter;
    const held = async () => ({
      keys: (await heldKeys(pool, 'till', 9)).length,
      letter: (await letters()).holds,
      behind: (await letters()).behind,
      stats: (await readStats('till', pool, { lag: async () => [] } as never, [])).heldKeys,
    });
    expect(await behind()).toBe(id);
    expect(await held()).toEqual({ keys: 1, letter: true, behind: 1, stats: 1 });
    await isOpen(`p_state = 'queued'`);
    expect(await behind()).not.toBe(id);
    await isHeld('false');
    expect(await held()).toEqual({ keys: 0, letter: false, behind: 0, stats: 0 });
  });

  test('who tries what waits', async () => {
    const id = randomUUID();
    await client.query(
      `SELECT till.event_take($1, $2, $3, 1, 'shop.sold.v1', now(), NULL, NULL, 'waiting', 'failed')`,
      [id, topic, key],
    );
    const sql = { query: client.query.bind(client) } as never;
    const waiting = new Waiting('till', sql, 'here');
    expect(await waiting.look(id)).toMatchObject({ id });
    expect(await waiting.claim(sql, id)).toMatchObject({ id });
    await client.query(`SET LOCAL search_path = till;
      CREATE OR REPLACE FUNCTION event_is_due(p_state text, p_next_at timestamptz)
      RETURNS boolean LANGUAGE sql RETURN false`);
    expect(await waiting.look(id)).toBeUndefined();
    expect(await waiting.claim(sql, id)).toBeUndefined();
  });
});

test('nobody says the rule in words of its own', () => {
  const own = [
    /(\b|_)received\s*[-+]\s*1\b/,
    /(\b|_)received\s*=\s*[\w.]*sequence\s*-/,
    /(\b|_)state = 'dead' AND [\w.]*holds\b/,
    /(\b|_)next_at\s*<=?\s/,
  ];
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter(
    (name) => /\.(sql|ts)$/.test(name) && !/\.test\.ts$|^testing/.test(name),
  );
  const texts = files.map((name) => [name, readFileSync(join(import.meta.dirname, name), 'utf8')] as const);
  const found = texts.filter(([, text]) => own.some((words) => words.test(text))).map(([name]) => name);
  expect(found).toEqual([join('tables', 'turn.sql')]);
});
