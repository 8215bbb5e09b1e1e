// The gate of the inbox takes several events by one statement (tables/take.sql, `event_take_many`). Whatever has come
// before and in whatever order they come, it does to them what `event_take` does to each.
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRandom } from '../../../test/chaos/random.ts';
import { openServer, type TestServer } from './testing/server.ts';
import { openStand, type Stand } from './testing/stand.ts';

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

interface Placing {
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  readonly sequence: number | null;
  readonly type: string;
  readonly time: string;
  readonly state: string;
}

const random = createRandom(7);
const topics = ['shop.events', 'other.events'];
const keys = ['a', 'b', 'c', 'd', 'e', 'f'];

function any(states: readonly string[], known: readonly Placing[] = []): Placing {
  const again = known.length > 0 && random.next() < 0.3 ? random.pick(known) : undefined;
  const state = random.pick(states);
  const days = random.next() < 0.1 ? 30 : 0;
  return {
    id: again?.id ?? randomUUID(),
    topic: again?.topic ?? random.pick(topics),
    key: again?.key ?? random.pick(keys),
    // The relay gives every event one; what comes from elsewhere may have none.
    sequence: again?.sequence ?? (random.next() < 0.1 && state !== 'ignored' ? null : 1 + random.below(4)),
    type: 'shop.sold.v1',
    time: new Date(Date.now() + days * 86_400_000).toISOString(),
    state,
  };
}

async function takeOne({ id, topic, key, sequence, type, time, state }: Placing): Promise<string> {
  const { rows } = await client.query(
    'SELECT till.event_take($1, $2, $3, $4, $5, $6, NULL, NULL, $7, NULL, true) AS verdict',
    [id, topic, key, sequence, type, time, state],
  );
  return rows[0].verdict;
}

async function takeAll(some: readonly Placing[]): Promise<string[]> {
  const { rows } = await client.query('SELECT n::int, verdict FROM till.event_take_many($1, $2)', [
    JSON.stringify(some),
    '250ms',
  ]);
  expect(rows).toHaveLength(some.length);
  return rows.sort((a, b) => a.n - b.n).map(({ verdict }) => verdict);
}

async function oneByOne(some: readonly Placing[]): Promise<string[]> {
  const verdicts: string[] = [];
  const place = ({ topic, key }: Placing) => `${topic} ${key}`;
  const order = some
    .map((_, n) => n)
    .sort((a, b) => (place(some[a]!) < place(some[b]!) ? -1 : place(some[a]!) > place(some[b]!) ? 1 : a - b));
  for (const n of order) verdicts[n] = await takeOne(some[n]!);
  return verdicts;
}

/** All that the inbox knows, but for the moments at which it was written. */
async function inbox() {
  const streams = await client.query('SELECT * FROM till.event_stream ORDER BY topic, key');
  const deliveries = await client.query(
    'SELECT id, topic, key, sequence, type, state, holds, reason, next_at IS NULL AS rests FROM till.event_delivery ORDER BY id',
  );
  return { streams: streams.rows, deliveries: deliveries.rows };
}

test('several events are placed as they would be one by one', async () => {
  const seen = new Set<string>();
  let several = 0;
  for (let round = 0; round < 300; round += 1) {
    await client.query('BEGIN');
    if (random.next() < 0.5)
      await client.query(
        `INSERT INTO till.event_source (topic) VALUES ('shop.events') ON CONFLICT DO NOTHING`,
      );
    const before = Array.from({ length: random.below(9) }, () =>
      any(['done', 'done', 'ignored', 'waiting', 'dead']),
    );
    for (const one of before) await takeOne(one);
    const some: Placing[] = [];
    for (let n = 1 + random.below(8); n > 0; n -= 1)
      some.push(any(['done', 'done', 'ignored'], [...before, ...some]));
    await client.query('SAVEPOINT here');
    const together = { verdicts: await takeAll(some), ...(await inbox()) };
    await client.query('ROLLBACK TO here');
    const apart = { verdicts: await oneByOne(some), ...(await inbox()) };
    await client.query('ROLLBACK');
    expect(together, `round ${round}: ${JSON.stringify({ before, some }, null, 1)}`).toEqual(apart);
    for (const verdict of together.verdicts) seen.add(verdict);
    if (together.verdicts.filter((verdict) => verdict === 'take').length > 2) several += 1;
  }
  // Else the rounds would have shown less than they seem to.
  expect([...seen].sort()).toEqual(['duplicate', 'early', 'late', 'queued', 'take']);
  expect(several).toBeGreaterThan(30);
});

test('one id under two keys takes effect once', async () => {
  const twice = { ...any(['done']), sequence: 1, time: new Date().toISOString() };
  await client.query('BEGIN');
  const verdicts = await takeAll([
    { ...twice, key: 'a' },
    { ...twice, key: 'b' },
  ]);
  await client.query('ROLLBACK');
  expect(verdicts).toEqual(['take', 'duplicate']);
});

test('who waits for a lock meanwhile gets an error, and waits no longer', async () => {
  const one = { ...any(['done']), sequence: 1 };
  const other = new Client({ connectionString: stand.url });
  await other.connect();
  try {
    await other.query('BEGIN');
    await other.query('INSERT INTO till.event_stream (topic, key) VALUES ($1, $2)', [one.topic, one.key]);
    await client.query('BEGIN');
    await expect(takeAll([one])).rejects.toMatchObject({ code: '55P03' });
    await client.query('ROLLBACK');
    await client.query('BEGIN');
    await takeAll([{ ...one, key: 'free' }]);
    const { rows } = await client.query('SHOW lock_timeout');
    expect(rows).toEqual([{ lock_timeout: '250ms' }]);
    await client.query('ROLLBACK');
  } finally {
    await other.end();
  }
});
