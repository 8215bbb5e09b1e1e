// The receiving side: each event takes effect once, in the order of its key; what fails waits, what cannot be read
// is kept, and nothing but its own key is held up.
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { defineContract, event } from '../contract/contract.ts';
import { Type } from '../contract/type.ts';
import type { LogRecord } from '../log/port.ts';
import { on } from '../saga/on.ts';
import { MAX_EVENT_BYTES, toRecord } from './cloudevents.ts';
import { createEventRuntime } from './runtime.ts';
import { openServer, type TestServer } from './testing/server.ts';
import { quiet, shop, till } from './testing/shop.ts';
import { byKey, openStand, type Stand, type TestHost } from './testing/stand.ts';
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

/** A record as the relay would send it. */
function sold(
  key: string,
  sequence: number,
  more: Partial<{ id: string; type: string; data: string }> = {},
): LogRecord {
  return toRecord({
    id: more.id ?? randomUUID(),
    source: '/modules/shop',
    type: more.type ?? 'shop.sold.v1',
    subject: key,
    time: new Date().toISOString(),
    sequence,
    correlationId: 'c',
    causationId: null,
    traceparent: null,
    data: more.data ?? JSON.stringify({ orderId: key, n: sequence }),
  });
}

const deep = (orderId: string) =>
  `{"orderId":${JSON.stringify(orderId)},"n":1,"more":${'['.repeat(6_000)}${']'.repeat(6_000)}}`;

interface DeliveryRow {
  key: string;
  state: string;
  attempts: number;
  reason: string | null;
  value: Buffer | null;
}
const deliveries = (where: string) =>
  stand.query<DeliveryRow>(
    `SELECT key, state, attempts, reason, value FROM till.event_delivery WHERE ${where} ORDER BY key, sequence, arrival`,
  );
const effects = async () => byKey(await stand.effects());
const send = (host: TestHost, ...records: LogRecord[]) => host.eventLog.append('shop.events', records);

/** Started once the consumer has met the topic, so that every event counts as made after that. */
async function started(options: Parameters<Stand['host']>[0] = {}): Promise<TestHost> {
  const host = stand.host(options);
  await host.start();
  await until('the consumer knows the topic', async () => {
    const [row] = await stand.query<{ n: number }>('SELECT count(*)::int AS n FROM till.event_source');
    return row!.n === 1;
  });
  return host;
}

