// Two monoliths on one database, behind one another's flips: what one says the other does before the answer is
// out, one key makes one order, and one that stood still wakes up into a world that has moved.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { overview, place, scale } from './flip-modules.ts';
import { Traffic } from './flip-traffic.ts';
import { type Replica, startReplica } from './replicas-second.ts';
import { eventually, type Shop, unique, withShop } from './shop.ts';

withShop((shop) => {
  let replica: Replica;
  const other = () => replica.shop;
  beforeAll(async () => {
    replica = await startReplica(shop());
  });
  afterAll(() => replica?.stop());

  const servedBy = async (one: Shop) => {
    const answer = await one.call('GET', '/api/catalog/products?limit=1');
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return answer.headers.get('x-served-by');
  };

  test('a flip by one is seen by the other before it is answered', async () => {
    expect((await scale(shop(), 'catalog', 1)).status).toBe(200);
    for (let n = 0; n < 10; n += 1) {
      const [asked, watched] = n % 2 === 0 ? [shop(), other()] : [other(), shop()];
      for (const [placement, by] of [
        ['service', 'catalog-1'],
        ['in-process', 'monolith'],
      ] as const) {
        const { status, body } = await place(asked, 'catalog', placement);
        expect(status).toBe(200);
        expect(body.lagging).toBeUndefined();
        expect(await servedBy(watched)).toBe(by);
        expect(await servedBy(asked)).toBe(by);
      }
    }
    for (const one of [shop(), other()]) {
      const { body } = await one.call('GET', '/admin/placements', { token: one.adminToken });
      expect(body.monolith.url).toBe(one.url);
      expect(body.monoliths).toHaveLength(2);
    }
  });

  test('one key, twenty times at once on two hosts: one order', async () => {
    const customer = await shop().customer();
    const product = await shop().product({ stock: 5 });
    for (const placement of ['in-process', 'service']) {
      if (placement === 'service') await shop().started.extract('orders');
      const key = unique('key');
      const body = { lines: [{ productId: product.id, quantity: 1 }], paymentToken: 'tok_ok' };
      const headers = { 'idempotency-key': key };
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          (n % 2 ? shop() : other()).call('POST', '/api/orders', { token: customer.token, headers, body }),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(202));
      for (const answer of answers) expect(answer.body).toEqual(answers[0]!.body);
      const by = new Set(answers.map(({ headers }) => headers.get('x-served-by')));
      expect([...by]).toEqual([placement === 'service' ? 'orders-1' : 'monolith']);
      expect((await shop().final(customer, answers[0]!.body.id)).status).toBe('confirmed');
    }
    const { body } = await other().call('GET', '/api/orders', { token: customer.token });
    expect(body.items).toHaveLength(2);
    await eventually(async () => {
      const { body: sold } = await other().call('GET', `/api/catalog/products/${product.id}`);
      expect(sold.stock).toBe(3);
    });
    await shop().started.restore('orders');
  });

  test('a session that ends on one has ended on the other', async () => {
    const customer = await shop().customer();
    const me = (one: Shop) => one.call('GET', '/api/users/me', { token: customer.token });
    expect((await me(other())).status).toBe(200);
    await shop().call('DELETE', '/api/users/me', { token: customer.token });
    await eventually(async () => expect((await me(other())).status).toBe(401));
  });

  test('one that stood still while a service came and went serves on', { timeout: 60_000 }, async () => {
    await shop().started.extract('media');
    await shop().started.extract('catalog', 2);
    const [traffic, second] = [new Traffic(shop(), 4), new Traffic(other(), 8)];
    await traffic.prepare();
    await second.prepare();
    // Connections to the services are open, and stay so while it stands still.
    await second.run(100);
    await traffic.during(async () => {
      replica.host.child.kill('SIGSTOP');
      await second.during(async () => {
        const home = await place(shop(), 'catalog', 'in-process');
        expect(home).toMatchObject({ status: 200, body: { lagging: ['monolith-b'] } });
        expect((await scale(shop(), 'catalog', 0)).status).toBe(200);
        await shop().started.restore('media');
        expect((await overview(shop(), 'catalog')).instances).toEqual([]);
        replica.host.child.kill('SIGCONT');
        await eventually(() => expect(second.done).toBeGreaterThan(200));
      });
    });
    console.log(second.done, second.slowest, Object.fromEntries(second.servedBy));
    expect(traffic.failures).toEqual([]);
    expect(second.failures).toEqual([]);
    expect(await servedBy(other())).toBe('monolith');
    await traffic.check();
    await second.check();
    await Promise.all([traffic.close(), second.close()]);
  });

  test('one that is told to stop hands its services over, and nobody notices', {
    timeout: 60_000,
  }, async () => {
    await shop().started.extract('users');
    expect((await scale(other(), 'catalog', 2)).status).toBe(200);
    expect((await place(other(), 'catalog', 'service')).status).toBe(200);
    const before = (await overview(shop(), 'catalog')).instances;
    const traffic = new Traffic(shop(), 8);
    await traffic.prepare();
    await traffic.during(async () => {
      await replica.host.end();
      await eventually(async () => {
        const after = (await overview(shop(), 'catalog')).instances;
        expect(after).toMatchObject([
          { id: 'catalog-1', healthy: true },
          { id: 'catalog-2', healthy: true },
        ]);
        for (const { pid } of before) expect(after.map((one) => one.pid)).not.toContain(pid);
      });
      for (const { pid } of before) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    });
    expect(await replica.host.ended, replica.host.output()).toBe(0);
    expect(traffic.failures).toEqual([]);
    await traffic.check();
    await traffic.close();
  });
});
