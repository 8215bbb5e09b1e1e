// Traces and logs of a shop at work, in both placements: one order is one trace, from the client's own through
// gateway, calls, events and jobs to the last mail, with no link missing; a failure's log line is found by the trace
// of its answer; and no line ever has a secret in it.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Customer, clientOf, eventually, type Shop, unique } from './shop.ts';
import { startShop } from './start-shop.ts';
import { Collector, picture, type Span } from './telemetry-collector.ts';

const modules = ['catalog', 'media', 'notifications', 'orders', 'payments', 'users'];

interface Placed {
  readonly traceId: string;
  /** The span of the client. */
  readonly parent: string;
}

const hex = (digits: number) =>
  Array.from({ length: digits }, () => Math.floor(Math.random() * 16).toString(16)).join('');

/** An order as a traced client places it, followed until its mail was noted on the customer. */
async function order(shop: Shop, customer: Customer, productId: string, flags = '01'): Promise<Placed> {
  const [traceId, parent] = [hex(32), hex(16)];
  const before = (await shop.call('GET', '/api/users/me', { token: customer.token })).body.notificationCount;
  const placed = await shop.call('POST', '/api/orders', {
    token: customer.token,
    headers: { 'idempotency-key': unique('traced'), traceparent: `00-${traceId}-${parent}-${flags}` },
    body: { lines: [{ productId, quantity: 1 }], paymentToken: 'tok_ok' },
  });
  expect(placed.status, JSON.stringify(placed.body)).toBe(202);
  expect(placed.headers.get('traceparent')).toMatch(
    new RegExp(`^00-${traceId}-(?!${parent})[0-9a-f]{16}-${flags}$`),
  );
  expect((await shop.call('GET', `/api/orders/${placed.body.id}`, { token: customer.token })).status).toBe(
    200,
  );
  await eventually(async () => {
    const me = await shop.call('GET', '/api/users/me', { token: customer.token });
    expect(me.body.notificationCount).toBeGreaterThan(before);
    // Orders notes the mail as well, in its own time.
    const at = `/api/orders/${placed.body.id}/timeline`;
    const { items } = (await shop.call('GET', at, { token: customer.token })).body;
    expect(items.at(-1).step).toBe('send-mail');
  });
  return { traceId, parent };
}

/** Reads a list of notifications while its table is away. */
async function fail(shop: Shop, customer: Customer): Promise<string> {
  const client = new pg.Client({ connectionString: shop.started.databaseUrl });
  await client.connect();
  try {
    await client.query('ALTER TABLE notifications.notifications RENAME TO away');
    const failed = await shop.call('GET', '/api/notifications', { token: customer.token });
    expect(failed.status).toBe(500);
    expect(failed.body.detail).toBe('The failure was logged with the trace id of this response.');
    return failed.headers.get('traceparent')!.slice(3, 35);
  } finally {
    await client.query('ALTER TABLE notifications.away RENAME TO notifications');
    await client.end();
  }
}

