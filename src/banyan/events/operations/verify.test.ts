// Verification finds what is wrong, and only that: every fault is made by hand here, and found.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { redriveAll } from '../testing/redrive-all.ts';
import { openServer, type TestServer } from '../testing/server.ts';
import { openStand, type Stand, type TestHost } from '../testing/stand.ts';
import { until } from '../testing/until.ts';
import type { Verified } from './verdict.ts';
import { verify } from './verify.ts';

let server: TestServer;
let stand: Stand;
let host: TestHost;
let broken = false;

beforeAll(async () => {
  server = await openServer();
}, 60_000);
afterAll(() => server.stop());
beforeEach(async () => {
  broken = false;
  stand = await openStand(server.url);
  host = stand.host({
    retry: { attempts: 1, afterDeath: 'go-on' },
    before: ({ n }) => {
      if (broken && n === 3) throw new Error('broken');
    },
  });
});
afterEach(() => stand.close());

/** Tasks begin by themselves; what was sold before `till` noted that it listens would be none of its business. */
async function listening(): Promise<void> {
  await host.start();
  await until('it listens', async () => (await stand.query('SELECT FROM till.event_listener')).length === 1);
}

async function sell(): Promise<void> {
  for (let n = 1; n <= 5; n += 1) await host.sell(...['a', 'b', 'c'].map((orderId) => ({ orderId, n })));
}

/** Fifteen events, all the way: also those that `till` published in turn. */
async function settled(effects = 15): Promise<void> {
  await until('all effects', async () => (await stand.effects()).length >= effects);
  await until('all sent', async () => {
    const [shop, till] = await Promise.all([host.shop.stats(), host.till.stats()]);
    return shop.outbox.waiting + till.outbox.waiting === 0 && till.lag!.every((one) => one.events === 0);
  });
}

const check = (from = new Date(Date.now() - 3_600_000)) =>
  verify([host.shop.parts, host.till.parts], host.eventLog, { from, until: new Date() });

const shopOf = ({ topics }: Verified) => topics.find(({ topic }) => topic === 'shop.events')!;

test('all is well, and counted', async () => {
  await listening();
  await sell();
  await settled();
  const found = await check();
  expect(found.examples).toEqual([]);
  expect(shopOf(found)).toEqual({
    topic: 'shop.events',
    sent: 15,
    waiting: 0,
    logged: 15,
    repeated: 0,
    foreign: 0,
    ahead: 0,
    aheadFrom: null,
    lost: 0,
    doubled: 0,
    inverted: 0,
    consumers: [
      {
        module: 'till',
        expected: 15,
        done: 15,
        open: 0,
        dead: 0,
        dropped: 0,
        inFlight: 0,
        lost: 0,
        doubled: 0,
        inverted: 0,
      },
    ],
  });
});

test('events in flight are not lost: in the outbox, and in the log before the consumer', async () => {
  await listening();
  await host.till.consumers.stop();
  await sell();
  await until('sent', async () => (await host.shop.stats()).outbox.waiting === 0);
  await host.shop.relay.stop();
  await sell();
  const { waiting, consumers, lost } = shopOf(await check());
  expect({ waiting, lost }).toEqual({ waiting: 15, lost: 0 });
  expect(consumers).toMatchObject([{ expected: 15, done: 0, inFlight: 15, lost: 0 }]);
});

test('dead letters are not lost; what a person redrove is not inverted; repeats on the wire are no fault', async () => {
  broken = true;
  await listening();
  await sell();
  await settled(12);
  expect(shopOf(await check()).consumers).toMatchObject([{ done: 12, dead: 3, lost: 0, inverted: 0 }]);
  broken = false;
  await redriveAll(host.till.parts, 'a test');
  await settled();
  const records = [];
  for await (const one of host.eventLog.read('shop.events')) records.push(one);
  await host.eventLog.append('shop.events', records.slice(0, 4));
  await settled();
  const found = shopOf(await check());
  expect(found).toMatchObject({ repeated: 4, doubled: 0, inverted: 0, foreign: 0 });
  expect(found.consumers).toMatchObject([{ done: 15, dead: 0, lost: 0, doubled: 0, inverted: 0 }]);
});

test('finds an event that left the outbox and never reached the log', async () => {
  await listening();
  await sell();
  await settled();
  await host.shop.relay.stop();
  await sell();
  await stand.query("DELETE FROM shop.event_outbox WHERE key = 'b' AND sequence IN (7, 10)");
  expect(shopOf(await check())).toMatchObject({ waiting: 13, lost: 2 });
});

test('finds an event that the log lost before its consumer saw it', async () => {
  await listening();
  await host.till.consumers.stop();
  await sell();
  await until('sent', async () => (await host.shop.stats()).outbox.waiting === 0);
  await stand.query(
    'DELETE FROM banyan_log.record WHERE ("offset", partition) IN (SELECT "offset", partition FROM banyan_log.record ORDER BY appended_at OFFSET 3 LIMIT 1)',
  );
  const found = await check();
  expect(shopOf(found)).toMatchObject({ sent: 15, logged: 14, lost: 1 });
  expect(found.examples).toMatchObject([{ fault: 'lost', where: 'log', topic: 'shop.events' }]);
});

test('finds an event that a consumer took and forgot', async () => {
  await listening();
  await sell();
  await settled();
  await stand.query("DELETE FROM till.event_delivery WHERE key = 'c' AND sequence = 2");
  const found = await check();
  expect(shopOf(found).consumers).toMatchObject([{ expected: 15, done: 14, inFlight: 0, lost: 1 }]);
  expect(found.examples).toMatchObject([{ fault: 'lost', where: 'till', key: 'c', sequence: 2 }]);
});

test('finds effects out of order, and two for one number', async () => {
  await listening();
  await sell();
  await settled();
  await stand.query(
    "UPDATE till.event_delivery SET settled_at = settled_at + interval '1 minute' WHERE key = 'a' AND sequence = 2",
  );
  await stand.query(
    `INSERT INTO till.event_delivery (id, topic, key, sequence, type, state)
     SELECT gen_random_uuid(), topic, key, sequence, type, 'done' FROM till.event_delivery WHERE key = 'b' AND sequence = 5`,
  );
  expect(shopOf(await check()).consumers).toMatchObject([{ inverted: 1, doubled: 1 }]);
});

test('finds an inversion on the wire, and what no outbox had', async () => {
  await listening();
  await sell();
  await settled();
  const records = [];
  for await (const one of host.eventLog.read('shop.events')) records.push(one);
  const last = records.findLast(({ key }) => key === 'a')!;
  const strange = (sequence: number, id: string) => ({
    ...last,
    headers: { ...last.headers, ce_id: id, ce_sequence: String(sequence) },
  });
  await host.eventLog.append('shop.events', [
    strange(9, '00000000-0000-7000-8000-000000000009'),
    strange(8, '00000000-0000-7000-8000-000000000008'),
  ]);
  const found = await check();
  expect(shopOf(found)).toMatchObject({ foreign: 2, ahead: 2, inverted: 1, lost: 0 });
});

test('looks only at the time it is given', async () => {
  await listening();
  await sell();
  await settled();
  const from = new Date(Date.now() + 1);
  await until('the clock', () => Date.now() > from.getTime());
  expect(shopOf(await check(from))).toMatchObject({ sent: 0, lost: 0 });
});
