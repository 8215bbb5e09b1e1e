// What a person can do about events that failed: see why, try them again in order, with better data, give them up.
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LogRecord } from '../../log/port.ts';
import { toRecord } from '../cloudevents.ts';
import { EventRefused } from '../publisher.ts';
import { redriveAll } from '../testing/redrive-all.ts';
import { openServer, type TestServer } from '../testing/server.ts';
import { byKey, openStand, type Stand, type TestHost } from '../testing/stand.ts';
import { until } from '../testing/until.ts';
import { NotAtRest } from './at-rest.ts';
import { listDeadLetters, readDeadLetter } from './dead-letters.ts';
import { drop } from './drop.ts';
import { NotRepairable } from './edit.ts';
import { heldKeys } from './held.ts';
import { redrive } from './redrive.ts';
import { unhandledOf } from './unhandled.ts';

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

const retry = { attempts: 2, baseMs: 1, maxMs: 2 };
const by = 'a test';

function sold(key: string, sequence: number, data: unknown = { orderId: key, n: sequence }): LogRecord {
  return toRecord({
    id: randomUUID(),
    source: '/modules/shop',
    type: 'shop.sold.v1',
    subject: key,
    time: new Date().toISOString(),
    sequence,
    correlationId: 'c',
    causationId: null,
    traceparent: null,
    data: typeof data === 'string' ? data : JSON.stringify(data),
  });
}

/** Deliveries in a state, by the stores' own word. */
async function inState(state: string, n: number): Promise<void> {
  await until(`${n} ${state}`, async () => {
    const rows = await stand.query('SELECT 1 FROM till.event_delivery WHERE state = $1', [state]);
    return rows.length === n;
  });
}

const deadLetters = async (host: TestHost) =>
  (await listDeadLetters(host.till.parts.store.pool, 'till', { state: 'dead', limit: 100 })).map(
    ({ letter }) => letter,
  );
/** Past any outbox, as no relay would. */
const send = async (host: TestHost, ...records: LogRecord[]) => {
  await host.eventLog.ensureTopics(['shop.events']);
  await host.eventLog.append('shop.events', records);
};
const effects = async () => byKey(await stand.effects());

describe('an event that failed', () => {
  test('is listed with why, how often and what it holds, and shown with every stack', async () => {
    const host = stand.host({
      retry,
      before: ({ n }) => {
        if (n === 1) throw new Error(`no such shelf (${n})`);
      },
    });
    await host.start();
    await host.sell(
      { orderId: 'a', n: 1 },
      { orderId: 'a', n: 2 },
      { orderId: 'a', n: 3 },
      { orderId: 'b', n: 7 },
    );
    await inState('dead', 1);
    await inState('queued', 2);

    const [letter, ...rest] = await deadLetters(host);
    expect(rest).toEqual([]);
    expect(letter).toMatchObject({
      module: 'till',
      topic: 'shop.events',
      key: 'a',
      sequence: 1,
      reason: 'no such shelf (1)',
      attempts: 2,
      holds: true,
      behind: 2,
    });
    const whole = await readDeadLetter(host.till.parts.store.pool, 'till', letter!.id);
    expect(whole!.history.map(({ attempt, host, error }) => [attempt, host, error])).toEqual([
      [1, 'monolith', 'no such shelf (1)'],
      [2, 'monolith', 'no such shelf (1)'],
    ]);
    expect(whole!.history[0]!.stack).toContain('letters.test.ts');
    expect(JSON.parse(whole!.value!.toString())).toEqual({ orderId: 'a', n: 1 });
    expect(await heldKeys(host.till.parts.store.pool, 'till', 10)).toMatchObject([
      { key: 'a', id: letter!.id, state: 'dead', behind: 2 },
    ]);
    expect(await heldKeys(host.till.parts.store.pool, 'till', 10, 'a')).toHaveLength(1);
    expect(await heldKeys(host.till.parts.store.pool, 'till', 10, 'b')).toEqual([]);
    expect(await effects()).toEqual({ b: [7] });
    const { pool } = host.till.parts.store;
    expect(await unhandledOf(pool, 'till', ['a', 'b'])).toMatchObject([
      { module: 'till', key: 'a', id: letter!.id, state: 'dead', reason: 'no such shelf (1)', behind: 2 },
    ]);
    expect(await unhandledOf(pool, 'till', ['b'])).toEqual([]);
    await drop(host.till.parts, [letter!.id], { by, why: 'a test' });
    await inState('done', 3);
    expect(await unhandledOf(pool, 'till', ['a', 'b'])).toMatchObject([
      { key: 'a', id: letter!.id, state: 'dropped', reason: 'dropped: a test', behind: 0 },
    ]);
  });

  test('is tried again after the cause was mended, before those that waited behind it', async () => {
    let broken = true;
    const host = stand.host({
      retry,
      before: ({ n }) => {
        if (broken && n % 3 === 1) throw new Error('not yet');
      },
    });
    await host.start();
    for (const orderId of ['a', 'b', 'c']) for (let n = 1; n <= 5; n += 1) await host.sell({ orderId, n });
    await inState('dead', 3);
    await inState('queued', 12);
    broken = false;
    expect(await redriveAll(host.till.parts, by)).toBe(3);
    await inState('done', 15);
    const order = [1, 2, 3, 4, 5];
    expect(await effects()).toEqual({ a: order, b: order, c: order });
    expect(await redriveAll(host.till.parts, by)).toBe(0);
    const rows = await stand.query('SELECT action, by, detail FROM till.event_audit');
    expect(rows).toHaveLength(3);
    expect(rows[0]).toMatchObject({
      action: 'redrive',
      by,
      detail: { state: 'dead', attempts: 2, edited: false },
    });
  });

  test('that died where keys go on is tried alone; the later ones had their effect', async () => {
    let broken = true;
    const host = stand.host({
      retry: { ...retry, afterDeath: 'go-on' },
      before: ({ n }) => {
        if (broken && n <= 2) throw new Error('not yet');
      },
    });
    await host.start();
    await host.sell(...[1, 2, 3].map((n) => ({ orderId: 'a', n })));
    await inState('dead', 2);
    await inState('done', 1);
    broken = false;
    const ids = (await deadLetters(host)).map(({ id }) => id);
    // Named in the wrong order, they still go in the order of their key.
    const decided = await redrive(host.till.parts, ids.toReversed(), { by });
    expect(decided.map(({ state }) => state)).toEqual(['waiting', 'queued']);
    expect(decided[1]!.behind).toBe(decided[0]!.id);
    await inState('done', 3);
    expect(await effects()).toEqual({ a: [3, 1, 2] });
  });

  test('is given up with a reason that is kept, and its key goes on', async () => {
    const host = stand.host({
      retry,
      before: ({ n }) => {
        if (n === 1) throw new Error('never');
      },
    });
    await host.start();
    await host.sell({ orderId: 'a', n: 1 }, { orderId: 'a', n: 2 });
    await inState('dead', 1);
    const { id } = (await deadLetters(host))[0]!;
    const why = 'a test order: nobody waits for it';
    expect(await drop(host.till.parts, [id], { by, why })).toEqual([
      { module: 'till', id, state: 'dropped', behind: null },
    ]);
    await inState('done', 1);
    expect(await effects()).toEqual({ a: [2] });
    const whole = await readDeadLetter(host.till.parts.store.pool, 'till', id);
    expect(whole!.audit).toMatchObject([{ action: 'drop', by, why, detail: { reason: 'never' } }]);
    await expect(drop(host.till.parts, [id], { by, why })).rejects.toThrow(NotAtRest);
    await expect(redrive(host.till.parts, [id], { by })).rejects.toThrow(/is dropped at till/);
    await expect(redrive(host.till.parts, [randomUUID()], { by })).rejects.toThrow(/till has no delivery/);
  });
});

