// A shop whose modules each have a user of their own on the broker: one module is extracted, and its service holds that
// user's URL and no other; orders end as they should, nothing is lost, and what the broker refuses a service is seen from
// the monolith until it is given back.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Broker, missingForBroker, startBroker } from '../src/banyan/events/testing/broker.ts';
import { quiet } from '../src/banyan/events/testing/shop.ts';
import { createClient } from '../src/banyan/log/kafka/client.ts';
import { ask } from './saga/sums.ts';
import { clientOf, eventually, type Shop } from './shop.ts';
import { startShop } from './start-shop.ts';

const cacheDir = join(import.meta.dirname, '../node_modules/.cache/kafka');
const missing = await missingForBroker(cacheDir);
if (missing) console.warn(`Left out: principals on Kafka (${missing})`);

const modules = ['users', 'catalog', 'media', 'orders', 'payments', 'notifications'];
const userOf = (module: string) => `shop-${module}`;
// The numbers of Kafka's protocol, which kafkajs' types want to have by name.
const rightOn = (resourceType: number, resourceName: string, operation: number) => ({
  host: '*',
  resourceType,
  resourceName,
  resourcePatternType: 3,
  operation,
  permissionType: 3,
});

describe.skipIf(missing)('with a principal for each module', () => {
  let broker: Broker;
  let shop: Shop;
  beforeAll(async () => {
    broker = await startBroker({ cacheDir, hasty: true, users: ['shop', ...modules.map(userOf)] });
    const admin = createClient(broker.url, 'operator', quiet).admin();
    await admin.connect();
    // What docs/operations.md says that a monolith needs: create, alter, describe.
    const acl = [5, 7, 8].map((operation) => ({
      principal: 'User:shop',
      ...rightOn(4, 'kafka-cluster', operation),
    }));
    await admin.createAcls({ acl });
    await admin.disconnect();
    const { urlOf } = broker.guard!;
    const own = modules.map((module) => [`BROKER_URL_${module.toUpperCase()}`, urlOf(userOf(module))]);
    shop = clientOf(await startShop({ env: { BROKER_URL: urlOf('shop'), ...Object.fromEntries(own) } }));
    await shop.started.extract('orders');
    await eventually(async () => {
      const [relay] = await ask(shop, "SELECT holder FROM orders.event_lease WHERE name = 'relay'");
      expect(relay!.holder).toBe('orders-1');
    }, 60_000);
  }, 180_000);
  afterAll(async () => {
    await shop?.started.stop();
    await broker?.stop();
  });

  const overview = async () =>
    (await shop.call('GET', '/admin/events', { token: shop.adminToken })).body.modules.find(
      ({ module }: { module: string }) => module === 'orders',
    );

  test('its service has its own URL of the broker and no other', async () => {
    const [row] = await ask(shop, "SELECT pid FROM banyan_control.host WHERE id = 'orders-1' AND live");
    const env = readFileSync(`/proc/${row!.pid}/environ`, 'utf8').split('\0');
    const told = env.filter((line) => line.includes('kafkas://'));
    expect(told).toEqual([`BROKER_URL=${broker.guard!.urlOf(userOf('orders'))}`]);
  });

  test('orders are confirmed and rejected as ever, and nothing is lost', async () => {
    const customer = await shop.customer();
    const product = await shop.product({ stock: 5 });
    const lines = [{ productId: product.id, quantity: 1 }];
    const paid = await shop.order(customer, lines);
    const declined = await shop.order(customer, lines, 'tok_declined');
    expect((await shop.final(customer, paid.id)).status).toBe('confirmed');
    expect((await shop.final(customer, declined.id)).status).toBe('rejected');
    await eventually(async () => {
      const { body } = await shop.call('GET', '/admin/events/verify', { token: shop.adminToken });
      expect(body).toMatchObject({ lost: 0, doubled: 0, inverted: 0, inFlight: 0, foreign: 0 });
    });
    expect((await overview()).refused).toEqual([]);
  });

  test('a right that is taken away is seen from the monolith, and given back by it', async () => {
    const admin = createClient(broker.url, 'operator', quiet).admin();
    await admin.connect();
    const principal = `User:${userOf('orders')}`;
    const taken = await admin.deleteAcls({ filters: [{ principal, ...rightOn(2, 'orders.events', 4) }] });
    await admin.disconnect();
    expect(taken.filterResponses[0]!.matchingAcls).toHaveLength(1);
    const customer = await shop.customer();
    const product = await shop.product();
    const order = await shop.order(customer, [{ productId: product.id, quantity: 1 }]);
    const [refused] = await eventually(async () => {
      const { refused } = await overview();
      expect(refused).not.toEqual([]);
      return refused;
    });
    expect(refused).toMatchObject({ part: 'relay', host: 'orders-1' });
    // The cluster, where its producer has to begin anew: who may write nowhere may not even do that.
    const subject = `The broker does not let the user "${userOf('orders')}" write to the topic orders.events: it refused the`;
    expect([`${subject} topic`, `${subject} cluster`]).toContain(refused.reason);
    expect(refused.remedy).toContain('BROKER_URL_<MODULE>');
    // It serves requests all the same.
    const [host] = await ask(shop, "SELECT url FROM banyan_control.host WHERE id = 'orders-1' AND live");
    const health = await fetch(`${host!.url}/health/ready`);
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({ checks: { refusedByLog: ['relay of orders'] } });
    // Of which the alarm is made.
    const metrics = await (await fetch(`${host!.url}/metrics`)).text();
    expect(metrics).toMatch(/^banyan_events_refused\{module="orders",part="relay",.*\} 1$/m);
    // In the security log of that service, wherever under DATA_DIR it keeps it.
    const logs = readdirSync(shop.dataDir, { recursive: true, encoding: 'utf8' })
      .filter((name) => /security[^/]*\.jsonl$/.test(name))
      .map((name) => readFileSync(join(shop.dataDir, name), 'utf8'));
    const lines = logs.flatMap((text) => text.split('\n').filter(Boolean)).map((line) => JSON.parse(line));
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'log.access', outcome: 'refused', target: 'relay of orders' }),
    );
    // It looks every 30 s.
    await eventually(async () => expect((await overview()).refused).toEqual([]), 60_000);
    expect((await shop.final(customer, order.id)).status).toBe('confirmed');
  });
});
