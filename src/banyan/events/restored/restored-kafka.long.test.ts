// Stores that were put back, and a Kafka that was not: its groups stand where they stood, behind what the inboxes have.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { createKafkaLog } from '../../log/kafka/log.ts';
import { type Broker, missingForBroker, startBroker } from '../testing/broker.ts';
import { triedPutBack } from '../testing/put-back.ts';
import { openServer, type TestServer } from '../testing/server.ts';
import { quiet } from '../testing/shop.ts';

const cacheDir = join(import.meta.dirname, '../../../../node_modules/.cache/kafka');
const missing = await missingForBroker(cacheDir);
if (missing) console.warn(`Left out: stores put back, on Kafka (${missing})`);

describe.skipIf(missing && process.env.CI !== 'true')('stores put back, Kafka as it is', () => {
  let server: TestServer;
  let broker: Broker;
  const groupPrefix = `${randomUUID()}.`;
  beforeAll(async () => {
    [server, broker] = await Promise.all([openServer(), startBroker({ cacheDir, hasty: true })]);
  }, 120_000);
  afterAll(() => Promise.all([server?.stop(), broker?.stop()]));

  triedPutBack(
    () => server.url,
    () => createKafkaLog({ url: broker.url, clientId: 'test', log: quiet, groupPrefix }),
  );
});
