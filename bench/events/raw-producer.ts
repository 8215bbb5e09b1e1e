// kafkajs alone, as it comes from its package, producing what its parent sends it. Answers events a second.
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { parseBrokerUrl } from '../../src/banyan/log/kafka/url.ts';

interface Task {
  readonly url: string;
  readonly messages: readonly { key: string | null; headers: Record<string, string>; value: string }[];
  readonly rows: number;
  readonly batch: number;
}

process.once('message', async ({ url, messages, rows, batch }: Task) => {
  const kafka = new Kafka({ brokers: [...parseBrokerUrl(url).brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const topic = `raw-${Date.now()}`;
  await admin.createTopics({ topics: [{ topic, numPartitions: 6 }], waitForLeaders: true });
  await admin.disconnect();
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const batches = Array.from({ length: Math.floor(messages.length / batch) }, (_, n) =>
    messages.slice(n * batch, (n + 1) * batch),
  );
  const began = performance.now();
  for (let sent = 0, n = 0; sent < rows; sent += batch, n += 1)
    await producer.send({ topic, acks: -1, messages: batches[n % batches.length]! });
  const took = performance.now() - began;
  await producer.disconnect();
  process.send!((rows / took) * 1000);
});
process.on('disconnect', () => process.exit());