describe('once and in order', () => {
  test('a record that comes again has no second effect', async () => {
    const host = await started();
    const [one, two] = [sold('a', 1), sold('a', 2)];
    await send(host, one, one, two, one, two);
    await send(host, two, one);
    await send(host, sold('a', 3));
    await until('the last has its effect', async () => (await effects()).a?.includes(3) ?? false);
    expect(await effects()).toEqual({ a: [1, 2, 3] });
  });

  test('an event that overtook its predecessor waits for it', async () => {
    const host = await started();
    const [one, two, three, four] = [1, 2, 3, 4].map((n) => sold('a', n)) as [
      LogRecord,
      LogRecord,
      LogRecord,
      LogRecord,
    ];
    await send(host, one, four, three, four);
    await until('they wait', async () => (await deliveries("state = 'early'")).length === 2);
    expect(await effects()).toEqual({ a: [1] });
    await send(host, two, three);
    await until('all have their effect', async () => (await effects()).a?.length === 4);
    expect(await effects()).toEqual({ a: [1, 2, 3, 4] });
  });

  test('so does the very first event of a key', async () => {
    const host = await started();
    await send(host, sold('a', 2));
    await until('it waits', async () => (await deliveries("state = 'early'")).length === 1);
    await send(host, sold('a', 1));
    await until('both have their effect', async () => (await effects()).a?.length === 2);
    expect(await effects()).toEqual({ a: [1, 2] });
  });

  test('an event whose predecessors the log no longer has is not held for ever', async () => {
    const host = await started({ timing: { earlyMs: 300 } });
    await send(host, sold('a', 7), sold('a', 8));
    await until('both have their effect', async () => (await effects()).a?.length === 2);
    expect(await effects()).toEqual({ a: [7, 8] });
  });

  test('one that comes after a later one took effect is kept as a dead letter, not lost', async () => {
    const host = await started({ timing: { earlyMs: 100 } });
    await send(host, sold('a', 2));
    await until('it is let go', async () => (await effects()).a?.length === 1);
    await send(host, sold('a', 1));
    await until('the late one is kept', async () => (await deliveries("state = 'dead'")).length === 1);
    expect((await deliveries("state = 'dead'"))[0]!.reason).toMatch(/^late/);
    expect(await effects()).toEqual({ a: [2] });
  });

  test('a gap is noticed across events that nobody listens to', async () => {
    const host = await started();
    const seen = sold('a', 2, { type: 'shop.seen.v1', data: '{"orderId":"a"}' });
    await send(host, sold('a', 1), sold('a', 3));
    await until('the third waits', async () => (await deliveries("state = 'early'")).length === 1);
    await send(host, seen);
    await until('it goes on', async () => (await effects()).a?.length === 2);
    await send(host, sold('b', 2, { type: 'shop.seen.v1' }), sold('b', 1), sold('b', 3));
    await until('and with one that came early itself', async () => (await effects()).b?.length === 2);
    expect(await effects()).toEqual({ a: [1, 3], b: [1, 3] });
  });

  test('a key that its producer forgot may start again', async () => {
    const host = await started();
    await send(host, sold('a', 1), sold('a', 2));
    await until('both have their effect', async () => (await effects()).a?.length === 2);
    await stand.query("UPDATE till.event_stream SET last_at = now() - interval '70 days'");
    await send(host, sold('a', 1));
    await until('it has its effect', async () => (await effects()).a?.length === 3);
    expect(await effects()).toEqual({ a: [1, 2, 1] });
  });

  test('events of a producer that gives no sequence are handled once, as they come', async () => {
    const host = await started();
    const records = [1, 2, 3].map((n) => {
      const { ce_sequence: _, ...headers } = sold('a', n).headers;
      return { ...sold('a', n), headers };
    });
    await send(host, ...records, records[0]!);
    await until('they have their effect', async () => (await effects()).a?.length === 3);
    expect(await effects()).toEqual({ a: [1, 2, 3] });
  });

  test('an event that PostgreSQL ends for a conflict is tried again, and that counts as no attempt', async () => {
    // One more than the store itself repeats a transaction.
    const conflicts = 5;
    const attempts: number[] = [];
    const listener = on(shop.events.sold, async ({ orderId, n }, { tx, delivery }) => {
      attempts.push(delivery.attempt);
      if (attempts.length <= conflicts)
        await tx.sql.query(`DO $$ BEGIN RAISE EXCEPTION 'a conflict' USING ERRCODE = '40001'; END $$`);
      await tx.sql.query('INSERT INTO effect (id, key, n) VALUES ($1, $2, $3)', [
        delivery.envelope.id,
        orderId,
        n,
      ]);
    });
    await send(await started({ listeners: [listener] }), sold('a', 1));
    await until('it has its effect', async () => (await effects()).a?.length === 1);
    expect(attempts).toEqual(Array(conflicts + 1).fill(1));
    expect(await deliveries("key = 'a'")).toMatchObject([{ state: 'done', attempts: 0 }]);
    expect(await stand.query('SELECT * FROM till.event_attempt')).toEqual([]);
  });

  test('effect, mark and outgoing events stand or fall together', async () => {
    const host = await started({
      before: ({ n }, { attempt }) => {
        if (n === 1 && attempt === 1) throw new Error('not at first');
      },
      retry: { baseMs: 50 },
    });
    await send(host, sold('a', 1));
    await until('the second attempt works', async () => (await effects()).a?.length === 1);
    const paid = await stand.query<{ causation_id: string; correlation_id: string }>(
      'SELECT id FROM till.event_sent UNION ALL SELECT id FROM till.event_outbox',
    );
    expect(paid).toHaveLength(1);
  });

  test('who waited for a connection is not taken for slow: later events share transactions as before', async () => {
    let busy = true;
    const host = await started({
      steps: {
        async inbox(step) {
          if (step !== 'before-effect' || !busy) return;
          busy = false;
          const { pool } = host.tillStore;
          const taken = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()));
          // More than all events of a group may take together: the wait is what this is about.
          setTimeout(() => {
            for (const client of taken) client.release();
          }, 100);
        },
      },
    });
    await send(host, sold('a', 1));
    await until('it has its effect', async () => (await effects()).a?.length === 1);
    await send(host, ...Array.from({ length: 20 }, (_, n) => sold(`key ${n}`, 1)));
    await until('all have their effect', async () => (await stand.effects()).length === 21);
    const [row] = await stand.query<{ n: number }>(
      'SELECT count(DISTINCT xmin::text)::int AS n FROM till.effect',
    );
    expect(row!.n).toBeLessThan(15);
  });

  test('what a listener publishes names what caused it and how the chain began', async () => {
    const host = stand.host();
    await host.shop.relay.start();
    await host.till.consumers.start();
    await host.sell({ orderId: 'a', n: 1 });
    const outbox = () =>
      stand.query<{ causation_id: string; correlation_id: string }>(
        'SELECT causation_id, correlation_id FROM till.event_outbox',
      );
    await until('the answer is in the outbox', async () => (await outbox()).length === 1);
    const [effect] = await stand.effects();
    expect(await outbox()).toEqual([{ causation_id: effect!.id, correlation_id: effect!.id }]);
  });

  test('two hosts share the work and double none of it', async () => {
    const [one, two] = [await started({ hostId: 'one' }), await started({ hostId: 'two' })];
    const ids: string[] = [];
    for (let n = 1; n <= 25; n += 1) {
      await Promise.all(
        [one, two].map((host, who) =>
          host.sell(...Array.from({ length: 6 }, (_, k) => ({ orderId: `h${who}k${k}`, n }))),
        ),
      );
    }
    await until('all have their effect', async () => (await stand.effects()).length >= 300, 30_000);
    for (const row of await stand.effects()) ids.push(row.id);
    expect(new Set(ids).size).toBe(300);
    for (const ns of Object.values(await effects()))
      expect(ns).toEqual(Array.from({ length: 25 }, (_, n) => n + 1));
  }, 60_000);
});

