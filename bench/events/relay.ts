// How fast a relay empties a prefilled outbox: to Kafka beside raw kafkajs with the same bytes, and to the
// Postgres log beside COPY of the same rows into a table like the log's.
import { join } from 'node:path';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { Pool } from 'pg';
import { parseBrokerUrl } from '../../src/kernel/events/log/kafka/client.ts';
import { createKafkaLog } from '../../src/kernel/events/log/kafka/log.ts';
import type { EventLog, StoredRecord } from '../../src/kernel/events/log/port.ts';
import { createPostgresLog } from '../../src/kernel/events/log/postgres.ts';
import { createEventRuntime } from '../../src/kernel/events/runtime.ts';
import { openStore, quiet, shop, till, urlOf } from '../../src/kernel/events/testing/shop.ts';
import { emptyTopics, median, prefill, type Row, ratio, type Stage, whole } from './stage.ts';

const BATCH = 1_000;

export async function relayToKafka(stage: Stage): Promise<Row> {
  const { broker, sizes } = stage;
  const ours: number[] = [];
  const raw: number[] = [];
  await stage.database(async (url, admin) => {
    for (let pair = 0; pair < sizes.pairs; pair += 1) {
      const log = createKafkaLog({ url: broker!.url, clientId: 'bench', log: quiet });
      await emptyTopics(broker!.url);
      await prefill(admin, sizes.rows);
      ours.push(await drain(url, log, sizes.rows));
      // What lies in the log now is what the raw producer gets to send: the same bytes, headers and all.
      const records = await sample(log);
      await log.close();
      raw.push(await produce(broker!.url, records, sizes.rows));
      await admin.query('TRUNCATE shop.event_key, shop.event_sent');
    }
  });
  const share = median(ours.map((one, n) => one / raw[n]!));
  return [
    `relay, ordered, acks=all, ${whole(sizes.rows)} rows, Kafka`,
    `${whole(median(ours))} events/s`,
    `raw kafkajs, same bytes: ${whole(median(raw))}/s`,
    ratio(share),
    '0.5x and 30,000/s',
  ];
}

export async function relayToPostgres(stage: Stage): Promise<Row> {
  const { sizes } = stage;
  const ours: number[] = [];
  const copied: number[] = [];
  await stage.database(async (url, admin) => {
    for (let pair = 0; pair < sizes.pairs; pair += 1) {
      const log = createPostgresLog({ url: urlOf(url, 'banyan_log'), log: quiet });
      await prefill(admin, sizes.rows);
      ours.push(await drain(url, log, sizes.rows));
      await log.close();
      copied.push(await copy(admin, sizes.rows));
      await admin.query('TRUNCATE shop.event_key, shop.event_sent, banyan_log.record');
    }
  });
  return [
    `relay, ${whole(sizes.rows)} rows, Postgres log`,
    `${whole(median(ours))} events/s`,
    `COPY of the same rows: ${whole(median(copied))}/s`,
    ratio(median(ours.map((one, n) => one / copied[n]!))),
    '15,000/s',
  ];
}

/** Events a second from the relay's start until the outbox is empty. */
async function drain(url: string, eventLog: EventLog, rows: number): Promise<number> {
  const store = openStore(shop, url, () => {});
  const runtime = createEventRuntime({
    contract: shop,
    contracts: [shop, till],
    listeners: [],
    store,
    eventLog,
    hostId: 'bench',
    log: quiet,
  });
  await eventLog.ensureTopics(['shop.events']);
  const began = performance.now();
  await runtime.relay.start();
  while (runtime.counters().sent < rows) await new Promise((resolve) => setTimeout(resolve, 2));
  const took = performance.now() - began;
  await runtime.close();
  await store.close();
  return (rows / took) * 1000;
}

async function sample(log: EventLog): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  for await (const record of log.read('shop.events')) {
    records.push(record);
    if (records.length === 10 * BATCH) break;
  }
  return records;
}

async function produce(url: string, records: readonly StoredRecord[], rows: number): Promise<number> {
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
  // Text, as the relay has it: both pay for making bytes of it.
  const batches = Array.from({ length: Math.floor(records.length / BATCH) }, (_, n) =>
    records
      .slice(n * BATCH, (n + 1) * BATCH)
      .map(({ key, headers, value }) => ({ key, headers: { ...headers }, value: value!.toString() })),
  );
  const began = performance.now();
  for (let sent = 0, n = 0; sent < rows; sent += BATCH, n += 1)
    await producer.send({ topic, acks: -1, messages: batches[n % batches.length]! });
  const took = performance.now() - began;
  await producer.disconnect();
  return (rows / took) * 1000;
}

async function copy(admin: Pool, rows: number): Promise<number> {
  const { rows: settings } = await admin.query<{ folder: string }>(
    `SELECT current_setting('data_directory') AS folder`,
  );
  const file = join(settings[0]!.folder, 'bench.copy').replaceAll("'", "''");
  await admin.query(`COPY (SELECT * FROM banyan_log.record LIMIT ${rows}) TO '${file}'`);
  await admin.query('CREATE TABLE bench_copy (LIKE banyan_log.record INCLUDING ALL)');
  const began = performance.now();
  await admin.query(`COPY bench_copy FROM '${file}'`);
  const took = performance.now() - began;
  await admin.query('DROP TABLE bench_copy');
  return (rows / took) * 1000;
}
