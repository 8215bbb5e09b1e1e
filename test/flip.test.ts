// Modules move to and fro under traffic: no request fails, no order is doubled, every answer is the one that
// the monolith gave. The long version of this test is flip.long.test.ts.
import { expect, test } from 'vitest';
import { type Flips, flipUntil } from './flip-modules.ts';
import { Traffic } from './flip-traffic.ts';
import { withShop } from './shop.ts';

withShop((shop) => {
  test('4,000 requests while modules move', { timeout: 90_000 }, async () => {
    const traffic = new Traffic(shop(), 20);
    await traffic.prepare();
    await Promise.all([
      shop().started.extract('catalog', 2),
      ...['orders', 'media'].map((one) => shop().started.extract(one)),
    ]);
    let flipping = true;
    const flips: Flips = {};
    const moving = flipUntil(shop(), ['catalog', 'orders', 'media'], flips, () => !flipping);
    await traffic.run(4000, () => Object.values(flips).every((count) => count >= 20));
    flipping = false;
    await moving;
    const report = `${traffic.done} requests, ${JSON.stringify({ slowest: traffic.slowest, flips, by: Object.fromEntries(traffic.servedBy) })}`;
    console.log(report);
    expect(traffic.failures, report).toEqual([]);
    console.log(await traffic.check());
    await traffic.close();
  });
});
