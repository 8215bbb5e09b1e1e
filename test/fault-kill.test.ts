// kill -9 with requests in flight: of one service process among two, of all of a module, of the monolith.
// What may be repeated is, what was answered is kept, and what nobody can answer is said to be so.
import { expect, test } from 'vitest';
import { overview } from './flip-modules.ts';
import { Traffic } from './flip-traffic.ts';
import { clientOf, eventually, type Shop, unique, withShop } from './shop.ts';

withShop((shop) => {
  const instances = async (module: string) => (await overview(shop(), module)).instances;
  const healthy = (module: string, count: number) =>
    eventually(async () => {
      const found = (await instances(module)).filter((one) => one.healthy);
      expect(found, `healthy processes of ${module}`).toHaveLength(count);
      return found;
    });

  test('one of two: whatever may be repeated succeeds on the other', { timeout: 90_000 }, async () => {
    const traffic = new Traffic(shop(), 10, { repeatable: true });
    await traffic.prepare();
    await Promise.all([shop().started.extract('catalog', 2), shop().started.extract('orders', 2)]);
    await traffic.during(async () => {
      for (const module of ['catalog', 'orders', 'catalog', 'orders']) {
        const before = await healthy(module, 2);
        const busy = traffic.done;
        await eventually(() => expect(traffic.done).toBeGreaterThan(busy + 50));
        const killed = before[traffic.done % 2]!;
        process.kill(killed.pid, 'SIGKILL');
        await eventually(async () => {
          const again = (await instances(module)).find(({ id }) => id === killed.id);
          expect(again).toMatchObject({ healthy: true });
          expect(again!.pid).not.toBe(killed.pid);
        });
      }
    });
    console.log(traffic.done, traffic.slowest, Object.fromEntries(traffic.servedBy));
    expect(traffic.failures).toEqual([]);
    console.log(await traffic.check());
    await traffic.close();
  });

  test('a process that is told to stop finishes what it has, and nobody notices', {
    timeout: 60_000,
  }, async () => {
    const traffic = new Traffic(shop(), 10);
    await traffic.prepare();
    await traffic.during(async () => {
      for (const n of [0, 1, 0]) {
        const stopped = (await healthy('catalog', 2))[n]!;
        const busy = traffic.done;
        await eventually(() => expect(traffic.done).toBeGreaterThan(busy + 50));
        process.kill(stopped.pid, 'SIGTERM');
        await eventually(async () => {
          const again = (await instances('catalog')).find(({ id }) => id === stopped.id);
          expect(again).toMatchObject({ healthy: true });
          expect(again!.pid).not.toBe(stopped.pid);
        });
      }
    });
    expect(traffic.failures).toEqual([]);
    await traffic.check();
    await traffic.close();
  });

  test('all of a module: 503 at once, nothing falls back, and they come back under their names', async () => {
    const customer = await shop().customer();
    const product = await shop().product();
    const before = await healthy('catalog', 2);
    for (const { pid } of before) process.kill(pid, 'SIGKILL');
    const started = Date.now();
    for (let n = 0; n < 5; n += 1) {
      const { status, headers, body } = await shop().call('GET', `/api/catalog/products/${product.id}`);
      expect({ status, by: headers.get('x-served-by') }).toEqual({ status: 503, by: 'monolith' });
      expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      expect(headers.get('content-type')).toContain('application/problem+json');
      expect(body).toMatchObject({ code: 'unavailable', module: 'catalog' });
    }
    // Orders asks catalog for the prices: the failure names the module that failed.
    const order = await shop().call('POST', '/api/orders', {
      token: customer.token,
      headers: { 'idempotency-key': unique('key') },
      body: { lines: [{ productId: product.id, quantity: 1 }], paymentToken: 'tok_ok' },
    });
    expect(order).toMatchObject({ status: 503, body: { code: 'unavailable', module: 'catalog' } });
    expect(order.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect((await shop().call('GET', '/health/ready')).status).toBe(200);
    console.log('503s took', Date.now() - started);

    const after = await healthy('catalog', 2);
    expect(after.map(({ id }) => id)).toEqual(['catalog-1', 'catalog-2']);
    for (const { pid } of after) expect(before.map((one) => one.pid)).not.toContain(pid);
    const answer = await shop().call('GET', `/api/catalog/products/${product.id}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-served-by')).toMatch(/^catalog-/);
  });

  test('the monolith: the next one starts at once, and every order that was taken is decided', async () => {
    const customer = await shop().customer();
    const product = await shop().product({ stock: 1000 });
    await shop().started.extract('payments');
    const seen = new Set<number>();
    for (const module of ['catalog', 'orders', 'payments'])
      for (const { pid } of await instances(module)) seen.add(pid);

    const taken = new Map<string, string>();
    const waiting: string[] = [];
    let killed = false;
    const place = async (from: Shop, key: string) => {
      const { status, body } = await from.call('POST', '/api/orders', {
        token: customer.token,
        headers: { 'idempotency-key': key },
        body: { lines: [{ productId: product.id, quantity: 1 }], paymentToken: 'tok_ok' },
      });
      expect(status, JSON.stringify(body)).toBe(202);
      return body.id as string;
    };
    const client = async () => {
      while (!killed) {
        const key = unique('key');
        try {
          taken.set(key, await place(shop(), key));
        } catch (error) {
          // Only the end of the process itself may end a request.
          if (!killed) throw error;
          waiting.push(key);
        }
      }
    };
    const clients = Promise.all(Array.from({ length: 10 }, client));
    await Promise.race([clients, eventually(() => expect(taken.size).toBeGreaterThan(40))]);
    killed = true;
    await Promise.all([clients, shop().started.host.kill()]);

    const from = Date.now();
    await shop().started.restart();
    console.log('started again in', Date.now() - from, 'taken', taken.size, 'unanswered', waiting.length);
    const again = clientOf(shop().started);
    const listed = await again.call('GET', '/api/orders?limit=1', { token: customer.token });
    expect(listed.status, JSON.stringify(listed.body)).toBe(200);
    expect(listed.headers.get('x-served-by')).toMatch(/^orders-/);
    for (const key of waiting) taken.set(key, await place(again, key));
    for (const [key, id] of taken) expect(await place(again, key), key).toBe(id);
    for (const id of taken.values())
      expect(await again.final(customer, id)).toMatchObject({ status: 'confirmed', totalCents: 1000 });
    await eventually(async () => {
      const { body } = await again.call('GET', `/api/catalog/products/${product.id}`);
      expect(body.stock).toBe(1000 - taken.size);
    });
    const charges = await again.call('GET', '/api/payments?limit=100', { token: customer.token });
    expect(charges.body.items.filter((one: { status: string }) => one.status === 'captured')).toHaveLength(
      Math.min(taken.size, 100),
    );

    const present = new Set<number>();
    for (const module of ['catalog', 'orders', 'payments'])
      for (const { pid } of (await overview(again, module)).instances) present.add(pid);
    expect(present.size).toBe(5);
    for (const pid of seen)
      if (!present.has(pid)) expect(() => process.kill(pid, 0), `${pid}`).toThrow('ESRCH');

    expect(await shop().started.host.end()).toBe(0);
    for (const pid of present) expect(() => process.kill(pid, 0), `${pid}`).toThrow('ESRCH');
  });
});
