// What hosts count of requests, by real processes: each request once, by the host that decided its side, whichever way
// it came in; nothing again by the host that serves it, nor on the way back.
import { pino } from 'pino';
import { beforeAll, describe, expect, it } from 'vitest';
import { WireWatch } from '../compare/measure/wire.ts';
import type { HostProcess } from '../compare/topology/instance.ts';
import { collectStats, liveHosts } from '../src/banyan/placement/collect-stats.ts';
import { createControlStore } from '../src/banyan/placement/store.ts';
import { type Collected, sumBetween } from '../src/banyan/telemetry/stats-sums.ts';
import { tokensAs } from '../stage/ring.ts';
import { type Customer, eventually, withShop } from './shop.ts';
import { installationOf } from './start-shop.ts';

withShop((shop) => {
  let customer: Customer;
  let productId: string;
  beforeAll(async () => {
    customer = await shop().customer();
    productId = (await shop().product({ stock: 1000 })).id;
  });

  /** All live hosts, each of which is there in the first look already. */
  async function look(): Promise<Collected> {
    const store = createControlStore({ url: shop().started.databaseUrl, log: pino({ level: 'silent' }) });
    try {
      const tokens = await tokensAs(installationOf(shop().started), 'monolith');
      const found = await collectStats(liveHosts(await store.read()), tokens);
      expect(found.silent).toEqual([]);
      return found;
    } finally {
      await store.close();
    }
  }

  /** How often each operation was counted by each host since then. */
  async function since(before: Collected): Promise<Record<string, number>> {
    const after = await look();
    const of = ({ hosts, ...rest }: Collected, id: string) => ({
      ...rest,
      hosts: hosts.filter((one) => one.id === id),
    });
    const counts = after.hosts.flatMap(({ id }) =>
      Object.entries(sumBetween(of(before, id), of(after, id))).flatMap(([module, sides]) =>
        Object.entries(sides).flatMap(([side, operations]) =>
          Object.entries(operations).map(
            ([operation, { count, bad, watched }]) =>
              [`${id}: ${module}.${operation} ${side}`, { count, bad, watched }] as const,
          ),
        ),
      ),
    );
    return Object.fromEntries(
      counts.map(([name, { count, bad, watched }]) => {
        expect(bad, name).toBe(0);
        expect(watched, name).toBeLessThanOrEqual(count);
        return [name, count];
      }),
    );
  }

  const internal = () => /INTERNAL_PORT is open at (http:\S+?)"/.exec(shop().started.output())![1]!;
  const place = () => shop().order(customer, [{ productId, quantity: 1 }]);
  const get = async (path: string, status = 200) =>
    expect((await shop().call('GET', path, { token: customer.token })).status).toBe(status);
  const times = (n: number, work: () => Promise<unknown>) => Promise.all(Array.from({ length: n }, work));

  describe('with orders far', () => {
    beforeAll(() => shop().started.extract('orders'));

    it('has the gateway count what it sends away, and the service what it asks back', async () => {
      const before = await look();
      expect(before.hosts.map(({ id }) => id).sort()).toEqual(['monolith', 'orders-1']);
      const order = await place();
      await times(5, place);
      await times(7, () => get(`/api/orders/${order.id}`));
      await times(3, () => get('/api/orders?limit=1'));
      await times(4, () => get(`/api/catalog/products/${productId}`));
      await get('/api/catalog/products/00000000-0000-7000-8000-000000000000', 404);
      await get('/api/orders/00000000-0000-7000-8000-000000000000', 404);
      await get('/api/orders/no/such/path', 404);
      await eventually(async () =>
        expect(await since(before)).toMatchObject({
          'monolith: orders.place service': 6,
          'monolith: orders.show service': 8,
          'monolith: orders.list service': 3,
          'monolith: catalog.getProduct in-process': 5,
          'orders-1: catalog.priceProducts in-process': 6,
        }),
      );
      const counted = await since(before);
      expect(Object.keys(counted).filter((name) => name.startsWith('orders-1: orders'))).toEqual([]);
      expect(counted).not.toHaveProperty('monolith: catalog.priceProducts in-process');
      // Above is what was asked here, and nothing of it stands on another side or at another host.
      const total = Object.entries(counted).filter(([name]) =>
        /orders\.|getProduct|priceProducts/.test(name),
      );
      expect(total).toHaveLength(5);
    });

    it('is what a comparison takes for sent between processes', async () => {
      const before = await look();
      const orders = await shop().call('GET', '/admin/placements', { token: shop().adminToken });
      const { url } = orders.body.modules.find(({ module }: { module: string }) => module === 'orders')
        .instances[0];
      const wire = new WireWatch([
        { name: 'monolith', url: internal() },
        { name: 'orders-1', url },
      ] as unknown as HostProcess[]);
      await wire.begin();
      await times(3, place);
      await times(5, () => get('/api/orders?limit=1'));
      await times(2, () => get(`/api/catalog/products/${productId}`));
      await eventually(async () => {
        const far = Object.entries(await since(before)).filter(([name]) => /^orders-1|service$/.test(name));
        const sum = far.reduce((all, [, count]) => all + count, 0);
        expect(sum).toBeGreaterThanOrEqual(3 + 5 + 3);
        expect((await wire.end())!.calls).toBe(sum);
      });
    });

    it('shows the same under /metrics', async () => {
      const monolith = (await look()).hosts.find(({ id }) => id === 'monolith')!;
      const { count } = monolith.modules.orders!.service!.place!;
      const text = await (await fetch(`${internal()}/metrics`)).text();
      const series =
        'banyan_requests_total{module="orders",operation="place",side="service",host="monolith"}';
      expect(text).toContain(`${series} ${count}\n`);
    });
  });

  describe('with all in one process', () => {
    beforeAll(() => shop().started.restore('orders'));

    it('counts routes and near calls, all of them', async () => {
      const before = await look();
      await times(20, place);
      await eventually(async () =>
        expect(await since(before)).toMatchObject({
          'monolith: orders.place in-process': 20,
          'monolith: catalog.priceProducts in-process': 20,
        }),
      );
      const counted = await since(before);
      expect(Object.keys(counted).filter((name) => name.endsWith(' service'))).toEqual([]);
    });
  });
});
