// Modules move to and fro under traffic, and their processes end and start again meanwhile: no request fails,
// no order is doubled, every answer is the one that the monolith gave. The long version is flip.long.test.ts.
import { expect, test } from 'vitest';
import { Moving } from './flip-modules.ts';
import { Traffic } from './flip-traffic.ts';
import { withShop } from './shop.ts';

const modules = ['catalog', 'media', 'orders'];

withShop((shop) => {
  test('2,000 requests while modules move', { timeout: 180_000 }, async () => {
    const traffic = new Traffic(shop(), 20);
    await traffic.prepare();
    await Promise.all(modules.map((module) => shop().started.extract(module, module === 'catalog' ? 2 : 1)));
    const moving = new Moving(shop(), modules, 5);
    await traffic.run(2000, () => moving.reached(6));
    await moving.stop();
    const report = traffic.report(moving);
    expect(traffic.failures, report).toEqual([]);
    for (const by of ['monolith', 'catalog-1', 'catalog-2', 'media-1', 'orders-1'])
      expect(traffic.servedBy.get(by), `${by}: ${report}`).toBeGreaterThan(20);
    const { orders, confirmed } = await traffic.check();
    expect(confirmed / orders).toBeGreaterThan(0.7);
    await traffic.close();
  });
});
