// How fast a relay empties a prefilled outbox: to Kafka beside raw kafkajs with the same bytes, and to the
// Postgres log beside COPY of the same rows into a table like the log's.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { createEventRuntime } from '../../src/banyan/events/runtime.ts';
import { openStore, quiet, shop, till, urlOf } from '../../src/banyan/events/testing/shop.ts';
import { createKafkaLog } from '../../src/banyan/log/kafka/log.ts';
import type { EventLog, StoredRecord } from '../../src/banyan/log/port.ts';
import { createPostgresLog } from '../../src/banyan/log/postgres.ts';
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
      await admin.query('TRUNCATE shop.event_key, shop.event_sent, shop.event_outbox');
    }
  });
  const runs = ours.map((one, n) => one / raw[n]!);
  return {
    what: `relay, ordered, acks=all, ${whole(sizes.rows)} rows, Kafka`,
    ours: `${whole(median(ours))} events/s`,
    beside: `raw kafkajs, same bytes: ${whole(median(raw))}/s`,
    ratio: ratio(median(runs)),
    runs,
    goal: '0.5x and 30,000/s',
    met: median(runs) >= 0.5 && median(ours) >= 30_000,
  };
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
  const runs = ours.map((one, n) => one / copied[n]!);
  return {
    what: `relay, ${whole(sizes.rows)} rows, Postgres log`,
    ours: `${whole(median(ours))} events/s`,
    beside: `COPY of the same rows: ${whole(median(copied))}/s`,
    ratio: ratio(median(runs)),
    runs,
    goal: '15,000/s',
    met: median(ours) >= 15_000,
  };
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

/** In a process of its own, so that neither side's garbage is the other's. */
async function produce(url: string, records: readonly StoredRecord[], rows: number): Promise<number> {
  const child = fork(join(import.meta.dirname, 'raw-producer.ts'), [], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  // Text, as the relay has it: both pay for making bytes of it.
  const messages = records.map(({ key, headers, value }) => ({ key, headers, value: value!.toString() }));
  child.send({ url, messages, rows, batch: BATCH });
  const [perSecond] = (await once(child, 'message')) as [number];
  child.disconnect();
  return perSecond;
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
