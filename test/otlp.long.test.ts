// What leaves a shop by OTLP, read by a receiver: one order is one trace in both placements, a line of the log leads to its
// span and back, the numbers are those of /metrics, which docs/observability.md lists; who scrapes is told who is there. A
// receiver that hangs holds up neither request nor stop, and without one nothing of it is loaded.
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Customer, clientOf, eventually, type Shop, unique } from './shop.ts';
import { startShop } from './start-shop.ts';
import { Collector, type Point } from './telemetry-collector.ts';

const hook = { NODE_OPTIONS: `--import=${new URL('./loaded-telemetry.mjs', import.meta.url).href}` };
const loaded = (output: string) => output.split('\n').filter((line) => line.startsWith('LOADED '));

interface Group {
  readonly targets: readonly [string];
  readonly labels: Readonly<Record<'host' | 'role' | 'modules' | '__scheme__', string>>;
}

async function discovered(shop: Shop): Promise<Map<string, Group>> {
  const { status, headers, body } = await shop.call('GET', '/admin/discovery', { token: shop.adminToken });
  expect(status, JSON.stringify(body)).toBe(200);
  expect(headers.get('content-type')).toMatch(/^application\/json\b/);
  return new Map((body as Group[]).map((group) => [group.labels.host, group]));
}

/** As Prometheus does: by the group alone, without a token. */
async function scrape({ targets: [target], labels }: Group): Promise<string> {
  const answer = await fetch(`${labels.__scheme__}://${target}/metrics`);
  expect(answer.status).toBe(200);
  return answer.text();
}

/** @param text of a scrape. @param series the name, and the labels that tell it from others, each as it is written. */
function figure(text: string, name: string, ...labels: string[]): number | undefined {
  const line = text
    .split('\n')
    .find((one) => one.startsWith(`${name}{`) && labels.every((label) => one.includes(label)));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
}

