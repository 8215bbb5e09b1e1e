// Many dead letters, and one that is only tried: chosen by a filter, redriven at a rate, dropped together, and a dry run that
// leaves nothing behind.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firstOperator } from '../../context/principal.ts';
import type { Handlers } from '../../contract/handlers.ts';
import { openServer, type TestServer } from '../testing/server.ts';
import { shop, till } from '../testing/shop.ts';
import { openStand, type Sold, type Stand, type TestHost } from '../testing/stand.ts';
import { until } from '../testing/until.ts';
import type { events } from './contract.ts';
import { deadLetterHandlers } from './dead-letter-handlers.ts';
import { readDeadLetter } from './dead-letters.ts';
import { manyHandlers } from './many-handlers.ts';
import { Site } from './site.ts';
import { tryDelivery } from './try-delivery.ts';

let server: TestServer;
let stand: Stand;
let host: TestHost;
let fault: (data: Sold) => Promise<void> | void;
let ask: Pick<Handlers<typeof events>, 'dead' | 'letter' | 'try' | 'redriveMany' | 'dropMany'>;
const call = { principal: firstOperator } as never;
const retry = { attempts: 2, baseMs: 1, maxMs: 2 };
const failing = ({ n }: Sold) => {
  throw new Error(n === 7 ? 'Seven is <b>unlucky</b>' : `no such shelf (${n})`);
};

const dead = async (n: number) =>
  until(`${n} dead`, async () => (await ask.dead({}, call)).items.length === n);
const rows = (text: string) => stand.query(text);

beforeAll(async () => {
  server = await openServer();
  stand = await openStand(server.url);
  host = stand.host({ retry, before: (data) => fault(data) });
  fault = failing;
  await host.start();
  const { signal: closing } = new AbortController();
  const site = new Site({
    contracts: [shop, till],
    modules: [host.shop, host.till],
    eventLog: host.eventLog,
    closing,
  });
  ask = { ...deadLetterHandlers(site), ...manyHandlers(site) };
  await host.sell(
    { orderId: 'a', n: 1 },
    { orderId: 'b', n: 7 },
    { orderId: 'c', n: 3 },
    { orderId: 'd', n: 4 },
  );
  await dead(4);
}, 60_000);
afterAll(async () => {
  await stand?.close();
  await server?.stop();
});

describe('dead letters', () => {
  test('are found by type, reason, key and age; a page follows the one before', async () => {
    const keys = async (filter: object) =>
      (await ask.dead(filter, call)).items.map(({ key }) => key).toSorted();
    expect(await keys({ type: 'sold' })).toEqual(['a', 'b', 'c', 'd']);
    expect(await keys({ type: 'paid' })).toEqual([]);
    expect(await keys({ reason: 'UNLUCKY' })).toEqual(['b']);
    expect(await keys({ reason: 'shelf', key: 'c' })).toEqual(['c']);
    expect(await keys({ olderThan: '1h' })).toEqual([]);
    expect(await keys({ olderThan: new Date(Date.now() + 1_000).toISOString() })).toHaveLength(4);
    await expect(ask.dead({ olderThan: 'yesterday' }, call)).rejects.toMatchObject({ status: 422 });
    const first = await ask.dead({ reason: 'shelf', limit: 2 }, call);
    expect(first).toMatchObject({ total: 3, items: [{}, {}] });
    const second = await ask.dead({ reason: 'shelf', limit: 2, cursor: first.nextCursor! }, call);
    expect(second.items).toHaveLength(1);
    expect(new Set([...first.items, ...second.items].map(({ key }) => key))).toEqual(
      new Set(['a', 'c', 'd']),
    );
  });

  test('each attempt has its trace, that of the event; of many the first and the last are kept', async () => {
    const { items } = await ask.dead({ key: 'a' }, call);
    const { history, headers, notSentAgain } = await ask.letter({ id: items[0]!.id }, call);
    expect(notSentAgain).toEqual(headers?.traceparent ? ['traceparent'] : []);
    const traces = history.map(({ traceparent }) => traceparent?.slice(3, 35));
    expect(traces).toHaveLength(2);
    if (headers?.traceparent) expect(new Set(traces)).toEqual(new Set([headers.traceparent.slice(3, 35)]));
    await rows(
      `UPDATE till.event_delivery SET state = 'waiting', attempts = 2, next_at = 'infinity' WHERE id = '${items[0]!.id}'`,
    );
    for (let n = 3; n < 110; n += 1)
      await rows(
        `SELECT till.event_failed('${items[0]!.id}', ${n}, interval '1 day', false, 'test', 'again', NULL, NULL)`,
      );
    const later = await ask.letter({ id: items[0]!.id, module: 'till' }, call);
    expect(later.history).toHaveLength(100);
    expect(later.history[0]!.attempt).toBe(1);
    expect(later.history.at(-1)!.attempt).toBe(109);
    await rows(`UPDATE till.event_delivery SET attempts = 1 WHERE id = '${items[0]!.id}'`);
    // As a host of the version before says it.
    await rows(`SELECT till.event_fail('${items[0]!.id}', 2, NULL, true, 'test', 'no such shelf (1)', NULL)`);
    await dead(4);
  });
});