describe('what fails', () => {
  test('waits with its key, and all other keys go on', async () => {
    let broken = true;
    const host = await started({
      before: ({ orderId, n }) => {
        if (broken && orderId === 'bad' && n === 1) throw new Error('the printer is on fire');
      },
      retry: { attempts: 50, baseMs: 100, maxMs: 200 },
    });
    await send(host, sold('bad', 1), sold('bad', 2), sold('good', 1), sold('bad', 3), sold('good', 2));
    await until('the good key is done', async () => (await effects()).good?.length === 2);
    await until('the bad key waits', async () => (await deliveries("key = 'bad'")).length === 3);
    expect((await deliveries("key = 'bad'")).map((row) => row.state)).toEqual([
      'waiting',
      'queued',
      'queued',
    ]);
    await until('it was tried again', async () => ((await deliveries("key = 'bad'"))[0]?.attempts ?? 0) >= 2);
    const [attempt] = await stand.query<{ error: string; stack: string; host: string }>(
      'SELECT * FROM till.event_attempt ORDER BY id',
    );
    expect(attempt).toMatchObject({ error: 'the printer is on fire', host: 'monolith' });
    expect(attempt!.stack).toContain('inbox.test.ts');
    broken = false;
    await until('the bad key is done', async () => (await effects()).bad?.length === 3);
    expect(await effects()).toEqual({ good: [1, 2], bad: [1, 2, 3] });
    expect(await deliveries("key = 'bad' AND state <> 'done'")).toEqual([]);
  });

  test('is dead after its attempts and holds its key, until a person sends it again', async () => {
    let broken = true;
    const host = await started({
      before: ({ n }) => {
        if (broken && n === 1) throw new Error('no');
      },
      retry: { attempts: 3, baseMs: 10 },
    });
    await send(host, sold('a', 1), sold('a', 2));
    await until('it is dead', async () => (await deliveries("state = 'dead'")).length === 1);
    await send(host, sold('a', 3), sold('b', 2), sold('b', 1));
    await until(
      'its key is held, and the other waits for its first attempts',
      async () => (await deliveries("key = 'a'")).length === 3,
    );
    expect((await deliveries("key = 'a'")).map(({ state, attempts }) => [state, attempts])).toEqual([
      ['dead', 3],
      ['queued', 0],
      ['queued', 0],
    ]);
    expect((await host.till.stats()).deliveries.dead).toBeGreaterThan(0);
    broken = false;
    await stand.query("SELECT till.event_again(id) FROM till.event_delivery WHERE state = 'dead'");
    await until('the whole key is done', async () => (await effects()).a?.length === 3);
    expect((await effects()).a).toEqual([1, 2, 3]);
  });

  test('lets its key go on where the policy says so', async () => {
    const host = await started({
      before: ({ n }) => {
        if (n === 1) throw new Error('no');
      },
      retry: { attempts: 2, baseMs: 10, afterDeath: 'go-on' },
    });
    await send(host, sold('a', 1), sold('a', 2), sold('a', 3));
    await until('the others are done', async () => (await effects()).a?.length === 2);
    expect(await effects()).toEqual({ a: [2, 3] });
    expect((await deliveries("state = 'dead'")).length).toBe(1);
  });
});

