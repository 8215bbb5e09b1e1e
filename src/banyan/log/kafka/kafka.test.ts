// The Kafka log: the conformance suite against a real broker (BROKER_URL, or one started here), and its URL.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KAFKA_VERSION, missingForBroker, startBroker } from '../../events/testing/broker.ts';
import { quiet } from '../../events/testing/shop.ts';
import { conformance } from '../conformance.ts';
import { parseBrokerUrl } from './client.ts';
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

describe('the broker URL', () => {
  test('names brokers, TLS and credentials', () => {
    expect(parseBrokerUrl('kafka://a:9092')).toEqual({ brokers: ['a:9092'], tls: false });
    expect(parseBrokerUrl('kafkas://u%40x:p%3A@a:9092,b:9093/')).toEqual({
      brokers: ['a:9092', 'b:9093'],
      tls: true,
      user: 'u@x',
      password: 'p:',
    });
  });

  test.each(['http://a:9092', 'kafka://', 'kafka://a', 'kafka://a:x', 'kafka://a:1,,b:2'])(
    '%s is refused',
    (url) => {
      expect(() => parseBrokerUrl(url)).toThrow('kafka[s]://');
    },
  );
});
