// The log looked at beside its groups: replay to one consumer, tail, one event found, publishing by hand.
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { on } from '../../saga/on.ts';
import type { Listener } from '../listener.ts';
import { eventArguments } from '../publisher.ts';
import { openServer, type TestServer } from '../testing/server.ts';
import { shop, till } from '../testing/shop.ts';
import { byKey, openStand, type Stand, type TestHost } from '../testing/stand.ts';
import { until } from '../testing/until.ts';
import { findEvent } from './find.ts';
import { publishByHand } from './publish.ts';
import { ReplayStopped, replay } from './replay.ts';
import { tail } from './tail.ts';

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

const done = (n: number) => until(`${n} effects`, async () => (await stand.effects()).length === n);
const outbox = async () =>
  (
    await stand.query<{ n: number }>(
      'SELECT (SELECT count(*) FROM till.event_outbox)::int + (SELECT count(*) FROM till.event_sent)::int AS n',
    )
  )[0]!.n;

/** Writes an effect and publishes twice: as a module does, and in a statement of its own. */
function writing(
  options: Parameters<typeof on<typeof shop.events.sold>>[2],
  before: (n: number) => void = () => {},
): Listener {
  return on(
    shop.events.sold,
    async ({ orderId, n }, { tx, delivery }) => {
      before(n);
      await tx.sql.query('INSERT INTO effect (id, key, n) VALUES ($1, $2, $3)', [
        delivery.envelope.id,
        orderId,
        n,
      ]);
      await tx.publish(till.events.paid, { orderId, n });
      await tx.sql.query(
        'SELECT till.emit_event($1::uuid, $2, $3, $4, $5::json, $6, $7, $8)',
        eventArguments(till.events.paid, { orderId, n }),
      );
    },
    options,
  );
}

const everything = (more: Partial<Parameters<typeof replay>[2]> = {}) => ({
  topic: 'shop.events',
  from: new Date(0),
  until: new Date(),
  budgetMs: 10_000,
  ...more,
});

async function sell(host: TestHost, keys: string[], n: number): Promise<void> {
  for (let i = 1; i <= n; i += 1) for (const orderId of keys) await host.sell({ orderId, n: i });
}

describe('a replay', () => {
  test('gives the past to the consumer once more, in order, and publishes nothing', async () => {
    const host = stand.host({ listeners: [writing({ replayable: true })] });
    await host.start();
    await sell(host, ['a', 'b'], 5);
    await done(10);
    await until('what it published is sent', async () => (await outbox()) === 20);
    const again = await replay(host.till.parts, host.eventLog, everything());
    expect(again).toEqual({ replayed: 10, skipped: 0, positions: undefined });
    const order = [1, 2, 3, 4, 5];
    expect(byKey(await stand.effects())).toEqual({ a: [...order, ...order], b: [...order, ...order] });
    expect(await outbox()).toBe(20);
  });

  test('takes from the time given to the time given', async () => {
    const host = stand.host({ listeners: [writing({ replayable: true })] });
    await host.start();
    const moments: Date[] = [];
    for (let n = 1; n <= 3; n += 1) {
      await host.sell({ orderId: 'a', n });
      await done(n);
      const now = Date.now() + 1;
      moments.push(new Date(now));
      await until('the clock went on', () => Date.now() > now + 1);
    }
    const [from, upTo] = moments as [Date, Date];
    await replay(host.till.parts, host.eventLog, everything({ from, until: upTo }));
    expect(byKey(await stand.effects()).a).toEqual([1, 2, 3, 2]);
  });

  test('goes in slices, each where the last one ended', async () => {
    const host = stand.host({ listeners: [writing({ replayable: true })] });
    await host.start();
    const many = Array.from({ length: 450 }, (_, n) => ({ orderId: `k${n % 7}`, n: Math.floor(n / 7) }));
    await host.sell(...many);
    await done(450);
    let replayed = 0;
    let slices = 0;
    let positions: Record<number, string> | undefined;
    do {
      const slice = await replay(host.till.parts, host.eventLog, everything({ positions, budgetMs: 0 }));
      replayed += slice.replayed;
      positions = slice.positions;
      slices += 1;
    } while (positions);
    expect(replayed).toBe(450);
    expect(slices).toBeGreaterThan(1);
    const counts = new Map<string, number>();
    for (const { id } of await stand.effects()) counts.set(id, (counts.get(id) ?? 0) + 1);
    expect([...new Set(counts.values())]).toEqual([2]);
  });

  test('passes over what is not declared replayable', async () => {
    const host = stand.host({ listeners: [writing({})] });
    await host.start();
    await sell(host, ['a'], 2);
    await done(2);
    expect(await replay(host.till.parts, host.eventLog, everything())).toMatchObject({
      replayed: 0,
      skipped: 2,
    });
    expect(await stand.effects()).toHaveLength(2);
  });

  test('stops at an event that fails: nothing of its key overtakes it', async () => {
    let broken = false;
    const host = stand.host({
      listeners: [
        writing({ replayable: true }, (n) => {
          if (broken && n === 2) throw new Error('no shelf');
        }),
      ],
    });
    await host.start();
    await sell(host, ['a'], 4);
    await done(4);
    broken = true;
    const stopped = await replay(host.till.parts, host.eventLog, everything()).catch(
      (error: unknown) => error,
    );
    expect(stopped).toBeInstanceOf(ReplayStopped);
    expect(stopped).toMatchObject({ replayed: 1, message: 'no shelf', event: { type: 'shop.sold.v1' } });
    expect(byKey(await stand.effects()).a).toEqual([1, 2, 3, 4, 1]);
  });
});