describe('a receiver', () => {
  const collector = new Collector();
  let shop: Shop;
  let customer: Customer;
  let product: { id: string };

  beforeAll(async () => {
    const endpoint = await collector.start();
    const env = {
      ...hook,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_METRIC_EXPORT_INTERVAL: '500',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.name=not%20ours',
    };
    shop = clientOf(await startShop({ env }));
    customer = await shop.customer();
    product = await shop.product();
  });
  afterAll(async () => {
    await shop?.started.stop();
    collector.stop();
  });

  /** An order's trace, once the mail's event has come to orders. */
  async function traceOfOrder(): Promise<Map<string, Set<string>>> {
    const placed = await shop.call('POST', '/api/orders', {
      token: customer.token,
      headers: { 'idempotency-key': unique('otlp') },
      body: { lines: [{ productId: product.id, quantity: 1 }], paymentToken: 'tok_ok' },
    });
    expect(placed.status, JSON.stringify(placed.body)).toBe(202);
    const traceId = placed.headers.get('traceparent')!.slice(3, 35);
    return eventually(() => {
      const spans = collector.of(traceId);
      const hosts = new Map<string, Set<string>>();
      for (const { name, host } of spans) hosts.set(name, (hosts.get(name) ?? new Set()).add(host));
      for (const name of [
        'POST /api/orders',
        'catalog/priceProducts',
        'outbox orders.order-placed.v1',
        'handle orders.order-placed.v1',
        'handle notifications.notification-sent.v1',
      ])
        expect([...hosts.keys()]).toContain(name);
      const ids = new Set(spans.map(({ spanId }) => spanId));
      const roots = spans.filter(({ parentSpanId }) => !ids.has(parentSpanId));
      expect(roots.map(({ name }) => name)).toEqual(['POST /api/orders']);
      return hosts;
    });
  }

  /** A request that fails in notifications, whose table is away: its trace, and which host said so. */
  async function lineOfFailure(): Promise<string> {
    const client = new pg.Client({ connectionString: shop.started.databaseUrl });
    await client.connect();
    await client.query('ALTER TABLE notifications.notifications RENAME TO away');
    const failed = await shop
      .call('GET', '/api/notifications', { token: customer.token })
      .finally(() => client.query('ALTER TABLE notifications.away RENAME TO notifications'));
    await client.end();
    expect(failed.status).toBe(500);
    const traceId = failed.headers.get('traceparent')!.slice(3, 35);
    return eventually(() => {
      const lines = collector.logs.filter((one) => one.traceId === traceId && one.severity === 'error');
      expect(lines).toHaveLength(1);
      const [line] = lines as [(typeof lines)[0]];
      expect(line.attributes['exception.stacktrace']).toContain('notifications');
      // From the line to its span, and from the trace to the line.
      const span = collector.of(traceId).find(({ spanId }) => spanId === line.spanId);
      expect(span?.host).toBe(line.host);
      return line.host;
    });
  }

  const figureOf = async (host: string, ...series: [string, ...string[]]) =>
    figure(await scrape((await discovered(shop)).get(host)!), ...series);

  test('reads an order as one trace, and a failure from its line, in one process', async () => {
    const hosts = await traceOfOrder();
    expect(new Set([...hosts.values()].flatMap((some) => [...some]))).toEqual(new Set(['monolith']));
    expect(await lineOfFailure()).toBe('monolith');
  });

  test('and with modules extracted, over the processes', async () => {
    await Promise.all([shop.started.extract('orders'), shop.started.extract('notifications')]);
    // Work without a request moves two seconds later.
    await eventually(async () => {
      const { body } = await shop.call('GET', '/admin/events', { token: shop.adminToken });
      const { relay } = body.modules.find(({ module }: { module: string }) => module === 'orders');
      expect(relay.holder).toMatch(/^orders-1/);
    });
    const hosts = await traceOfOrder();
    expect(hosts.get('POST /api/orders')).toEqual(new Set(['monolith', 'orders-1']));
    expect(hosts.get('outbox orders.order-placed.v1')).toEqual(new Set(['orders-1']));
    expect(hosts.get('handle orders.order-placed.v1')).toContain('monolith');
    expect(await lineOfFailure()).toBe('notifications-1');
  });

  test('knows each host by what it is', () => {
    expect(collector.resources.get('monolith')).toMatchObject({
      'service.namespace': 'banyan',
      'service.name': 'monolith',
      'service.version': expect.stringMatching(/^\d+\.\d+/),
      'deployment.environment.name': 'test',
      'host.name': expect.any(String),
    });
    expect(collector.resources.get('orders-1')).toMatchObject({
      'service.name': 'orders',
      'deployment.environment.name': 'test',
    });
  });

  test('has the numbers of /metrics, of every host', async () => {
    const groups = await discovered(shop);
    const sum = (points: readonly Point[]) => points.reduce((all, { value }) => all + value, 0);
    await eventually(async () => {
      const text = await scrape(groups.get('orders-1')!);
      const name = 'banyan_events_sent_total';
      expect(figure(text, name, 'module="orders"')).toBeGreaterThan(0);
      expect(sum(collector.points('orders-1', name))).toBe(figure(text, name, 'module="orders"'));
    });
    expect(collector.points('monolith', 'banyan_instances_healthy')).toContainEqual({
      attributes: { module: 'orders', host: 'monolith' },
      value: 1,
    });
    expect(sum(collector.points('monolith', 'http_server_request_duration_seconds'))).toBeGreaterThan(0);
  });

  test('docs/observability.md lists exactly what hosts tell', async () => {
    const texts = await Promise.all([...(await discovered(shop)).values()].map(scrape));
    const told = new Set(
      texts
        .flatMap((text) => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!))
        .filter((name) => !/^(process|nodejs)_/.test(name)),
    );
    const page = readFileSync(new URL('../docs/observability.md', import.meta.url), 'utf8');
    const section = page.split('\n## ').find((part) => part.startsWith('What is measured'))!;
    const listed = [...section.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name]) => name!);
    expect([...listed].sort()).toEqual([...told].sort());
  });

  test('a scraper is told who is there: who comes, who stands still, who goes', async () => {
    const groups = await discovered(shop);
    expect([...groups.values()].map(({ labels }) => labels)).toEqual([
      { host: 'monolith', role: 'monolith', modules: 'all', __scheme__: 'http' },
      { host: 'notifications-1', role: 'service', modules: 'notifications', __scheme__: 'http' },
      { host: 'orders-1', role: 'service', modules: 'orders', __scheme__: 'http' },
    ]);
    for (const group of groups.values()) expect(await scrape(group)).toContain(`banyan_build_info{version="`);
    const body = { instances: 2 };
    const token = shop.adminToken;
    expect((await shop.call('PUT', '/admin/services/orders', { token, body })).status).toBe(200);
    expect([...(await discovered(shop)).keys()]).toContain('orders-2');
    const { pid } = (await shop.call('GET', '/admin/placements', { token })).body.modules.flatMap(
      ({ instances }: { instances: { id: string; pid: number }[] }) =>
        instances.filter(({ id }) => id === 'orders-2'),
    )[0];
    const restarts = () => figureOf('monolith', 'banyan_instance_restarts_total', 'module="orders"');
    expect(await restarts()).toBe(0);
    process.kill(pid, 'SIGSTOP');
    try {
      await eventually(async () => expect([...(await discovered(shop)).keys()]).not.toContain('orders-2'));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await eventually(async () => expect([...(await discovered(shop)).keys()]).toContain('orders-2'));
    process.kill(pid, 'SIGKILL');
    await eventually(async () => expect(await restarts()).toBe(1));
    const healthy = () => figureOf('monolith', 'banyan_instances_healthy', 'module="orders"');
    await eventually(async () => expect(await healthy()).toBe(2));
    await shop.started.restore('notifications');
    expect([...(await discovered(shop)).keys()]).toEqual(['monolith', 'orders-1', 'orders-2']);
    const nobody = await shop.call('GET', '/admin/discovery');
    expect(nobody.status).toBe(401);
  });

  test('and what goes wrong has its number', async () => {
    const { email } = customer;
    const wrong = await shop.call('POST', '/api/users/sessions', {
      body: { email, password: 'a wrong guess' },
    });
    expect(wrong.status).toBe(401);
    const text = await scrape((await discovered(shop)).get('monolith')!);
    expect(figure(text, 'banyan_security_events_total', 'event="session.begin"', 'outcome="refused"')).toBe(
      1,
    );
    expect(figure(text, 'banyan_problems_total', 'module="notifications"', 'code="internal"')).toBe(1);
    expect(figure(text, 'notifications_mails_total', 'outcome="sent"')).toBeGreaterThan(0);
    expect(figure(text, 'payments_ended_total', 'outcome="captured"')).toBe(2);
    expect(figure(text, 'payments_ended_total', 'outcome="timeout"')).toBe(0);
    await shop.order(customer, [{ productId: product.id, quantity: 1 }], 'tok_timeout');
    const timedOut = () => figureOf('monolith', 'payments_ended_total', 'outcome="timeout"');
    await eventually(async () => expect(await timedOut()).toBe(1));
    expect(await figureOf('monolith', 'payments_network_failures_total', 'kind="silent"')).toBeGreaterThan(0);
    for (const name of ['banyan_control_reachable', 'banyan_host_ready']) expect(figure(text, name)).toBe(1);
    expect(figure(text, 'banyan_store_reachable', 'module="catalog"')).toBe(1);
    expect(figure(text, 'banyan_placement', 'module="orders"', 'placement="service"')).toBe(1);
    expect(figure(text, 'banyan_placement_service_ratio', 'module="orders"')).toBe(1);
    expect(figure(text, 'banyan_instances_wanted', 'module="orders"')).toBe(2);
    expect(loaded(shop.started.output()).some((line) => line.includes('sdk-logs'))).toBe(true);
  });
});

