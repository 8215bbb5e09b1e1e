// An upgrade in place: what an older release left when it was killed in full work (a hundred open orders in both
// styles, events unsent, events that failed for good, a module extracted, people signed in) is started by the present
// code. Everything that was under way ends as it should have, once, and nobody has to sign in again. Card tokens that stood
// in clear are charged, and gone once their charge is final.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { notifications } from '../../src/modules/notifications/contract.ts';
import { ask as askDatabase, discrepancies } from '../saga/sums.ts';
import { eventually } from '../shop.ts';
import { OlderService } from './older-service.ts';
import { type RecordedOrder, releases } from './recording.ts';
import { controlOf, type Restored, startOver } from './restored.ts';

let shop: Restored;

const ground = () => ({ started: { databaseUrl: shop.databaseUrl } });
const ask = (sql: string, values: unknown[] = []) => askDatabase(ground(), sql, values);

async function call(method: string, path: string, token = shop.adminToken, body?: object) {
  const response = await fetch(new URL(path, shop.host.url), {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  const { status, headers } = response;
  return { status, servedBy: headers.get('x-served-by'), body: text ? JSON.parse(text) : undefined };
}

type Standing = Pick<RecordedOrder, 'id' | 'style' | 'ends'> & { reason: string | null };

const wanted = (orders: readonly RecordedOrder[]): Standing[] =>
  orders.map(({ id, style, ends, reason = null }) => ({ id, style, ends, reason })).sort(byId);
const byId = (a: { id: string }, b: { id: string }) => a.id.localeCompare(b.id);

async function found(orders: readonly RecordedOrder[]): Promise<Standing[]> {
  const rows = await ask(
    'SELECT id, saga AS style, status AS ends, reason FROM orders.orders WHERE id = ANY ($1)',
    [orders.map(({ id }) => id)],
  );
  return (rows as Standing[]).sort(byId);
}

/** They do not go on before a person decides. */
const heldByDeadLetters = (order: RecordedOrder) =>
  !order.ended && shop.recording.dead.some(({ orderId }) => orderId === order.id);

describe.each(releases)('%s', (release) => {
  beforeAll(async () => {
    shop = await startOver(release);
  }, 120_000);
  afterAll(() => shop?.stop());

  test('the older release was killed in the middle of everything', () => {
    const { orders, dead, unsent } = shop.recording;
    for (const style of ['choreography', 'orchestration']) {
      const open = orders.filter((one) => one.style === style && !one.ended);
      expect(open.length, style).toBeGreaterThanOrEqual(50);
      expect(new Set(open.map(({ at }) => at)).size, style).toBeGreaterThan(10);
      const ended = orders.filter((one) => one.style === style && one.ended);
      expect(new Set(ended.map(({ ends }) => ends)), style).toEqual(
        new Set(['confirmed', 'rejected', 'cancelled']),
      );
    }
    const { steps, payments, leased, waiting } = shop.underWay;
    expect(steps).toEqual(
      expect.arrayContaining([
        'forward reserve-stock',
        'forward capture-payment',
        'forward sell-stock',
        'forward mail-customer',
        'undo release-stock',
      ]),
    );
    expect(payments).toEqual(expect.arrayContaining(['pending', 'captured', 'failed', 'refunding']));
    for (const [what, count] of Object.entries(leased)) expect(count, what).toBeGreaterThan(0);
    expect(waiting).toBeGreaterThan(20);
    expect(dead).toHaveLength(8);
    for (const module of ['catalog', 'orders', 'payments'])
      expect(unsent[module]!.length, module).toBeGreaterThan(0);
  });

  test('sessions that the older release opened go on, and those that it ended stay ended', async () => {
    for (const { id, revoked } of shop.recording.customers) {
      const me = await call('GET', '/api/users/me', shop.tokens.get(id));
      expect(me.status).toBe(revoked ? 401 : 200);
      if (!revoked) expect(me.body).toMatchObject({ id });
    }
  });

  test('a service of the older release is not let in, since nobody said that it may', async () => {
    const older = new OlderService(notifications, await controlOf(shop), shop.internalKey);
    try {
      expect(await older.register()).toBe(401);
      const [{ id } = { id: '' }] = shop.recording.customers;
      expect(await older.call('monolith', 'users', 'getUser', { userId: id })).toBe(401);
    } finally {
      await older.close();
    }
  });

  test('the style in force and the extracted module are as they were', async () => {
    expect((await call('GET', '/admin/saga')).body).toMatchObject({ style: 'orchestration' });
    const { extracted, customers } = shop.recording;
    const token = shop.tokens.get(customers.find(({ revoked }) => !revoked)!.id);
    await eventually(async () => {
      const { body } = await call('GET', '/admin/placements');
      expect(body.modules).toContainEqual(
        expect.objectContaining({ module: extracted, placement: 'service', desired: 1 }),
      );
      expect(await call('GET', `/api/${extracted}`, token)).toMatchObject({
        status: 200,
        servedBy: `${extracted}-1`,
      });
    });
  });

  test('every open order of both styles ends as its data say, and those that had ended stay', async () => {
    const all = shop.recording.orders.filter((order) => !heldByDeadLetters(order));
    await eventually(async () => expect(await found(all)).toEqual(wanted(all)), 60_000);
  });

  test('what was not sent arrives, and once', async () => {
    const unsent = Object.entries(shop.recording.unsent);
    await eventually(async () => {
      for (const [module, ids] of unsent) {
        expect(await ask(`SELECT id FROM ${module}.event_outbox`), module).toEqual([]);
        const logged = await ask(
          `SELECT headers ->> 'ce_id' AS id FROM banyan_log.record WHERE headers ->> 'ce_id' = ANY ($1)`,
          [ids],
        );
        expect(logged.map(({ id }) => id).sort(), module).toEqual([...ids].sort());
      }
    });
  });

  test('dead letters are listed as they were, and redriven they take effect', async () => {
    const { dead, orders } = shop.recording;
    const letters = await call('GET', '/admin/events/dead?limit=100');
    const listed = (letters.body.items as { id: string; module: string }[]).map(({ id, module }) => ({
      id,
      module,
    }));
    expect(listed.sort(byId)).toEqual(dead.map(({ id, module }) => ({ id, module })).sort(byId));
    const held = orders.filter(heldByDeadLetters);
    const undecided = held.filter(({ at }) => !at.includes('order-confirmed'));
    expect((await found(undecided)).map(({ ends }) => ends)).toEqual(undecided.map(() => 'placed'));
    for (const module of new Set(dead.map((one) => one.module))) {
      const { body } = await call('POST', '/admin/events/redrive', shop.adminToken, { module });
      expect(body).toEqual({ redriven: dead.filter((one) => one.module === module).length });
    }
    await eventually(async () => expect(await found(held)).toEqual(wanted(held)));
  });

  test('card tokens that waited in clear are charged, and kept no longer than their charge is open', async () => {
    const { waiting } = shop.clearTokens;
    const confirmed = shop.recording.orders.filter(
      ({ id, ends }) => ends === 'confirmed' && waiting.includes(id),
    );
    expect(confirmed.length).toBeGreaterThan(0);
    const charged = await ask(
      'SELECT order_id AS id, status FROM card_network.charges WHERE order_id = ANY ($1)',
      [confirmed.map(({ id }) => id)],
    );
    expect((charged as { id: string }[]).sort(byId)).toEqual(
      confirmed.map(({ id }) => ({ id, status: 'captured' })).sort(byId),
    );
    await eventually(async () =>
      expect(
        await ask(`SELECT order_id, status, token FROM payments.payments WHERE token ~ '^tok_'`),
      ).toEqual([]),
    );
  });

  test('stock, money and mails add up: nothing is lost, nothing is done twice', async () => {
    const { orders, stock } = shop.recording;
    await eventually(
      async () => expect(await discrepancies(ground(), new Map(Object.entries(stock)))).toEqual([]),
      30_000,
    );
    const folder = join(shop.dataDir, 'mail');
    const about = readdirSync(folder).map(
      (name) => /^X-Order-ID: (\S+)/im.exec(readFileSync(join(folder, name), 'utf8'))?.[1],
    );
    expect(about.filter((id) => id !== undefined).sort()).toEqual(orders.map(({ id }) => id).sort());
  });

  test('outboxes, log and inboxes agree over the whole of it', async () => {
    await eventually(async () => {
      const { body } = await call('GET', '/admin/events/verify');
      expect(body.topics.length).toBeGreaterThan(0);
      for (const { topic, lost, doubled, inverted, waiting, consumers } of body.topics) {
        expect({ topic, lost, doubled, inverted, waiting }).toEqual({
          topic,
          lost: 0,
          doubled: 0,
          inverted: 0,
          waiting: 0,
        });
        for (const { module, ...of } of consumers)
          expect({ topic, module, ...of }).toMatchObject({
            lost: 0,
            doubled: 0,
            inverted: 0,
            open: 0,
            dead: 0,
          });
      }
    }, 30_000);
  });
});