describe('a letter that is only tried', () => {
  const letterOf = async (key: string) => (await ask.dead({ key }, call)).items[0]!;
  const effects = async () => (await stand.effects()).length;

  test('says why it would fail, and what it would publish with other data; nothing of it stays', async () => {
    const { id } = await letterOf('b');
    const before = await rows('SELECT * FROM till.event_delivery ORDER BY id');
    expect(await ask.try({ id }, call)).toMatchObject({
      works: false,
      ran: true,
      error: 'Seven is <b>unlucky</b>',
      publishes: [],
    });
    fault = ({ n }) => (n === 7 ? failing({ orderId: '', n }) : undefined);
    const better = await ask.try({ id, data: { orderId: 'b', n: 8 } }, call);
    expect(better).toMatchObject({
      works: true,
      ran: true,
      publishes: [{ module: 'till', type: 'till.paid.v1', key: 'b', data: { orderId: 'b', n: 8 } }],
    });
    expect(better).not.toHaveProperty('error');
    expect(await effects()).toBe(0);
    expect(await rows('SELECT * FROM till.event_outbox')).toEqual([]);
    expect(await rows('SELECT * FROM till.event_delivery ORDER BY id')).toEqual(before);
    fault = failing;
  });

  test('is not run where its data is wrong, or only to be checked', async () => {
    const { id } = await letterOf('b');
    expect(await ask.try({ id, data: { orderId: 'b', n: 'x' } }, call)).toMatchObject({
      works: false,
      ran: false,
      errors: [{ path: '/n' }],
    });
    expect(await ask.try({ id, data: { orderId: 'other', n: 1 } }, call)).toMatchObject({
      works: false,
      errors: [{ path: '/orderId' }],
    });
    expect(await ask.try({ id, data: { orderId: 'b', n: 1 }, checkOnly: true }, call)).toMatchObject({
      works: true,
      ran: false,
    });
  });

  test('that hangs is given up', async () => {
    fault = () => new Promise(() => {});
    const { id } = await letterOf('b');
    const letter = await readDeadLetter(host.till.parts.store.pool, 'till', id);
    const tried = await tryDelivery(host.till.parts, letter!, { budgetMs: 100 });
    expect(tried).toMatchObject({ works: false, ran: true, disturbed: expect.stringContaining('100 ms') });
    fault = failing;
  });
});

describe('many at once', () => {
  test('are redriven at a rate, each with a new trace', async () => {
    await expect(ask.redriveMany({}, call)).rejects.toMatchObject({ status: 422 });
    await rows(`UPDATE till.event_delivery SET headers =
      (headers::jsonb || '{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","b3":"1"}')::json`);
    fault = () => {};
    const answer = await ask.redriveMany({ reason: 'shelf', perSecond: 2 }, call);
    expect(answer).toEqual({ redriven: 3, lastAfterSeconds: 1 });
    const waits = await rows(
      `SELECT key, headers ->> 'b3' AS b3, substr(headers ->> 'traceparent', 4, 32) AS trace,
         extract(epoch FROM next_at - clock_timestamp()) > 0.3 AS later
       FROM till.event_delivery WHERE state IN ('waiting', 'queued') AND key IN ('c', 'd') ORDER BY key`,
    );
    expect(waits).toHaveLength(2);
    for (const one of waits) {
      expect(one).toMatchObject({ b3: null });
      expect(one.trace).not.toBe('0af7651916cd43dd8448eb211c80319c');
    }
    expect(waits.at(-1)).toMatchObject({ later: true });
    await until('three effects', async () => (await stand.effects()).length === 3);
    const [audit] = await rows(`SELECT detail FROM till.event_audit WHERE action = 'redrive' LIMIT 1`);
    expect(audit!.detail).toMatchObject({
      headers: expect.arrayContaining([
        { name: 'b3', before: '1', after: null },
        expect.objectContaining({ name: 'traceparent' }),
      ]),
    });
  });

  test('are dropped with a reason', async () => {
    expect(await ask.dropMany({ module: 'till', reason: 'nothing of this', why: 'a test' }, call)).toEqual({
      dropped: 0,
    });
    expect(await ask.dropMany({ key: 'b', why: 'a test' }, call)).toEqual({ dropped: 1 });
    await dead(0);
  });
});
