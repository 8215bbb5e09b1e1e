// 20,000 requests of mixed kinds from 50 connections while each of the six modules moves out and back 100
// times, one of them to two processes that end and start again twice: nothing fails, nothing is doubled,
// nothing looks different.
import { expect, test } from 'vitest';
import { Moving } from './flip-modules.ts';
import { Traffic } from './flip-traffic.ts';
import { withShop } from './shop.ts';

const modules = ['catalog', 'media', 'notifications', 'orders', 'payments', 'users'];

withShop((shop) => {
  test('20,000 requests, 100 flips each way of every module', { timeout: 600_000 }, async () => {
    const traffic = new Traffic(shop(), 50, { thinkMs: 200 });
    await traffic.prepare();
    await Promise.all(modules.map((module) => shop().started.extract(module, module === 'catalog' ? 2 : 1)));
    const moving = new Moving(shop(), modules, 40);
    await traffic.run(20_000, () => moving.reached(100));
    await moving.stop();
    const report = traffic.report(moving);
    expect(traffic.failures, report).toEqual([]);
    expect(traffic.done, report).toBeGreaterThanOrEqual(20_000);
    for (const by of ['monolith', 'catalog-1', 'catalog-2', ...modules.slice(1).map((one) => `${one}-1`)])
      expect(traffic.servedBy.get(by), `${by}: ${report}`).toBeGreaterThan(50);
    const { orders, confirmed } = await traffic.check();
    expect(confirmed / orders).toBeGreaterThan(0.7);
    console.log(report, { orders, confirmed });
    await traffic.close();
  });
});
