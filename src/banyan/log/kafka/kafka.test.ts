// The Kafka log: the conformance suite against a real broker (BROKER_URL, or one started here).
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'vitest';
import { KAFKA_VERSION, missingForBroker, startBroker } from '../../events/testing/broker.ts';
import { quiet } from '../../events/testing/shop.ts';
import { conformance } from '../conformance.ts';
import { createKafkaLog } from './log.ts';

const cacheDir = join(import.meta.dirname, '../../../../../node_modules/.cache/kafka');
const given = process.env.BROKER_URL;
const version = process.env.KAFKA_VERSION ?? KAFKA_VERSION;
const missing = given ? undefined : await missingForBroker(cacheDir, version);

if (missing && process.env.CI === 'true') {
  test('a broker is there', () => {
    throw new Error(`CI needs a broker: ${missing}`);
  });
} else if (missing) {
  console.warn(`Left out: the event log on Kafka (${missing}; or set BROKER_URL)`);
} else {
  conformance(`Kafka ${given ? 'at BROKER_URL' : version}`, async () => {
    const broker = given ? undefined : await startBroker({ cacheDir, version });
    const url = given ?? broker!.url;
    const groupPrefix = `${randomUUID()}.`;
    return {
      connect: () => createKafkaLog({ url, clientId: 'conformance', log: quiet, groupPrefix }),
      close: async () => broker?.stop(),
    };
  });
}
