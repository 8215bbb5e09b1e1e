// Events as an operator meets them, through a running shop: what is refused and where it says so, what fails and
// is put right, wherever the consumer serves; what the numbers and one trace say. The same on either log:
// events.test.ts runs it on the Postgres log, events-kafka.test.ts over a real broker.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quiet } from '../src/banyan/events/testing/shop.ts';
import { createKafkaLog } from '../src/banyan/log/kafka/log.ts';
import { freePort } from '../src/banyan/postgres/free-port.ts';
import { run } from '../src/cli/run.ts';
import { clientOf, eventually, type Shop } from './shop.ts';
import { startShop } from './start-shop.ts';
import { setTopic } from './topic-settings.ts';

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

/** What events go over: undefined is the Postgres log. */
export type OpenBroker = () => Promise<{ url: string; close(): Promise<void> } | undefined>;

export function eventsSuite(openBroker: OpenBroker): void {
  let shop: Shop;
  let database: pg.Client;
  let internalPort: number;
  const spans: Span[] = [];
  let collector: ReturnType<typeof createServer>;
  let brokerUrl: string | undefined;
  let closeBroker: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    collector = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      // Metrics and logs come by the same address.
      const { resourceSpans = [] } = JSON.parse(Buffer.concat(chunks).toString());
      for (const { scopeSpans } of resourceSpans) for (const one of scopeSpans) spans.push(...one.spans);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    collector.listen(0, '127.0.0.1');
    await once(collector, 'listening');
    internalPort = await freePort();
    const broker = await openBroker();
    closeBroker = broker?.close;
    brokerUrl = broker?.url;
    shop = clientOf(
      await startShop({
        env: {
          ...(brokerUrl ? { BROKER_URL: brokerUrl } : {}),
          INTERNAL_PORT: String(internalPort),
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
        },
      }),
    );
    database = new pg.Client({ connectionString: shop.started.databaseUrl });
    await database.connect();
  });
  afterAll(async () => {
    await database.end();
    await shop.started.stop();
    await closeBroker?.();
    collector.close();
  });

  const admin = (method: string, path: string, body?: object) =>
    shop.call(method, path, { token: shop.adminToken, body });
  const publish = (topic: string, key: string, type: string, data: unknown) =>
    admin('POST', '/api/events', { topic, key, message: { type, data } });
  const user = (userId: string, more: object = {}) => ({
    userId,
    email: `${userId}@example.com`,
    name: 'A Customer',
    blocked: false,
    ...more,
  });

  /** Puts a record on a topic past any outbox, as a producer gone wrong would. */
  async function inject(key: string, sequence: number, value: string, type = 'users.user-changed.v1') {
    const id = randomUUID();
    const headers = {
      ce_specversion: '1.0',
      ce_id: id,
      ce_source: '/modules/users',
      ce_type: type,
      ce_subject: key,
      ce_time: new Date().toISOString(),
      ce_sequence: String(sequence),
    };
    if (brokerUrl) {
      const log = createKafkaLog({ url: brokerUrl, clientId: 'gone-wrong', log: quiet });
      await log.append('users.events', [{ key, headers, value }]).finally(() => log.close());
    } else {
      await database.query(
        `SELECT banyan_log.append((SELECT id FROM banyan_log.topic WHERE name = 'users.events'), $1::json)`,
        [JSON.stringify([{ p: 0, k: key, h: headers, v: value }])],
      );
    }
    return id;
  }

  const contact = async (userId: string) =>
    (await database.query('SELECT email FROM notifications.contacts WHERE user_id = $1', [userId])).rows[0]
      ?.email;

  const stateAt = async (module: string, id: string) => {
    const { body } = await admin('GET', `/admin/events/${id}`);
    return body.deliveries?.find((one: { module: string }) => one.module === module)?.state;
  };

  /** Two modules listen to users: each meets the record in its own time. */
  const deadEverywhere = (id: string) =>
    eventually(async () => {
      for (const module of ['notifications', 'orders'])
        expect(await stateAt(module, id), module).toBe('dead');
    });

  const banyan = async (...words: string[]) => {
    let out = '';
    let err = '';
    const exit = await run(words, {
      env: { BANYAN_URL: shop.url, ADMIN_TOKEN: shop.adminToken },
      out: { isTerminal: false, write: (text) => (out += text) },
      err: { isTerminal: false, write: (text) => (err += text) },
      interrupted: new AbortController().signal,
    });
    return { exit, out, err };
  };

  describe('publishing by hand', () => {
    test('goes the way of every event: 202, then its effect', async () => {
      const userId = randomUUID();
      const answer = await publish('users.events', userId, 'users.user-registered.v1', user(userId));
      expect(answer.status, JSON.stringify(answer.body)).toBe(202);
      expect(answer.headers.get('x-served-by')).toBe('monolith');
      await eventually(async () => expect(await contact(userId)).toBe(`${userId}@example.com`));
      const { body } = await admin('GET', `/admin/events/${answer.body.id}`);
      expect(body).toMatchObject({ topic: 'users.events', key: userId, sequence: 1, place: 'log' });
    });

    const id = randomUUID();
    test.each<[what: string, topic: string, key: string, type: string, data: unknown, paths: string[]]>([
      ['an unknown topic', 'nobody.events', id, 'users.user-deleted.v1', { userId: id }, ['/topic']],
      ['an unknown type', 'users.events', id, 'users.user-vanished.v1', { userId: id }, ['/message/type']],
      ['a wrong version', 'users.events', id, 'users.user-deleted.v2', { userId: id }, ['/message/type']],
      [
        "another module's type",
        'users.events',
        id,
        'orders.order-placed.v1',
        { orderId: id },
        ['/message/type'],
      ],
      ['another key', 'users.events', 'k', 'users.user-deleted.v1', { userId: id }, ['/key']],
      ['a missing field', 'users.events', id, 'users.user-deleted.v1', {}, ['/message/data/userId']],
      [
        'several wrong fields',
        'users.events',
        id,
        'users.user-changed.v1',
        { userId: id, name: 5, blocked: 'no' },
        ['/message/data/email', '/message/data/name', '/message/data/blocked'],
      ],
      ['data that is no object', 'users.events', id, 'users.user-deleted.v1', 'x', ['/message/data']],
      [
        'a message over the size limit',
        'users.events',
        id,
        'users.user-deleted.v1',
        { userId: id, pad: 'x'.repeat(600_000) },
        ['/message/data'],
      ],
    ])('%s is refused, with the path', async (_what, topic, key, type, data, paths) => {
      const before = await database.query('SELECT count(*) FROM users.event_key');
      const { status, body } = await publish(topic, key, type, data);
      expect(status).toBe(422);
      expect(body.errors.map(({ path }: { path: string }) => path).sort()).toEqual(paths.sort());
      expect(await database.query('SELECT count(*) FROM users.event_key')).toMatchObject({
        rows: before.rows,
      });
    });

    test('is for administrators', async () => {
      const body = {
        topic: 'users.events',
        key: id,
        message: { type: 'users.user-deleted.v1', data: { userId: id } },
      };
      const { token } = await shop.customer();
      expect((await shop.call('POST', '/api/events', { body })).status).toBe(401);
      expect((await shop.call('POST', '/api/events', { body, token })).status).toBe(403);
      expect((await shop.call('GET', '/admin/events', { token })).status).toBe(403);
      expect((await shop.call('GET', '/admin/events')).status).toBe(401);
    });

    test('an event that nobody consumes is sent, and is no fault', async () => {
      const mediaId = randomUUID();
      const data = { mediaId, contentType: 'image/png', width: 1, height: 1, bytes: 1, userId: null };
      const { status, body } = await publish('media.events', mediaId, 'media.media-uploaded.v1', data);
      expect(status, JSON.stringify(body)).toBe(202);
      await eventually(async () => {
        const event = await admin('GET', `/admin/events/${body.id}`);
        expect(event.body).toMatchObject({
          place: 'log',
          deliveries: [],
          log: { partition: expect.any(Number) },
        });
      });
    });
  });

  describe('poison', () => {
    test('is dead at once with its bytes, holds its key alone, and goes in order once it was mended', async () => {
      const key = randomUUID();
      const poison = await inject(key, 1, '{"broken');
      const second = await inject(key, 2, JSON.stringify(user(key, { email: 'second@example.com' })));
      const other = randomUUID();
      await publish('users.events', other, 'users.user-registered.v1', user(other));
      await deadEverywhere(poison);
      await eventually(async () => {
        expect(await stateAt('notifications', second)).toBe('queued');
        expect(await contact(other)).toBeDefined();
      });
      expect(await contact(key)).toBeUndefined();

      const { body: letter } = await admin('GET', `/admin/events/dead/${poison}?module=notifications`);
      expect(letter).toMatchObject({
        text: '{"broken',
        data: null,
        holds: true,
        behind: 1,
        alsoIn: ['orders'],
      });
      expect(Buffer.from(letter.raw, 'base64').toString()).toBe('{"broken');
      const { body: list } = await admin('GET', '/admin/events/dead?module=notifications&limit=1');
      expect(list.items).toHaveLength(1);
      expect((await admin('GET', '/admin/events/held?module=notifications')).body.items).toContainEqual(
        expect.objectContaining({ key, id: poison, behind: 1 }),
      );

      const wrong = await admin('POST', `/admin/events/dead/${poison}/redrive`, { data: { userId: key } });
      expect(wrong.status).toBe(422);
      expect(wrong.body.errors.map(({ path }: { path: string }) => path)).toContain('/data/email');
      const data = user(key, { email: 'first@example.com' });
      const again = await admin('POST', `/admin/events/dead/${poison}/redrive`, { data });
      expect(again.body.items.map(({ module }: { module: string }) => module)).toEqual([
        'notifications',
        'orders',
      ]);
      await eventually(async () => expect(await contact(key)).toBe('second@example.com'));
      expect(await stateAt('notifications', poison)).toBe('done');
      const { body: event } = await admin('GET', `/admin/events/${poison}`);
      expect(event.deliveries[0].audit[0]).toMatchObject({
        action: 'redrive',
        original: '{"broken',
        replacement: JSON.stringify(data),
      });
    });

    test('is given up with a reason, also where the consumer is a service of its own', async () => {
      await shop.started.extract('notifications');
      const key = randomUUID();
      const poison = await inject(key, 1, '[]');
      await inject(key, 2, JSON.stringify(user(key)));
      await deadEverywhere(poison);
      const { status, body } = await admin('POST', `/admin/events/dead/${poison}/drop`, { why: 'a test' });
      expect(status, JSON.stringify(body)).toBe(200);
      await eventually(async () => expect(await contact(key)).toBe(`${key}@example.com`));
      expect((await admin('POST', `/admin/events/dead/${poison}/drop`, { why: 'again' })).status).toBe(409);
      await shop.started.restore('notifications');
    });

    test('may be JSON that is nested too deep, and is shown as the text that it came as', async () => {
      const key = randomUUID();
      const deep = JSON.stringify(user(key, { more: 'HERE' })).replace(
        '"HERE"',
        `${'['.repeat(6_000)}${']'.repeat(6_000)}`,
      );
      const id = await inject(key, 1, deep);
      await deadEverywhere(id);
      const { status, body } = await admin('GET', `/admin/events/dead/${id}?module=notifications`);
      expect(status, JSON.stringify(body).slice(0, 500)).toBe(200);
      expect(body).toMatchObject({
        text: deep,
        data: null,
        reason: expect.stringMatching(/^too deep: \/more/),
      });
      expect((await admin('GET', `/admin/events/${id}`)).body).toMatchObject({ text: deep, data: null });
      expect((await admin('GET', '/admin/events/tail?topic=users.events&waitMs=0&limit=1000')).status).toBe(
        200,
      );
      expect((await admin('POST', `/admin/events/dead/${id}/redrive`, { data: user(key) })).status).toBe(200);
      await eventually(async () => expect(await contact(key)).toBe(`${key}@example.com`));
    });

    test('all of a module at once', async () => {
      const keys = [randomUUID(), randomUUID()];
      for (const key of keys) await inject(key, 1, '{}');
      const dead = async () =>
        (await admin('GET', '/admin/events')).body.modules.find(
          ({ module }: { module: string }) => module === 'notifications',
        );
      await eventually(async () => expect((await dead()).deliveries.dead).toBe(2));
      expect((await dead()).heldKeys).toBe(2);
      const { body } = await admin('POST', '/admin/events/redrive', { module: 'notifications' });
      expect(body).toEqual({ redriven: 2 });
      await eventually(async () => expect((await dead()).deliveries.dead).toBe(2));
    });
  });

  describe('bad input', () => {
    const id = randomUUID();
    const past = '2020-01-01T00:00:00Z';
    const replay = { topic: 'users.events', from: past, to: 'notifications' };
    test.each<
      [what: string, method: string, path: string, body: object | undefined, status: number, code: string]
    >([
      ['show of an id that does not exist', 'GET', `/admin/events/${id}`, undefined, 404, 'event-unknown'],
      ['show of an id that is none', 'GET', '/admin/events/x', undefined, 422, 'invalid'],
      [
        'a dead letter that does not exist',
        'GET',
        `/admin/events/dead/${id}`,
        undefined,
        404,
        'letter-unknown',
      ],
      [
        'redrive of an id that does not exist',
        'POST',
        `/admin/events/dead/${id}/redrive`,
        {},
        404,
        'letter-unknown',
      ],
      [
        'redrive of several, one unknown',
        'POST',
        '/admin/events/redrive',
        { ids: [id] },
        404,
        'letter-unknown',
      ],
      ['redrive of nothing', 'POST', '/admin/events/redrive', {}, 422, 'invalid'],
      ['redrive of no module', 'POST', '/admin/events/redrive', { module: 'nobody' }, 404, 'module-unknown'],
      [
        'drop of an id that does not exist',
        'POST',
        `/admin/events/dead/${id}/drop`,
        { why: 'x' },
        404,
        'letter-unknown',
      ],
      ['drop without a reason', 'POST', `/admin/events/dead/${id}/drop`, {}, 422, 'invalid'],
      [
        'dead letters of no module',
        'GET',
        '/admin/events/dead?module=nobody',
        undefined,
        404,
        'module-unknown',
      ],
      ['a cursor that is none', 'GET', '/admin/events/dead?cursor=abc', undefined, 422, 'invalid'],
      [
        'replay of the future',
        'POST',
        '/admin/events/replay',
        { ...replay, from: '2999-01-01T00:00:00Z' },
        422,
        'invalid',
      ],
      [
        'replay into the future',
        'POST',
        '/admin/events/replay',
        { ...replay, until: '2999-01-01T00:00:00Z' },
        422,
        'invalid',
      ],
      [
        'replay of a topic nobody has',
        'POST',
        '/admin/events/replay',
        { ...replay, topic: 'x.events' },
        404,
        'topic-unknown',
      ],
      [
        'replay to nobody',
        'POST',
        '/admin/events/replay',
        { ...replay, to: 'nobody' },
        404,
        'module-unknown',
      ],
      [
        'replay to one that does not listen',
        'POST',
        '/admin/events/replay',
        { ...replay, to: 'payments' },
        409,
        'not-replayable',
      ],
      [
        'replay to one that must not have it twice',
        'POST',
        '/admin/events/replay',
        { ...replay, to: 'orders' },
        409,
        'not-replayable',
      ],
      ['tail of a topic nobody has', 'GET', '/admin/events/tail?topic=x', undefined, 404, 'topic-unknown'],
      [
        'verify of the future',
        'GET',
        '/admin/events/verify?until=2999-01-01T00:00:00Z',
        undefined,
        422,
        'invalid',
      ],
      [
        'verify of what the log has forgotten',
        'GET',
        `/admin/events/verify?from=${past}`,
        undefined,
        422,
        'invalid',
      ],
    ])('%s', async (_what, method, path, body, status, code) => {
      const answer = await admin(method, path, body);
      expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
      expect(answer.body.detail).toBeTruthy();
    });
  });

  test('the past goes to one consumer once more, and nothing is published by it', async () => {
    const customer = await shop.customer();
    await eventually(async () => expect(await contact(customer.id)).toBe(customer.email));
    const mails = async () =>
      (await shop.call('GET', '/api/notifications', { token: customer.token })).body.items;
    await eventually(async () => expect(await mails()).toMatchObject([{ status: 'sent' }]));
    const sent = async () =>
      (await database.query('SELECT sum(sequence) AS n FROM notifications.event_key')).rows[0].n;
    const before = await sent();
    await database.query('DELETE FROM notifications.contacts WHERE user_id = $1', [customer.id]);
    const from = new Date(Date.now() - 3_600_000).toISOString();
    const { status, body } = await admin('POST', '/admin/events/replay', {
      topic: 'users.events',
      from,
      to: 'notifications',
    });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.nextCursor).toBeNull();
    expect(body.replayed).toBeGreaterThan(0);
    expect(await contact(customer.id)).toBe(customer.email);
    expect(await sent()).toBe(before);
    expect(await mails()).toHaveLength(1);
  });

  test('the tail shows an order from placed to mailed', async () => {
    const { body: begin } = await admin('GET', '/admin/events/tail?waitMs=0');
    const customer = await shop.customer();
    const product = await shop.product();
    const { id } = await shop.order(customer, [{ productId: product.id, quantity: 1 }]);
    let cursor = begin.nextCursor;
    const seen: string[] = [];
    await eventually(async () => {
      const { body } = await admin('GET', `/admin/events/tail?waitMs=1000&cursor=${cursor}`);
      cursor = body.nextCursor;
      for (const one of body.items) if (one.key === id) seen.push(one.type);
      expect(seen).toContain('notifications.notification-sent.v1');
    });
    expect(seen).toEqual([
      'orders.order-placed.v1',
      'catalog.stock-reserved.v1',
      'payments.payment-captured.v1',
      'orders.order-confirmed.v1',
      'notifications.notification-sent.v1',
    ]);
  });

  test('verify: everything accounted for, by HTTP and on the command line', async () => {
    await eventually(async () => {
      const { body } = await admin('GET', '/admin/events/verify');
      expect(body).toMatchObject({ lost: 0, doubled: 0, inverted: 0 });
      expect(
        body.topics.find(({ topic }: { topic: string }) => topic === 'orders.events').sent,
      ).toBeGreaterThan(0);
    });
    const good = await banyan('verify');
    expect(good.exit, good.err).toBe(0);
    expect(good.out.trimEnd().split('\n').at(-1)).toBe('lost 0 doubled 0 inverted 0');
    // One that orders published: what a test put into the log by itself is nobody's loss.
    await database.query(
      `DELETE FROM catalog.event_delivery WHERE id = (
         SELECT id FROM catalog.event_delivery WHERE state = 'done' AND id IN (SELECT id FROM orders.event_sent) LIMIT 1)`,
    );
    // Until its reader's position is past the event, it would be read again, and is no loss.
    await eventually(async () => {
      const bad = await banyan('verify');
      expect(bad.out.trimEnd().split('\n').at(-1)).toBe('lost 1 doubled 0 inverted 0');
      expect(bad.exit).toBe(1);
    });
  });

  test('the commands, in 80 columns', async () => {
    const lines = (out: string) => out.split('\n').filter((line) => line.length > 80);
    for (const words of [['events'], ['events', 'dead'], ['verify'], ['events', '--help']]) {
      const { exit, out } = await banyan(...words);
      expect(lines(out), words.join(' ')).toEqual([]);
      expect(exit).toBe(words[0] === 'verify' ? 1 : 0);
    }
    const { body } = await admin('GET', '/admin/events/dead');
    const { out } = await banyan('events', 'dead', '--json');
    expect(JSON.parse(out).items.length).toBe(body.items.length);
    const unknown = await banyan('events', 'redrive', randomUUID());
    expect(unknown.exit).toBe(1);
    expect(unknown.err).toMatch(/No such dead letter(.|\n)*next {2}npx banyan events dead/);
    const future = await banyan(
      'events',
      'replay',
      'users.events',
      '--from',
      '2999-01-01',
      '--to',
      'notifications',
    );
    expect(future.err).toMatch(/\/from is in the future/);
  });

  test('the operations stand in /openapi.json', async () => {
    const { body } = await shop.call('GET', '/openapi.json');
    for (const path of [
      '/admin/events',
      '/admin/events/dead',
      '/admin/events/dead/{id}',
      '/admin/events/dead/{id}/redrive',
      '/admin/events/dead/{id}/drop',
      '/admin/events/redrive',
      '/admin/events/held',
      '/admin/events/unhandled',
      '/admin/events/{id}',
      '/admin/events/replay',
      '/admin/events/verify',
      '/admin/events/tail',
      '/api/events',
    ])
      expect(Object.keys(body.paths)).toContain(path);
  });

  test('the numbers are under /metrics', async () => {
    const response = await fetch(`http://127.0.0.1:${internalPort}/metrics`);
    const text = await response.text();
    for (const name of [
      'banyan_events_outbox_waiting{module="orders"',
      'banyan_events_outbox_oldest_seconds{module="orders"',
      'banyan_events_relay_per_second{module="orders"',
      'banyan_events_sent_total{module="orders"',
      'banyan_events_lag{module="catalog",topic="orders.events"',
      'banyan_events_lag_seconds{module="catalog",topic="orders.events"',
      'banyan_events_deliveries{module="catalog",state="waiting"',
      'banyan_events_dead_letters{module="notifications"',
    ])
      expect(text.includes(name), name).toBe(true);
    const dead = text.match(/banyan_events_dead_letters\{module="notifications",host="monolith"\} (\d+)/);
    expect(dead?.[1]).toBe('2');
  });

  test('one trace runs from the request through the row, the relay and the log to its consumers', async () => {
    const customer = await shop.customer();
    const product = await shop.product();
    const traceId = randomUUID().replaceAll('-', '');
    const { status, body } = await shop.call('POST', '/api/orders', {
      token: customer.token,
      headers: { 'idempotency-key': randomUUID(), traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
      body: { lines: [{ productId: product.id, quantity: 1 }], paymentToken: 'tok_ok' },
    });
    expect(status).toBe(202);
    await shop.final(customer, body.id);
    const own = () => spans.filter((one) => one.traceId === traceId);
    // Spans leave in batches, every five seconds, and each process sends its own.
    await eventually(() => {
      const names = own().map(({ name }) => name);
      expect(names).toContain('handle orders.order-confirmed.v1');
      expect(names).toContain('outbox orders.order-placed.v1');
      expect(names).toContain('handle catalog.stock-reserved.v1');
    });
    const one = (name: string) => own().find((span) => span.name === name)!;
    const request = one('POST /api/orders');
    const wait = one('outbox orders.order-placed.v1');
    const handled = one('handle orders.order-placed.v1');
    expect(wait.parentSpanId).toBe(request.spanId);
    expect(handled.parentSpanId).toBe(request.spanId);
    expect(BigInt(wait.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(wait.startTimeUnixNano));
    expect(BigInt(handled.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(request.startTimeUnixNano));
    // What a consumer publishes hangs below its own span.
    expect(one('outbox catalog.stock-reserved.v1').parentSpanId).toBe(handled.spanId);
    expect(one('handle catalog.stock-reserved.v1').parentSpanId).toBe(handled.spanId);
  });
  test('a topic that loses events, and refuses them, is found by the doctor, and right as it says how', async ({
    skip,
  }) => {
    skip(brokerUrl === undefined, 'a setting of Kafka');
    const topic = 'users.events';
    const wrong = async () => {
      const { body } = await shop.call('GET', '/admin/doctor', { token: shop.adminToken });
      const items: { check: string; subject: string; level: string; remedy: string }[] = body.items;
      const own = items.filter(({ check, subject }) => check === 'topic' && subject === topic);
      expect(own, JSON.stringify(items)).not.toEqual([]);
      return own.filter(({ level }) => level !== 'ok');
    };
    expect(await wrong()).toEqual([]);
    await setTopic(brokerUrl!, topic, {
      'cleanup.policy': 'compact',
      'max.message.bytes': '1000',
      'retention.ms': '3600000',
    });
    const remedies = await eventually(async () => {
      const found = await wrong();
      expect(found).toHaveLength(3);
      return found.map(({ remedy }) => /--entity-name users\.events --add-config (\S+)=(\S+)$/.exec(remedy)!);
    });
    await setTopic(brokerUrl!, topic, Object.fromEntries(remedies.map(([, name, value]) => [name, value])));
    await eventually(async () => expect(await wrong()).toEqual([]));
  });
}
