// The collector and Jaeger with the configuration that is delivered, behind a real shop on a real Kafka: an order is one trace in Jaeger in
// both placements, and a line comes to Elasticsearch with the fields that dashboards and links ask for. Where the programs are not,
// it is left out.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Broker, startBroker } from '../../src/banyan/events/testing/broker.ts';
import { freePorts } from '../../src/banyan/postgres/free-port.ts';
import { clientOf, eventually, type Shop, unique } from '../shop.ts';
import { startShop } from '../start-shop.ts';
import { LogStore } from './log-store.ts';
import { missing, programOf, type Running, startProgram, validated } from './programs.ts';

const config = (name: string) =>
  fileURLToPath(new URL(`../../deploy/observability/${name}`, import.meta.url));
const absent = (['otelcol-contrib', 'jaeger'] as const).find((name) => !programOf(name));
const KAFKA_JARS = fileURLToPath(new URL('../../node_modules/.cache/kafka', import.meta.url));

interface Trace {
  readonly spans: readonly { readonly operationName: string; readonly processID: string }[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
}

describe.skipIf(absent)(`the collector${absent ? ` (${missing(absent)})` : ''}`, () => {
  const store = new LogStore();
  const data = mkdtempSync(join(tmpdir(), 'banyan-jaeger-'));
  const running: Running[] = [];
  let broker: Broker;
  let shop: Shop;
  let jaeger: string;

  beforeAll(async () => {
    const [page, grpc, otlp, receiver] = (await freePorts(4)).map((port) => `127.0.0.1:${port}`) as [
      string,
      string,
      string,
      string,
    ];
    jaeger = `http://${page}`;
    const url = await store.start();
    running.push(
      await startProgram(
        'jaeger',
        [`--config=${config('jaeger/jaeger.yaml')}`],
        { DATA: data, LISTEN: page, LISTEN_GRPC: grpc, LISTEN_OTLP: otlp },
        () => fetch(`${jaeger}/api/services`),
      ),
      await startProgram(
        'otelcol-contrib',
        [`--config=${config('collector/collector.yaml')}`],
        { LISTEN: receiver, JAEGER: otlp, ELASTICSEARCH: url, PROMETHEUS: url },
        () => fetch(`http://${receiver}/`),
      ),
    );
    broker = await startBroker({ cacheDir: KAFKA_JARS, hasty: true });
    const env = {
      BROKER_URL: broker.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${receiver}`,
      OTEL_METRIC_EXPORT_INTERVAL: '1000',
    };
    shop = clientOf(await startShop({ env }));
  });
  afterAll(async () => {
    await shop?.started.stop();
    await broker?.stop();
    for (const one of running.reverse()) await one.stop();
    store.stop();
    rmSync(data, { recursive: true, force: true });
  });

  /** An order's spans as Jaeger has them: by name, the services that made them. */
  async function orderInJaeger(): Promise<Map<string, Set<string>>> {
    const { token } = await shop.customer();
    const product = await shop.product();
    const placed = await shop.call('POST', '/api/orders', {
      token,
      headers: { 'idempotency-key': unique('jaeger') },
      body: { lines: [{ productId: product.id, quantity: 1 }], paymentToken: 'tok_ok' },
    });
    expect(placed.status, JSON.stringify(placed.body)).toBe(202);
    const id = placed.headers.get('traceparent')!.slice(3, 35);
    return eventually(async () => {
      const { data } = (await (await fetch(`${jaeger}/api/traces/${id}`)).json()) as { data?: Trace[] };
      const names = new Map<string, Set<string>>();
      for (const { spans, processes } of data ?? [])
        for (const { operationName, processID } of spans)
          names.set(
            operationName,
            (names.get(operationName) ?? new Set()).add(processes[processID]!.serviceName),
          );
      for (const name of [
        'POST /api/orders',
        'catalog/priceProducts',
        'outbox orders.order-placed.v1',
        'handle orders.order-placed.v1',
        'handle notifications.notification-sent.v1',
      ])
        expect([...names.keys()]).toContain(name);
      return names;
    }, 40_000);
  }

  test('takes its configuration', () => validated(config('collector/collector.yaml')));

  test('and finds nothing of it deprecated, which is how a setting is called that it ignores', () => {
    expect(running[1]!.said()).not.toMatch(/deprecated/i);
  });

  test('brings an order to Jaeger as one trace, in one process', async () => {
    const names = await orderInJaeger();
    expect(new Set([...names.values()].flatMap((some) => [...some]))).toEqual(new Set(['monolith']));
  });

  test('and over two, with orders extracted', async () => {
    await shop.started.extract('orders');
    // Work without a request moves a little later than requests do.
    await eventually(async () => {
      const names = await orderInJaeger();
      expect(names.get('POST /api/orders')).toEqual(new Set(['monolith', 'orders']));
      expect(names.get('handle notifications.notification-sent.v1')).toContain('orders');
    }, 60_000);
  });

  test('brings a line to Elasticsearch under the names that dashboards and links use', async () => {
    const { token } = await shop.customer();
    const client = new pg.Client({ connectionString: shop.started.databaseUrl });
    await client.connect();
    await client.query('ALTER TABLE notifications.notifications RENAME TO away');
    const failed = await shop
      .call('GET', '/api/notifications', { token })
      .finally(() => client.query('ALTER TABLE notifications.away RENAME TO notifications'));
    await client.end();
    const traceId = failed.headers.get('traceparent')!.slice(3, 35);
    await eventually(() => {
      const line = store.documents.find(({ fields: { trace_id } }) => trace_id === traceId);
      expect(line?.stream).toBe('logs-banyan.otel-default');
      expect(line?.fields).toMatchObject({
        '@timestamp': expect.anything(),
        severity_text: 'error',
        body: { text: expect.any(String) },
        attributes: { module: 'notifications' },
        resource: { attributes: { 'service.name': 'monolith' } },
        data_stream: { dataset: 'banyan.otel' },
      });
    });
  });

  test('and numbers to Prometheus, of hosts that send them', async () => {
    await eventually(() => expect(store.metrics).toBeGreaterThan(0));
  });
});
