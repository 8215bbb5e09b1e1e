// Events as an operator meets them, over a real broker (events-suite.ts): BROKER_URL, or one started here.
import { test } from 'vitest';
import { missingForBroker, startBroker } from '../src/banyan/events/testing/broker.ts';
import { cacheDir } from './chaos/ground.ts';
import { eventsSuite } from './events-suite.ts';

const given = process.env.BROKER_URL;
const missing = given ? undefined : await missingForBroker(cacheDir);

if (missing && process.env.CI !== 'true') {
  console.warn(`Left out: events over Kafka (${missing}; or set BROKER_URL)`);
  test.skip('events over Kafka', () => {});
} else {
  eventsSuite(async () => {
    if (given) return { url: given, close: async () => {} };
    const broker = await startBroker({ cacheDir });
    return { url: broker.url, close: () => broker.stop() };
  });
}
