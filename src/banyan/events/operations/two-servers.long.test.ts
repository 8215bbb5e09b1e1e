// What a person does about events where the two modules' stores are not in one database: everything is seen, and put
// right, at the store that has it, also after the store of the consumer has gone on to another one.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { on } from '../../saga/on.ts';
import { redriveAll } from '../testing/redrive-all.ts';
import { openServer, type TestServer } from '../testing/server.ts';
import { shop, urlOf } from '../testing/shop.ts';
import { byKey, openStand, type Stand, type TestHost } from '../testing/stand.ts';
import { until } from '../testing/until.ts';
import { listDeadLetters } from './dead-letters.ts';
import { drop } from './drop.ts';
import { findEvent } from './find.ts';
import { redrive } from './redrive.ts';
import { replay } from './replay.ts';
import { verify } from './verify.ts';

let server: TestServer;
/** The log and `shop` are here, `till` there. */
let [here, there]: Stand[] = [];
let host: TestHost;
let broken = true;

beforeAll(async () => {
  server = await openServer();
}, 60_000);
afterAll(() => server?.stop());
beforeEach(async () => {
  broken = true;
  [here, there] = [await openStand(server.url), await openStand(server.url)];
  const writeEffect = on(
    shop.events.sold,
    async ({ orderId, n }, { tx, delivery }) => {
      if (broken && n === 3) throw new Error('broken');
      await tx.sql.query('INSERT INTO effect (id, key, n) VALUES ($1, $2, $3)', [
        delivery.envelope.id,
        orderId,
        n,
      ]);
    },
    { retry: { attempts: 1, afterDeath: 'go-on' }, replayable: true },
  );
  host = here.host({ listeners: [writeEffect] });
  await host.tillStore.pool.switchTo(urlOf(there.url, 'banyan_till'));
  await host.start();
  for (let n = 1; n <= 5; n += 1) await host.sell(...['a', 'b', 'c'].map((orderId) => ({ orderId, n })));
  await until('all is settled', async () => {
    const { deliveries, lag } = await host.till.stats();
    const sent = await host.shop.stats();
    return deliveries.dead === 3 && sent.outbox.waiting === 0 && lag!.every((one) => one.events === 0);
  });
});
afterEach(() => Promise.all([here?.close(), there?.close()]));

const parts = () => [host.shop.parts, host.till.parts] as const;
const check = async () =>
  (
    await verify(parts(), host.eventLog, { from: new Date(Date.now() - 3_600_000), until: new Date() })
  ).topics.find(({ topic }) => topic === 'shop.events')!;
const nothingWrong = { lost: 0, doubled: 0, inverted: 0 };

test('verification compares what is in two stores, and finds what is lost in one of them', async () => {
  expect(await check()).toMatchObject({
    ...nothingWrong,
    sent: 15,
    logged: 15,
    foreign: 0,
    consumers: [{ module: 'till', expected: 15, done: 12, dead: 3, inFlight: 0, ...nothingWrong }],
  });
  expect(await here!.query('SELECT FROM till.event_delivery')).toEqual([]);
  await there!.query(`DELETE FROM till.event_delivery WHERE key = 'a' AND sequence = 2`);
  expect((await check()).consumers).toMatchObject([{ expected: 15, done: 11, lost: 1 }]);
});

test('an event is found at both, and dead letters are listed, dropped and redriven where they are', async () => {
  const { pool } = host.tillStore;
  const letters = (await listDeadLetters(pool, 'till', { state: 'dead', limit: 10 })).map(
    ({ letter }) => letter,
  );
  expect(letters.map(({ key, sequence }) => [key, sequence]).sort()).toEqual([
    ['a', 3],
    ['b', 3],
    ['c', 3],
  ]);
  const idOf = (key: string) => letters.find((one) => one.key === key)!.id;
  expect(await findEvent(parts(), host.eventLog, idOf('a'))).toMatchObject({
    owner: 'shop',
    sequence: 3,
    record: { topic: 'shop.events' },
    deliveries: [{ module: 'till', state: 'dead' }],
  });
  await drop(host.till.parts, [idOf('a')], { by: 'me', why: 'unwanted' });
  broken = false;
  await redrive(host.till.parts, [idOf('b')], { by: 'me', data: { orderId: 'b', n: 33 } });
  expect(await redriveAll(host.till.parts, 'me')).toBe(1);
  await until('both are done', async () => (await there!.effects()).length === 14);
  expect(byKey(await there!.effects())).toEqual({ a: [1, 2, 4, 5], b: [1, 2, 4, 5, 33], c: [1, 2, 4, 5, 3] });
  expect((await check()).consumers).toMatchObject([{ expected: 15, done: 14, dropped: 1, ...nothingWrong }]);
});

test('a replay reads the log here and works there; progress counts on from one server to the next', async () => {
  const { mark } = await host.till.progress();
  broken = false;
  await redriveAll(host.till.parts, 'me');
  await until('all are done', async () => (await there!.effects()).length === 15);
  const first = await host.till.progress(mark);
  expect(first).toMatchObject({ handled: 3, failed: 0 });
  const third = await openStand(server.url);
  try {
    await host.till.consumers.stop();
    await host.tillStore.pool.switchTo(urlOf(third.url, 'banyan_till'));
    const span = {
      topic: 'shop.events',
      from: new Date(Date.now() - 3_600_000),
      until: new Date(),
      budgetMs: 30_000,
    };
    expect(await replay(host.till.parts, host.eventLog, span)).toMatchObject({ replayed: 15 });
    expect(await third.effects()).toHaveLength(15);
    expect(await there!.effects()).toHaveLength(15);
    // What a replay does is no delivery; and no number of one server is taken for one of the other.
    expect(await host.till.progress(first.mark)).toMatchObject({ handled: 0, failed: 0 });
  } finally {
    await host.close();
    await third.close();
  }
});
