// The sending side: what is published is sent once its change committed, in the order of its key, whoever is slow,
// frozen or twice there.
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { all } from '../log/conformance.ts';
import { DatabaseSession } from '../log/database-session.ts';
import { UnknownTopic } from '../log/port.ts';
import { MAX_EVENT_BYTES } from './cloudevents.ts';
import { LowWater } from './lowwater.ts';
import { EventRefused, eventArguments } from './publisher.ts';
import { openServer, type TestServer } from './testing/server.ts';
import { quiet, shop, till, urlOf } from './testing/shop.ts';
import { byKey, openStand, type Stand } from './testing/stand.ts';
import { until } from './testing/until.ts';

let server: TestServer;
let stand: Stand;

beforeAll(async () => {
  server = await openServer();
}, 60_000);
afterAll(() => server.stop());
beforeEach(async () => {
  stand = await openStand(server.url);
});
afterEach(() => stand.close());

const outbox = () =>
  stand.query<{ key: string; sequence: string; data: { n: number } }>(
    'SELECT key, sequence, data FROM shop.event_outbox ORDER BY position',
  );
const sent = async () =>
  Number((await stand.query<{ n: string }>('SELECT count(*) AS n FROM shop.event_sent'))[0]!.n);

/** A session of shop's own role, to drive transactions by hand. */
async function session(): Promise<Client & { sell(key: string, n: number): Promise<unknown> }> {
  const client = new Client({ connectionString: urlOf(stand.url, 'banyan_shop') });
  await client.connect();
  return Object.assign(client, {
    sell: (key: string, n: number) =>
      client.query(
        'SELECT emit_event($1::uuid, $2, $3, $4, $5::json, $6, $7, $8)',
        eventArguments(shop.events.sold, { orderId: key, n }) as unknown as unknown[],
      ),
  });
}