describe('what cannot be read', () => {
  test('is a dead letter at once, with its bytes, and other keys go on', async () => {
    const host = await started();
    const bytes = Buffer.from([0xff, 0x00, 0x7b]);
    const cases: [key: string, record: LogRecord, reason: RegExp][] = [
      ['not-json', { ...sold('not-json', 1), value: bytes }, /^not JSON/],
      ['wrong', sold('wrong', 1, { data: '{"orderId":"wrong","n":"x"}' }), /^wrong schema.*\/n/],
      ['deep', sold('deep', 1, { data: deep('deep') }), /^too deep: \/more\/0\/0.* is nested more than 64/],
      ['unknown', sold('unknown', 1, { type: 'shop.nonsense.v1' }), /^unknown type/],
      ['large', sold('large', 1, { data: `"${'x'.repeat(MAX_EVENT_BYTES)}"` }), /^too large/],
      ['anonymous', { key: 'anonymous', headers: {}, value: 'hello' }, /ce_id is missing/],
    ];
    await send(host, ...cases.map(([, record]) => record), sold('fine', 1));
    await until('the readable one has its effect', async () => (await effects()).fine?.length === 1);
    await until(
      'the others are dead',
      async () => (await deliveries("state = 'dead'")).length === cases.length,
    );
    for (const [key, record, reason] of cases) {
      const [row] = await deliveries(`key = '${key}'`);
      expect(row).toMatchObject({ state: 'dead', attempts: 0, reason: expect.stringMatching(reason) });
      expect(row!.value).toEqual(Buffer.from(record.value!));
    }
    await send(
      host,
      ...cases.map(([, record]) => record).slice(0, 3),
      sold('not-json', 2),
      sold('unknown', 2),
    );
    await until(
      'a type that nobody here handles holds nothing up',
      async () => (await effects()).unknown?.length === 1,
    );
    await until(
      'one that should have been handled holds its key',
      async () => (await deliveries("key = 'not-json'")).length === 2,
    );
    expect((await deliveries("key = 'not-json'")).map((row) => row.state)).toEqual(['dead', 'queued']);
  });

  test('a version to come is held, and goes on in order after the upgrade', async () => {
    const host = await started();
    await send(host, sold('a', 1), sold('a', 2, { type: 'shop.sold.v2' }), sold('a', 3), sold('b', 1));
    await until('the others are done', async () => (await stand.effects()).length === 2);
    await until('it is held', async () => (await deliveries("key = 'a'")).length === 3);
    expect((await deliveries("key = 'a'")).map((row) => row.state)).toEqual([
      'done',
      'unknown-version',
      'queued',
    ]);
    await host.close();

    const newShop = defineContract('shop', {
      summary: 'The next version',
      operations: {},
      events: {
        sold: event({
          summary: 'Sold',
          key: 'orderId',
          version: 2,
          data: Type.Object({ orderId: Type.String(), n: Type.Integer() }),
        }),
      },
    });
    const seen: number[] = [];
    const next = stand.host();
    const upgraded = createEventRuntime({
      contract: till,
      contracts: [newShop, till],
      listeners: [on(newShop.events.sold, async ({ n }) => void seen.push(n))],
      store: next.tillStore,
      eventLog: next.eventLog,
      hostId: 'upgraded',
      log: quiet,
    });
    await upgraded.consumers.start();
    await until('the new version is handled', () => seen.length === 1);
    expect(seen).toEqual([2]);
    await upgraded.close();
  });
});

describe('at boot', () => {
  test('a listener on an event that nobody publishes is an error that names both', async () => {
    const ghost = defineContract('ghost', {
      summary: '',
      operations: {},
      events: {
        seen: event({ summary: '', version: 1, key: 'id', data: Type.Object({ id: Type.String() }) }),
      },
    });
    const listeners = [on(ghost.events.seen, async () => {})];
    expect(() => stand.host({ listeners })).toThrow(
      /till listens to "ghost.seen.v1" on the topic "ghost.events", which no module publishes/,
    );
  });
});