describe('an event that cannot be read', () => {
  test('is mended: what is wrong is said by its path, and both what it was and what was written are kept', async () => {
    const host = stand.host();
    await host.start();
    await send(host, sold('a', 1, { orderId: 'a', n: 'one' }), sold('a', 2), sold('a', 3));
    await inState('dead', 1);
    await inState('queued', 2);
    const { id } = (await deadLetters(host))[0]!;
    const refused = async (data: unknown) =>
      redrive(host.till.parts, [id], { by, data }).then(
        () => [],
        (error: EventRefused) => {
          expect(error).toBeInstanceOf(EventRefused);
          return error.errors.map(({ path }) => path);
        },
      );
    expect(await refused({ orderId: 'a' })).toEqual(['/n']);
    expect(await refused('text')).toEqual(['']);
    expect(await refused({ orderId: 'another', n: 1 })).toEqual(['/orderId']);
    expect(await effects()).toEqual({});

    await redrive(host.till.parts, [id], { by, data: { orderId: 'a', n: 1 } });
    await inState('done', 3);
    expect(await effects()).toEqual({ a: [1, 2, 3] });
    const whole = await readDeadLetter(host.till.parts.store.pool, 'till', id);
    expect(whole!.audit[0]!.original).toBe('{"orderId":"a","n":"one"}');
    expect(whole!.audit[0]!.replacement).toBe('{"orderId":"a","n":1}');
  });

  test('is dead again when nothing was mended, and nothing overtakes it', async () => {
    const host = stand.host();
    await host.start();
    await send(host, sold('a', 1, '{"broken'), sold('a', 2));
    await inState('dead', 1);
    const { id } = (await deadLetters(host))[0]!;
    expect(await redriveAll(host.till.parts, by)).toBe(1);
    await inState('dead', 1);
    expect((await deadLetters(host))[0]).toMatchObject({ id, holds: true, behind: 1 });
    expect(await effects()).toEqual({});
  });

  test('for another reason than its data is told so', async () => {
    const host = stand.host();
    await host.start();
    const record = sold('a', 1);
    const { ce_specversion: _, ...headers } = record.headers;
    await send(host, { ...record, headers });
    await inState('dead', 1);
    const { id } = (await deadLetters(host))[0]!;
    const again = redrive(host.till.parts, [id], { by, data: { orderId: 'a', n: 1 } });
    await expect(again).rejects.toThrow(NotRepairable);
    await expect(again).rejects.toThrow(/ce_specversion/);
  });

  test('two people who decide at once: one decision stands', async () => {
    const host = stand.host();
    await host.start();
    await send(host, sold('a', 1, '[]'));
    await inState('dead', 1);
    const { id } = (await deadLetters(host))[0]!;
    const results = await Promise.allSettled([
      drop(host.till.parts, [id], { by: 'one', why: 'x' }),
      drop(host.till.parts, [id], { by: 'two', why: 'y' }),
    ]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await stand.query('SELECT by FROM till.event_audit')).toHaveLength(1);
  });
});

test('what is decided beside the host that consumes takes effect there', async () => {
  let broken = true;
  const working = stand.host({
    hostId: 'working',
    retry,
    before: () => {
      if (broken) throw new Error('not yet');
    },
  });
  await working.start();
  await working.sell({ orderId: 'a', n: 1 });
  await inState('dead', 1);
  broken = false;
  const beside = stand.host({ hostId: 'beside' });
  await redriveAll(beside.till.parts, by);
  await inState('done', 1);
  expect(await effects()).toEqual({ a: [1] });
});