describe('publishing', () => {
  test('an event is there if and only if its transaction committed', async () => {
    const host = stand.host();
    await host.sell({ orderId: 'a', n: 1 });
    const failing = host.shopStore.transaction(async (tx) => {
      await tx.publish(shop.events.sold, { orderId: 'a', n: 2 });
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    await host.sell({ orderId: 'a', n: 3 });
    expect((await outbox()).map(({ sequence, data }) => [Number(sequence), data.n])).toEqual([
      [1, 1],
      [2, 3],
    ]);
  });

  test('what does not fit its schema does not leave, and the error names the field', async () => {
    const host = stand.host();
    const publish = (event: Parameters<typeof eventArguments>[0], data: unknown) =>
      host.shopStore.transaction((tx) => tx.publish(event, data as never));
    await expect(publish(shop.events.sold, { orderId: 'a', n: 'one' })).rejects.toMatchObject({
      errors: [{ path: '/n' }],
    });
    await expect(publish(shop.events.sold, { orderId: '', n: 1 })).rejects.toMatchObject({
      errors: [{ path: '/orderId' }],
    });
    await expect(publish(till.events.paid, { orderId: 'a', n: 1 })).rejects.toThrow('belongs to till');
    const large = publish(shop.events.sold, { orderId: 'a', n: 1, pad: 'ü'.repeat(300_000) });
    await expect(large).rejects.toThrow(EventRefused);
    expect(await outbox()).toEqual([]);
  });

  test('what no log could take is refused to raw SQL as well, with the business change', async () => {
    const host = stand.host();
    const emit = (topic: string, key: string, data: string) =>
      host.shopStore.transaction(({ sql }) =>
        sql.query('SELECT shop.emit_event(gen_random_uuid(), $1, $2, $3, $4::json)', [
          topic,
          key,
          'shop.sold.v1',
          data,
        ]),
      );
    const large = JSON.stringify({ orderId: 'a', n: 1, pad: 'x'.repeat(MAX_EVENT_BYTES) });
    await expect(emit('shop.events', 'a', large)).rejects.toThrow(/event_outbox_size/);
    await expect(emit('till.events', 'a', '{}')).rejects.toThrow(/event_outbox_topic/);
    await expect(emit('shop.events', '', '{}')).rejects.toThrow(/event_outbox_key/);
    await expect(emit('shop.events', 'k'.repeat(501), '{}')).rejects.toThrow(/event_outbox_key/);
    expect(await stand.query('SELECT FROM shop.event_outbox')).toEqual([]);
    expect(await stand.query('SELECT FROM shop.event_key')).toEqual([]);
  });

  test('takes text that Postgres takes only as json', async () => {
    const host = stand.host();
    await host.start();
    await host.sell({ orderId: 'a', n: 1, pad: 'nul \u0000, half a pair \ud83d' } as never);
    await until('it has its effect', async () => (await stand.effects()).length === 1);
  });
});

test('what is published all the time leaves in rounds', async () => {
  let rounds = 0;
  const host = stand.host({
    // Else till would publish as well.
    listeners: [],
    steps: {
      relay: (step) => {
        if (step === 'after-claim') rounds += 1;
      },
    },
  });
  await host.start();
  await host.sell({ orderId: 'first', n: 1 });
  await until('the relay works', async () => (await sent()) === 1);
  const [before, began] = [rounds, performance.now()];
  for (let n = 1; n <= 80; n += 1) await host.sell({ orderId: `key ${n}`, n });
  await until('all are sent', async () => (await sent()) === 81);
  const took = performance.now() - began;
  // One begins at once and one is under way at the end; a timer of 30 ms may be 29.
  expect(rounds - before).toBeLessThanOrEqual(2 + took / 29);
});

describe('order within a key', () => {
  test('a transaction that began first and commits second comes second', async () => {
    const [first, second] = [await session(), await session()];
    await first.query('BEGIN');
    await first.query('SELECT pg_current_xact_id()');
    await second.query('BEGIN');
    await second.sell('a', 1);
    await second.query('COMMIT');
    await first.sell('a', 2);
    await first.query('COMMIT');
    const rows = await stand.query<{ n: number; xmin: string }>(
      `SELECT (data->>'n')::int AS n, xmin::text FROM shop.event_outbox ORDER BY position`,
    );
    expect(rows.map((row) => row.n)).toEqual([1, 2]);
    // Ordered by transaction id, as a naive relay does to see late commits, the two would be inverted.
    expect(Number(rows[0]!.xmin)).toBeGreaterThan(Number(rows[1]!.xmin));
    await Promise.all([first.end(), second.end()]);
  });

  test('of two at the same time the second waits for the first', async () => {
    const [first, second] = [await session(), await session()];
    await first.query('BEGIN');
    await first.sell('a', 1);
    let done = false;
    const waiting = second.sell('a', 2).then(() => {
      done = true;
    });
    await until('it waits for a row lock', async () => {
      const rows = await stand.query<{ n: number }>(
        'SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted',
      );
      return rows[0]!.n > 0;
    });
    expect(done).toBe(false);
    await first.query('ROLLBACK');
    await waiting;
    expect((await outbox()).map(({ sequence, data }) => [Number(sequence), data.n])).toEqual([[1, 2]]);
    await Promise.all([first.end(), second.end()]);
  });

  test('a sequence that was drawn without the lock is an error, not an inversion', async () => {
    const host = stand.host();
    await host.sell({ orderId: 'a', n: 1 });
    const forged = stand.query(
      `INSERT INTO shop.event_outbox (id, topic, key, sequence, type, data, correlation_id)
       VALUES (gen_random_uuid(), 'shop.events', 'a', 1, 'shop.sold.v1', '{}', 'x')`,
    );
    await expect(forged).rejects.toThrow('event_outbox_key_sequence_key');
  });
});

describe('the relay', () => {
  test('sends the row of a slow transaction, which a cursor would skip', async () => {
    const host = stand.host();
    await host.start();
    const slow = await session();
    await slow.query('BEGIN');
    await slow.sell('slow', 1);
    // What a relay with a cursor remembers: the highest position it has seen.
    let cursor = 0n;
    for (let n = 1; n <= 30; n += 1) {
      await host.sell({ orderId: `fast${n % 3}`, n });
      const [row] = await stand.query<{ position: string | null }>(
        'SELECT max(position) AS position FROM shop.event_outbox',
      );
      if (row?.position && BigInt(row.position) > cursor) cursor = BigInt(row.position);
    }
    await until('the fast ones are sent', async () => (await sent()) === 30);
    const [drawn] = await stand.query<{ last: string }>(
      `SELECT last_value AS last FROM shop.event_outbox_position_seq`,
    );
    expect(Number(drawn!.last)).toBe(31);
    await slow.query('COMMIT');
    const skipped = await stand.query(`SELECT FROM shop.event_outbox WHERE key = 'slow' AND position <= $1`, [
      cursor === 0n ? drawn!.last : String(cursor),
    ]);
    expect(skipped, 'a cursor is past the slow row').toHaveLength(1);
    await until('the slow one is sent', async () => (await sent()) === 31);
    await until('all have their effect', async () => (await stand.effects()).length === 31);
    await slow.end();
  });

  test('sees the newest transaction that is open, below a row of an older one', async () => {
    const [older, newest] = [await session(), await session()];
    await older.query('BEGIN');
    await older.query('SELECT pg_current_xact_id()');
    let due = true;
    const relay = async (step: string) => {
      if (step !== 'before-claim' || !due) return;
      due = false;
      // The id of the newest is the highest there is: one past the last transaction that has ended.
      await newest.query('BEGIN');
      await newest.sell('newest', 1);
      await older.sell('older', 1);
      await older.query('COMMIT');
    };
    const host = stand.host({ steps: { relay } });
    await host.shop.relay.start();
    await until('the older one is sent', async () => (await sent()) === 1);
    for (let n = 1; n <= 3; n += 1) {
      await host.sell({ orderId: 'later', n });
      await until('a later one is sent', async () => (await sent()) === 1 + n);
    }
    await newest.query('COMMIT');
    host.shop.wake();
    await until('the newest one is sent', async () => (await sent()) === 5, 5_000);
    await Promise.all([older.end(), newest.end()]);
  });

  test('forgets nothing while the low-water mark moves under load', async () => {
    const host = stand.host();
    await host.start();
    const slow = await Promise.all([session(), session(), session()]);
    let n = 0;
    for (let round = 0; round < 15; round += 1) {
      const one = slow[round % slow.length]!;
      await one.query('COMMIT').catch(() => {});
      await one.query('BEGIN');
      await one.sell(`slow${round % slow.length}`, round);
      await Promise.all([1, 2, 3].map(() => host.sell({ orderId: 'hot', n: ++n }, { orderId: `k${n}`, n })));
    }
    await Promise.all(slow.map((one) => one.query('COMMIT')));
    await until('all are sent', async () => (await sent()) === 15 + 90);
    expect(await outbox()).toEqual([]);
    await until('all have their effect', async () => (await stand.effects()).length === 105);
    const sequences = await stand.query<{ key: string; sequences: number[] }>(
      'SELECT key, array_agg(sequence::int ORDER BY arrival) AS sequences FROM till.event_delivery GROUP BY key',
    );
    for (const one of sequences) expect(one.sequences).toEqual(one.sequences.toSorted((a, b) => a - b));
    await Promise.all(slow.map((one) => one.end()));
  });

  test('one that was frozen between claim and append sends again, without a second effect', async () => {
    let freeze: (() => void) | undefined;
    const frozen = new Promise<void>((resolve) => {
      freeze = resolve;
    });
    let thaw = () => {};
    let held = false;
    const first = stand.host({
      hostId: 'first',
      timing: { leaseMs: 400 },
      steps: {
        async relay(step, ids) {
          if (step !== 'after-claim' || held || ids.length === 0) return;
          held = true;
          freeze?.();
          await new Promise<void>((resolve) => {
            thaw = resolve;
          });
        },
      },
    });
    await first.start();
    await until('the first leads', async () => (await first.shop.stats()).relay.holder === 'first');
    await first.sell({ orderId: 'a', n: 1 }, { orderId: 'a', n: 2 });
    await frozen;
    const second = stand.host({ hostId: 'second', timing: { leaseMs: 400 } });
    await second.start();
    await until('the second has sent them', async () => (await sent()) === 2);
    await second.sell({ orderId: 'a', n: 3 });
    await until('and the next', async () => (await sent()) === 3);
    thaw();
    await until(
      'the old batch is on the wire again',
      async () => (await all(second.eventLog.read('shop.events'))).length >= 5,
    );
    const wire = (await all(second.eventLog.read('shop.events'))).map((one) =>
      Number(one.headers.ce_sequence),
    );
    expect(wire).toEqual([1, 2, 3, 1, 2]);
    await first.sell({ orderId: 'a', n: 4 });
    await until('the last has its effect', async () => (await stand.effects()).some((one) => one.n === 4));
    expect(byKey(await stand.effects())).toEqual({ a: [1, 2, 3, 4] });
  });

  test('many relays without regard for the lease: repeats on the wire, none in effect', async () => {
    const hosts = [1, 2, 3].map((n) => stand.host({ hostId: `h${n}` }));
    // Whoever asks gets the lease, as if every holder were frozen all the time.
    await stand.query(
      `CREATE OR REPLACE FUNCTION shop.event_lease_is_free(lease shop.event_lease) RETURNS boolean LANGUAGE sql AS 'SELECT true'`,
    );
    await Promise.all(hosts.map((host) => host.start()));
    for (let n = 1; n <= 40; n += 1) {
      await hosts[n % 3]!.sell(...['a', 'b', 'c', 'd'].map((orderId) => ({ orderId, n })));
    }
    await until('all have their effect', async () => (await stand.effects()).length >= 160, 30_000);
    const expected = Array.from({ length: 40 }, (_, n) => n + 1);
    expect(byKey(await stand.effects())).toEqual({ a: expected, b: expected, c: expected, d: expected });
  }, 60_000);

  test('hands over at once when it stops', async () => {
    const [first, second] = [stand.host({ hostId: 'first' }), stand.host({ hostId: 'second' })];
    await first.start();
    await until('the first leads', async () => (await first.shop.stats()).relay.holder === 'first');
    await second.start();
    const began = Date.now();
    await first.shop.relay.stop();
    await until('the second leads', async () => (await second.shop.stats()).relay.holder === 'second');
    expect(Date.now() - began).toBeLessThan(2_000);
    await first.sell({ orderId: 'a', n: 1 });
    await until('what another process commits is sent', async () => (await sent()) === 1);
  });

  test('waits for a log that does not take events, and loses none', async () => {
    const host = stand.host();
    const append = host.eventLog.append.bind(host.eventLog);
    let refused = 0;
    host.eventLog.append = async (topic, records) => {
      if (topic === 'shop.events') refused += 1;
      if (topic === 'shop.events' && refused <= 2) throw new Error('the log is away');
      await append(topic, records);
    };
    await host.start();
    await host.sell({ orderId: 'a', n: 1 }, { orderId: 'b', n: 1 });
    await until('both have their effect', async () => (await stand.effects()).length === 2);
    expect(refused).toBe(3);
    expect((await host.shop.stats()).outbox).toEqual({ waiting: 0, oldestSeconds: 0 });
  });

  test('makes its topic where the log has it no more', async () => {
    const host = stand.host();
    const [append, ensureTopics] = [
      host.eventLog.append.bind(host.eventLog),
      host.eventLog.ensureTopics.bind(host.eventLog),
    ];
    let refused = 0;
    let there = false;
    host.eventLog.append = async (topic, records) => {
      if (topic !== 'shop.events' || there) return append(topic, records);
      refused += 1;
      throw new UnknownTopic(topic);
    };
    host.eventLog.ensureTopics = async (topics) => {
      there ||= refused > 0 && topics.includes('shop.events');
      await ensureTopics(topics);
    };
    await host.start();
    await host.sell({ orderId: 'a', n: 1 });
    await until('it has its effect', async () => (await stand.effects()).length === 1);
    expect(refused).toBe(1);
  });
});

describe('the low-water mark', () => {
  test('rises only to what no open transaction can be below', () => {
    const mark = new LowWater();
    mark.sent('100', '105', '10');
    expect(mark.position).toBe('0');
    mark.sent('104', '110', '20');
    expect(mark.position, 'transaction 104 may hold a position up to 10').toBe('0');
    mark.sent('105', '112', '30');
    expect(mark.position).toBe('10');
    mark.sent('200', '200', '25');
    expect(mark.position, 'the last claim was full and ended at 25').toBe('25');
    mark.reset();
    expect(mark.position).toBe('0');
  });
});

test('a session takes statements one after the other, however they come', async () => {
  const warned: string[] = [];
  const hear = (warning: Error) => warned.push(warning.message);
  process.on('warning', hear);
  const session = new DatabaseSession({ connectionString: stand.url }, { log: quiet });
  const asked = Array.from({ length: 20 }, (_, n) =>
    session.query<{ n: number }>('SELECT $1::int AS n', [n]),
  );
  const bad = session.query('SELECT broken');
  const after = session.query<{ n: number }>('SELECT 21 AS n');
  await expect(bad).rejects.toThrow(/broken/);
  expect((await Promise.all(asked)).map(({ rows }) => rows[0]!.n)).toEqual(asked.map((_, n) => n));
  expect((await after).rows[0]!.n).toBe(21);
  await session.close();
  await expect(session.query('SELECT 1')).rejects.toThrow(/closed/);
  process.off('warning', hear);
  expect(warned).toEqual([]);
});