describe('a tail', () => {
  const look = (host: TestHost, more: Partial<Parameters<typeof tail>[1]> = {}) =>
    tail(host.eventLog, {
      topics: ['shop.events'],
      since: new Date(0),
      positions: {},
      limit: 100,
      waitMs: 5_000,
      signal: new AbortController().signal,
      ...more,
    });

  test('answers what arrives, and goes on without a gap', async () => {
    const host = stand.host();
    await host.start();
    await host.eventLog.ensureTopics(['shop.events']);
    const waiting = look(host);
    await host.sell({ orderId: 'a', n: 1 });
    const first = await waiting;
    expect(first.events).toMatchObject([
      { type: 'shop.sold.v1', key: 'a', sequence: 1, data: { orderId: 'a', n: 1 } },
    ]);
    await host.sell({ orderId: 'a', n: 2 }, { orderId: 'b', n: 3 });
    await until('both sent', async () => (await host.shop.stats()).outbox.waiting === 0);
    const second = await look(host, { positions: first.positions });
    expect(second.events.map(({ data }) => (data as { n: number }).n).sort()).toEqual([2, 3]);
    expect((await look(host, { positions: second.positions, waitMs: 50 })).events).toEqual([]);
  });

  test('shows what nobody can read as it is', async () => {
    const host = stand.host();
    await host.eventLog.ensureTopics(['shop.events']);
    await host.eventLog.append('shop.events', [
      { key: 'a', headers: {}, value: 'plain' },
      { key: 'a', headers: {}, value: Buffer.from([0xff, 0xfe, 0]) },
    ]);
    const { events } = await look(host);
    expect(events.map(({ text, data }) => [text, data])).toEqual([
      ['plain', null],
      [null, null],
    ]);
    expect(events[0]!.wrong).toContain('ce_id is missing');
  });

  test('ends at once when its host closes', async () => {
    const host = stand.host();
    await host.eventLog.ensureTopics(['shop.events']);
    const closing = new AbortController();
    const waiting = look(host, { signal: closing.signal, waitMs: 60_000 });
    closing.abort();
    expect((await waiting).events).toEqual([]);
  });
});

describe('one event', () => {
  const find = (host: TestHost, id: string) =>
    findEvent([host.shop.parts, host.till.parts], host.eventLog, id);

  test('is found in the outbox, then in the log and at its consumer', async () => {
    const host = stand.host();
    const id = await publishByHand(host.shop.parts, shop.events.sold, { orderId: 'a', n: 1 }, 'a test');
    expect(await find(host, id)).toMatchObject({
      owner: 'shop',
      key: 'a',
      sequence: 1,
      waiting: { type: 'shop.sold.v1', data: { orderId: 'a', n: 1 } },
      sentAt: undefined,
      deliveries: [],
    });
    await host.start();
    await done(1);
    const found = await find(host, id);
    expect(found).toMatchObject({
      owner: 'shop',
      waiting: undefined,
      deliveries: [{ module: 'till', state: 'done' }],
    });
    expect(found!.record!.headers.ce_id).toBe(id);
    expect(found!.byHand).toEqual({ by: 'a test', at: expect.any(String) });
    expect(await find(host, randomUUID())).toBeUndefined();
  });

  test('that a person publishes is checked like any other, and noted', async () => {
    const host = stand.host();
    await expect(
      publishByHand(host.shop.parts, shop.events.sold, { orderId: 'a' }, 'me'),
    ).rejects.toMatchObject({
      errors: [{ path: '/n' }],
    });
    const id = await publishByHand(host.shop.parts, shop.events.sold, { orderId: 'a', n: 1 }, 'me');
    expect(await stand.query('SELECT action, by, event_id FROM shop.event_audit')).toEqual([
      { action: 'publish', by: 'me', event_id: id },
    ]);
  });
});
