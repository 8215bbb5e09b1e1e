// How a Banyan ends, and how the next one begins: Ctrl-C at any moment leaves no process and no file of a
// running one; after kill -9 the next start adopts the server, and every row is there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ended, type Own, ownBanyan } from './fault-own.ts';
import { place, scale } from './flip-modules.ts';
import { eventually, type Shop } from './shop.ts';

let own: Own;
afterEach(() => own?.remove());

const gone = () => {
  expect(own.processes()).toEqual(new Map());
  expect(own.leftovers()).toEqual([]);
};

const extract = async (shop: Shop, module: string) => {
  expect((await scale(shop, module, 1)).status).toBe(200);
  expect((await place(shop, module, 'service')).status).toBe(200);
};

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s to the whole group of a terminal',
  { timeout: 90_000 },
  async (signal) => {
    own = ownBanyan();
    const { child, shop } = await own.start();
    await extract(shop, 'orders');
    const customer = await shop.customer();
    const product = await shop.product();
    await shop.order(customer, [{ productId: product.id, quantity: 1 }]);
    expect(own.processes().size).toBe(3);
    process.kill(-child.pid!, signal);
    expect(await ended(child), own.output()).toBe(0);
    gone();
  },
);

test('kill -9 of the monolith, and of everything: the next start has it all', {
  timeout: 120_000,
}, async () => {
  own = ownBanyan();
  const first = await own.start();
  await extract(first.shop, 'orders');
  const customer = await first.shop.customer();
  const product = await first.shop.product({ stock: 10 });
  const orders = [await first.shop.order(customer, [{ productId: product.id, quantity: 1 }])];
  const server = () => [...own.processes()].find(([, words]) => words.includes('postgres'))![0];
  const before = server();
  first.child.kill('SIGKILL');
  await ended(first.child);

  const second = await own.start();
  expect(server()).toBe(before);
  const shown = await second.shop.call('GET', `/api/orders/${orders[0]!.id}`, { token: customer.token });
  expect(shown.headers.get('x-served-by')).toBe('orders-1');
  expect(await second.shop.final(customer, orders[0]!.id)).toMatchObject({ status: 'confirmed' });
  orders.push(await second.shop.order(customer, [{ productId: product.id, quantity: 2 }]));
  for (const pid of own.processes().keys()) process.kill(pid, 'SIGKILL');
  await ended(second.child);
  await eventually(() => expect(own.processes()).toEqual(new Map()));

  const third = await own.start();
  for (const { id } of orders)
    expect(await third.shop.final(customer, id)).toMatchObject({ id, status: 'confirmed' });
  await eventually(async () => {
    const { body } = await third.shop.call('GET', `/api/catalog/products/${product.id}`);
    expect(body.stock).toBe(7);
  });
  process.kill(-third.child.pid!, 'SIGINT');
  expect(await ended(third.child), own.output()).toBe(0);
  gone();
});

test('whoever read its output has gone: it serves on, and ends as ever', { timeout: 60_000 }, async () => {
  own = ownBanyan();
  const child = own.spawn();
  await eventually(() => expect(own.output()).not.toBe(''), 20_000);
  child.stdout!.destroy();
  child.stderr!.destroy();
  const { url } = await eventually(
    () => JSON.parse(readFileSync(join(own.dataDir, 'instance.json'), 'utf8')) as { url: string },
    40_000,
  );
  // Each of these is logged, into nothing.
  for (let n = 0; n < 3; n += 1) expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  process.kill(child.pid!, 'SIGTERM');
  expect(await ended(child)).toBe(0);
  gone();
});

test('Ctrl-C while it starts, at any moment', { timeout: 180_000 }, async () => {
  own = ownBanyan();
  // The first start makes the server and the tables, later ones only open them; each is broken off a bit later.
  for (let waitMs = 50, started = false; !started; waitMs = waitMs * 1.35) {
    const child = own.spawn();
    const moment = new Promise((resolve) => setTimeout(resolve, waitMs));
    await moment;
    started = own.leftovers().some((name) => name.endsWith('instance.json'));
    process.kill(-child.pid!, 'SIGINT');
    expect([0, 'SIGINT'], `after ${waitMs} ms: ${own.output()}`).toContain(await ended(child));
    expect(own.processes(), `after ${waitMs} ms`).toEqual(new Map());
    expect(own.leftovers(), `after ${waitMs} ms`).toEqual([]);
  }
  const { child, shop } = await own.start();
  expect((await shop.call('GET', '/api/catalog/products?limit=1')).body.items).toHaveLength(1);
  process.kill(-child.pid!, 'SIGINT');
  expect(await ended(child)).toBe(0);
  gone();
});
