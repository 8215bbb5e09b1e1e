// The checkout's whole table of outcomes: 2 styles, 3 placements, both logs. One shop for each log, whose modules
// move on between the placements, as an operator would move them.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type Broker, startBroker } from '../src/banyan/events/testing/broker.ts';
import { checkoutSuite, styles } from './saga/checkout.ts';
import { ask } from './saga/sums.ts';
import { clientOf, eventually, type Shop } from './shop.ts';
import { startShop } from './start-shop.ts';

const everything = ['users', 'catalog', 'media', 'orders', 'payments', 'notifications'];
const placements: Readonly<Record<string, readonly string[]>> = {
  'all in one process': [],
  'orders and payments extracted': ['orders', 'payments'],
  'everything extracted': everything,
};
const cacheDir = join(import.meta.dirname, '../node_modules/.cache/kafka');

describe.each(['postgres', 'kafka'])('on %s', (log) => {
  let shop: Shop | undefined;
  let broker: Broker | undefined;
  beforeAll(async () => {
    if (log === 'kafka') broker = await startBroker({ cacheDir, hasty: true });
    shop = clientOf(await startShop(broker ? { env: { BROKER_URL: broker.url } } : {}));
  });
  afterAll(async () => {
    await shop?.started.stop();
    await broker?.stop();
  });
  describe.each(Object.keys(placements))('%s', (placement) => {
    const out = placements[placement]!;
    beforeAll(async () => {
      for (const module of out) await shop!.started.extract(module);
      // What runs without a request follows when the placement has been stable for two seconds.
      for (const module of out)
        await eventually(async () => {
          const [relay] = await ask(shop!, `SELECT holder FROM ${module}.event_lease WHERE name = 'relay'`);
          expect(relay!.holder).toBe(`${module}-1`);
        }, 60_000);
    });
    const host = (module: string) => (out.includes(module) ? `${module}-1` : 'monolith');
    for (const style of styles) checkoutSuite(() => shop!, style, { host });
  });
});