describe('telemetry', () => {
  const collector = new Collector();
  let shop: Shop;
  let customer: Customer;
  let inProcess: Placed;
  let extracted: Placed;
  let unsampled: Placed;
  const failures: string[] = [];
  let logs: string;
  const rawSecrets: string[] = [];

  beforeAll(async () => {
    const endpoint = await collector.start();
    shop = clientOf(await startShop({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } }));
    const { started } = shop;
    customer = await shop.customer();
    const welcomed = async () => {
      const me = await shop.call('GET', '/api/users/me', { token: customer.token });
      expect(me.body.notificationCount).toBe(1);
    };
    await eventually(welcomed);
    const product = await shop.product();
    inProcess = await order(shop, customer, product.id);
    failures.push(await fail(shop, customer));
    await wrongInEveryWay(shop, customer);
    await Promise.all(modules.map((module) => started.extract(module)));
    extracted = await order(shop, customer, product.id);
    unsampled = await order(shop, customer, product.id, '00');
    failures.push(await fail(shop, customer));
    await wrongInEveryWay(shop, customer);
    const { ADMIN_TOKEN, INTERNAL_KEY, SIGNING_KEY, DATABASE_URL } = started.env;
    const { users } = JSON.parse(readFileSync(join(shop.dataDir, 'seeds.json'), 'utf8'));
    rawSecrets.push(ADMIN_TOKEN!, INTERNAL_KEY!, JSON.parse(SIGNING_KEY!).d, new URL(DATABASE_URL!).password);
    rawSecrets.push(customer.password, customer.token, ...users.map((user: Customer) => user.password));
    // What is not sent yet is sent before a host ends.
    await started.host.end();
    const folder = join(shop.dataDir, 'logs');
    const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    logs = [started.output(), ...files].join('\n');
  });
  afterAll(async () => {
    collector.stop();
    await shop?.started.stop();
  });

  const named = ({ name, attributes }: Span) => {
    const group = attributes['messaging.consumer.group.name'];
    return group ? `${name} by ${group}` : name;
  };
  /** A span under one of the same name is the same work seen from the other side of a connection. */
  const withoutHops = (spans: readonly Span[]): Span[] => {
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const isHop = (span: Span) => byId.get(span.parentSpanId)?.name === span.name;
    const above = (id: string): string => {
      const span = byId.get(id);
      return span && isHop(span) ? above(span.parentSpanId) : id;
    };
    return spans
      .filter((span) => !isHop(span))
      .map((span) => ({ ...span, parentSpanId: above(span.parentSpanId) }));
  };

  it('is one trace from the client’s request to the last mail', () => {
    expect(picture(collector.of(inProcess.traceId), named)).toEqual([
      'POST /api/orders',
      '  catalog/priceProducts',
      '  handle orders.order-placed.v1 by catalog',
      '    handle catalog.stock-reserved.v1 by orders',
      '    handle catalog.stock-reserved.v1 by payments',
      '      payments/charge',
      '        handle payments.payment-captured.v1 by orders',
      '          handle orders.order-confirmed.v1 by catalog',
      '          handle orders.order-confirmed.v1 by notifications',
      '            notifications/deliver',
      '              handle notifications.notification-sent.v1 by orders',
      '              handle notifications.notification-sent.v1 by users',
      '              outbox notifications.notification-sent.v1',
      '          outbox orders.order-confirmed.v1',
      '        outbox payments.payment-captured.v1',
      '    outbox catalog.stock-reserved.v1',
      '  outbox orders.order-placed.v1',
      '  users/getUser',
    ]);
  });

  it('is the same trace when every module is a service, but for the hops', () => {
    const near = collector.of(inProcess.traceId);
    const far = collector.of(extracted.traceId);
    expect(picture(withoutHops(far), named)).toEqual(picture(near, named));
    const hops = far.filter((span) => !withoutHops(far).some(({ spanId }) => spanId === span.spanId));
    expect(hops.map(({ name, kind, host }) => [name, kind, host]).sort()).toEqual([
      ['POST /api/orders', 2, 'orders-1'],
      ['catalog/priceProducts', 2, 'catalog-1'],
      ['users/getUser', 2, 'users-1'],
    ]);
  });

  it('has no missing link and no span twice, and a child does not begin before its parent', () => {
    for (const { traceId, parent } of [inProcess, extracted]) {
      const spans = collector.of(traceId);
      const byId = new Map(spans.map((span) => [span.spanId, span]));
      expect(byId.size).toBe(spans.length);
      expect(spans.filter((span) => !byId.has(span.parentSpanId)).map((span) => span.parentSpanId)).toEqual([
        parent,
      ]);
      for (const span of spans) {
        expect(span.endNano).toBeGreaterThanOrEqual(span.startNano);
        const above = byId.get(span.parentSpanId);
        // Two clocks of one machine, read in whole milliseconds.
        if (above) expect(span.startNano - above.startNano).toBeGreaterThan(-3_000_000n);
      }
    }
  });

  it('names requests by the path of their operation, in both placements', () => {
    const paths = new Set(collector.spans.filter(({ kind }) => kind === 2).map(({ name }) => name));
    expect([...paths].filter((name) => /[*]|[0-9a-f]{8}-/.test(name))).toEqual([]);
    expect(paths).toContain('GET /api/orders/:id');
  });

  it('keeps nothing of a trace that its client does not keep', () => {
    expect(collector.of(unsampled.traceId)).toEqual([]);
  });

  it('logs a failure under the trace of its answer, in both placements', () => {
    const lines = logs
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
    const hosts = failures.map((traceId) =>
      lines.filter((line) => line.trace_id === traceId && line.level === 'error').map((line) => line.host),
    );
    expect(hosts).toEqual([['monolith'], ['notifications-1']]);
    const [line] = lines.filter((one) => one.trace_id === failures[0]);
    expect(line).toMatchObject({ level: 'error', time: expect.any(String), msg: expect.any(String) });
    expect(line.err.stack).toContain('notifications');
  });

  it('logs no token, no password and no key', () => {
    expect(logs.split('\n').length).toBeGreaterThan(30);
    for (const secret of rawSecrets) expect(logs).not.toContain(secret);
    expect(logs).not.toMatch(
      /eyJ[\w-]{10,}\.|Bearer |\$argon2|x-internal-token|"d":"|postgres:\/\/[^"\s]*:[^"\s]*@/,
    );
  });
});

/** What might tempt somebody to log it: requests that are refused with secrets in them. */
async function wrongInEveryWay(shop: Shop, { email, password, token }: Customer): Promise<void> {
  const call = (method: string, path: string, options: Parameters<Shop['call']>[2]) =>
    shop.call(method, path, options);
  await Promise.all([
    call('POST', '/api/users/sessions', { body: { email, password: `${password}!` } }),
    call('POST', '/api/users/sessions', { body: { email, password, unknown: password } }),
    call('POST', '/api/users', { body: { email, name: 'Again', password } }),
    call('GET', '/api/users/me', { token: `${token}x` }),
    call('GET', `/api/users/me?token=${token}`, { token }),
    call('GET', '/admin/placements', { token }),
    call('GET', '/admin/placements', { token: `${shop.adminToken}x` }),
    call('GET', `/nope/${shop.adminToken}`, {}),
    call('PATCH', '/api/users/me', { token, body: { password: 'short' } }),
  ]);
}

describe('without an endpoint', () => {
  it('sends nothing, also where collectors are by default', async () => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(request.url!);
      response.end('{}');
    });
    const listening = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(4318, '127.0.0.1', () => resolve(true));
    });
    try {
      const shop = clientOf(await startShop());
      await shop.customer();
      await shop.started.stop();
      if (listening) expect(seen).toEqual([]);
    } finally {
      server.close();
    }
  });
});

describe('a collector that never answers', () => {
  it('holds up neither a request nor the end', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const shop = clientOf(
        await startShop({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` } }),
      );
      await shop.customer();
      const began = performance.now();
      expect(await shop.started.host.end()).toBe(0);
      expect(performance.now() - began).toBeLessThan(8_000);
      await shop.started.stop();
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
