// What `banyan doctor` finds of topics on a real broker: settings that somebody changed, named each with the command that sets it
// right, and gone once it is.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Broker, missingForBroker, startBroker } from '../src/banyan/events/testing/broker.ts';
import { quiet } from '../src/banyan/events/testing/shop.ts';
import { createClient } from '../src/banyan/log/kafka/client.ts';
import { cacheDir } from './chaos/ground.ts';
import { clientOf, eventually, type Shop } from './shop.ts';
import { startShop } from './start-shop.ts';

const missing = await missingForBroker(cacheDir);

if (missing && process.env.CI !== 'true') {
  console.warn(`Left out: the doctor over Kafka (${missing})`);
  test.skip('the doctor over Kafka', () => {});
} else {
  let broker: Broker;
  let shop: Shop;
  beforeAll(async () => {
    broker = await startBroker({ cacheDir });
    shop = clientOf(await startShop({ env: { BROKER_URL: broker.url } }));
  });
  afterAll(async () => {
    await shop?.started.stop();
    await broker?.stop();
  });

  const topics = async () => {
    const { body } = await shop.call('GET', '/admin/doctor', { token: shop.adminToken });
    return (body.items as { check: string; subject: string; level: string; found: string; remedy: string }[]).filter(
      ({ check }) => check === 'topic',
    );
  };

  test('a setting that loses events, and one that refuses them', async () => {
    await eventually(async () => {
      const all = await topics();
      expect(all.map(({ subject }) => subject)).toContain('orders.events');
      expect(all.filter(({ level }) => level !== 'ok')).toEqual([]);
    });

    const admin = createClient(broker.url, 'doctor-test', quiet).admin();
    await admin.connect();
    // ConfigResourceTypes.TOPIC, a name that Node does not find in kafkajs.
    const set = (configs: Record<string, string>) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: 2,
            name: 'orders.events',
            configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
          },
        ],
      });
    try {
      await set({ 'cleanup.policy': 'compact', 'max.message.bytes': '1000', 'retention.ms': '3600000' });
      const wrong = await eventually(async () => {
        const some = (await topics()).filter(({ level }) => level !== 'ok');
        expect(some).toHaveLength(3);
        return some;
      });
      expect(new Set(wrong.map(({ subject }) => subject))).toEqual(new Set(['orders.events']));
      // As its remedies say.
      const right = wrong.map(({ remedy }) => /--add-config (\S+)=(\S+)$/.exec(remedy)!);
      await set(Object.fromEntries(right.map(([, name, value]) => [name, value])));
      await eventually(async () => expect((await topics()).filter(({ level }) => level !== 'ok')).toEqual([]));
    } finally {
      await admin.disconnect();
    }
  });
}