describe('a receiver that takes everything and answers nothing', () => {
  let server: Server;
  let hanging: Shop;
  let alone: Shop;

  beforeAll(async () => {
    server = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_METRIC_EXPORT_INTERVAL: '500',
    };
    hanging = clientOf(await startShop({ env }));
    alone = clientOf(await startShop({ env: hook }));
  });
  afterAll(async () => {
    await Promise.all([hanging?.started.stop(), alone?.started.stop()]);
    server.closeAllConnections();
    server.close();
  });

  test('holds up no request, costs a bounded memory, and is said once', async () => {
    const token = (await hanging.customer()).token;
    const slowest = { ms: 0 };
    const one = async () => {
      const began = performance.now();
      expect((await hanging.call('GET', '/api/users/me', { token })).status).toBe(200);
      slowest.ms = Math.max(slowest.ms, performance.now() - began);
    };
    for (let round = 0; round < 60; round += 1) await Promise.all(Array.from({ length: 40 }, one));
    // An export has five seconds, and a request never one of them.
    expect(slowest.ms).toBeLessThan(3_000);
    const group = (await discovered(hanging)).get('monolith')!;
    await eventually(async () => {
      const text = await scrape(group);
      expect(figure(text, 'banyan_otlp_dropped_total', 'signal="traces"')).toBeGreaterThan(0);
      expect(figure(text, 'banyan_otlp_failures_total', 'signal="metrics"')).toBeGreaterThan(1);
    });
    const said = hanging.started.output().match(/telemetry cannot be sent by OTLP/g) ?? [];
    expect(said).toHaveLength(1);
  });

  test('holds up no stop: it takes what one without any takes', async () => {
    const ended = async ({ started }: Shop) => {
      const began = performance.now();
      expect(await started.host.end()).toBe(0);
      return performance.now() - began;
    };
    const without = await ended(alone);
    expect(await ended(hanging)).toBeLessThan(without + 900);
  });

  test('and without one nothing of it is loaded', () => {
    expect(alone.started.output()).toMatch(/is up at|"serving"/);
    expect(loaded(alone.started.output())).toEqual([]);
  });
});
