// Kafka logs with batches that Java compressed, and with batches that nobody can read: those hold up their own
// partition, visibly, and nothing else, until they can be read, are removed, or are passed over.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { all } from '../log/conformance.ts';
import { createClient } from '../log/kafka/client.ts';
import { createKafkaLog } from '../log/kafka/log.ts';
import type { EventLog, Obstacle, StoredRecord, SubscribeOptions, Subscription } from '../log/port.ts';
import { askedLog } from './operations/answering.ts';
import { ReplayObstructed, replay } from './operations/replay.ts';
import { skip } from './operations/skip.ts';
import { tail } from './operations/tail.ts';
import { verify } from './operations/verify.ts';
import { type Broker, missingForBroker, startBroker } from './testing/broker.ts';
import { type Damage, damageSegment } from './testing/segment.ts';
import { openServer } from './testing/server.ts';
import { quiet } from './testing/shop.ts';
import { openStand } from './testing/stand.ts';
import { until } from './testing/until.ts';

const run = promisify(execFile);
const cacheDir = join(import.meta.dirname, '../../../node_modules/.cache/kafka');
const missing = await missingForBroker(cacheDir);
if (missing) console.warn(`Left out: what cannot be read on Kafka (${missing})`);

describe.skipIf(missing && process.env.CI !== 'true')('on Kafka', () => {
  let broker: Broker;
  const logs: EventLog[] = [];
  const subscriptions: Subscription[] = [];
  const said: { level: string; message: string }[] = [];
  const heard = (level: string) => (_: object, message: string) => void said.push({ level, message });
  const connect = (groupPrefix = `${randomUUID()}.`) => {
    const log = createKafkaLog({
      url: broker.url,
      clientId: 'test',
      log: { ...quiet, warn: heard('warn'), error: heard('error') },
      groupPrefix,
      partitions: 2,
      lookAgainMs: 200,
    });
    logs.push(log);
    return log;
  };
  const subscribe = async (log: EventLog, topic: string, more: Partial<SubscribeOptions> = {}) => {
    const seen: StoredRecord[] = [];
    const obstacles: Obstacle[] = [];
    const subscription = await log.subscribe({
      group: 'g',
      topics: [topic],
      onBatch: async ({ records }) => void seen.push(...records),
      onObstacle: async (one) => {
        obstacles.push(one);
        return 'wait';
      },
      ...more,
    });
    subscriptions.push(subscription);
    return { seen, obstacles, subscription };
  };
  const idsOf = (seen: readonly StoredRecord[]) => seen.map((one) => one.headers.ce_id);
  const record = (id: string) => ({
    key: id.split('-')[0]!,
    headers: { ce_id: id },
    value: `{"id":"${id}"}`,
  });
  const freshTopic = async (log: EventLog) => {
    const topic = `t${randomUUID()}.events`;
    await log.ensureTopics([topic]);
    return topic;
  };
  /** One batch each: what is in a batch stands or falls together. */
  const appendAll = async (log: EventLog, topic: string, ids: readonly string[]) => {
    for (const id of ids) await log.append(topic, [record(id)]);
  };
  /** Where the key's second record stands. */
  const placeOf = async (log: EventLog, topic: string, id: string) =>
    (await all(log.read(topic))).find((one) => one.headers.ce_id === id)!;

  beforeAll(async () => {
    broker = await startBroker({ cacheDir, hasty: true });
  }, 180_000);
  afterEach(async () => {
    await Promise.all(subscriptions.splice(0).map((one) => one.close()));
    said.length = 0;
  });
  afterAll(async () => {
    await Promise.all(logs.map((log) => log.close()));
    await broker?.stop();
  });

  test.each(['gzip', 'snappy', 'lz4', 'zstd'])(
    'what Java packed with %s is read',
    async (codec) => {
      const log = connect();
      const topic = await freshTopic(log);
      const { seen } = await subscribe(log, topic);
      const config = join(await mkdtemp(join(tmpdir(), 'banyan-java-')), 'producer.properties');
      await writeFile(config, `compression.type=${codec}\nlinger.ms=50\nbatch.size=100000\n`);
      await run('java', [
        ...['-cp', `${broker.libs}/*`, 'org.apache.kafka.tools.VerifiableProducer'],
        ...['--bootstrap-server', broker.url.replace('kafka://', ''), '--topic', topic],
        ...['--max-messages', '3000', '--producer.config', config],
      ]);
      await until('3000 records', () => seen.length >= 3000, 30_000);
      const values = seen.map((one) => Number(one.value!.toString())).sort((a, b) => a - b);
      expect(values).toEqual(Array.from({ length: 3000 }, (_, n) => n));
      expect((await all(log.read(topic))).length).toBe(3000);
    },
    90_000,
  );

  test.each(['gzip', 'snappy', 'lz4', 'zstd'])(
    'a topic that the broker packs with %s is read',
    async (codec) => {
      const log = connect();
      const topic = await freshTopic(log);
      const admin = createClient(broker.url, 'configurer', quiet).admin();
      await admin.connect();
      const configEntries = [{ name: 'compression.type', value: codec }];
      await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topic, configEntries }] });
      await admin.disconnect();
      const { seen } = await subscribe(log, topic);
      const ids = Array.from({ length: 200 }, (_, n) => `k${n % 5}-${n}`);
      await log.append(topic, ids.map(record));
      await until('all of them', () => seen.length >= 200, 20_000);
      expect(new Set(idsOf(seen))).toEqual(new Set(ids));
    },
    60_000,
  );

  test('topics are made so that batches stay as they were sent', async () => {
    const log = connect();
    const topic = await freshTopic(log);
    const admin = createClient(broker.url, 'looker', quiet).admin();
    await admin.connect();
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: topic, configNames: ['compression.type'] }],
    });
    await admin.disconnect();
    expect(resources[0]!.configEntries[0]!.configValue).toBe('producer');
  });

  test.each<[Damage, RegExp]>([
    ['flipped byte', /checksum is wrong/],
    ['unknown codec', /codec 6 is unknown/],
    ['rubbish', /lz4 data cannot be unpacked/],
    ['bomb', /unpacks to more than 32 MiB/],
  ])(
    '%s: parks its partition alone, once in words, and goes on when it is mended',
    async (damage, reason) => {
      const groupPrefix = `${randomUUID()}.`;
      const log = connect(groupPrefix);
      const topic = await freshTopic(log);
      await appendAll(log, topic, ['a-1', 'a-2', 'a-3', 'b-1', 'c-1', 'd-1', 'e-1']);
      const bad = await placeOf(log, topic, 'a-2');
      const mend = await damageSegment(broker, topic, bad.partition, bad.offset, damage);
      const whole = (await all(log.read(topic))).filter((one) => one.partition !== bad.partition);
      expect(whole.length, 'two partitions are in use').toBeGreaterThan(0);

      const first = await subscribe(log, topic);
      await until('it is parked', () => first.obstacles.length > 0, 20_000);
      await until('the other partition is read', () => first.seen.length > whole.length, 20_000);
      expect(first.obstacles[0]).toMatchObject({
        topic,
        partition: bad.partition,
        offset: bad.offset,
        last: bad.offset,
        reason: expect.stringMatching(reason),
        remedy: expect.stringContaining(`skip ${topic} ${bad.partition} ${bad.offset}`),
      });
      await until('it is tried several times', () => first.obstacles.length > 3, 20_000);
      expect(said.filter(({ message }) => message.includes('is parked'))).toHaveLength(1);
      await log.append(topic, [record('b-2'), record('c-2'), record('d-2'), record('e-2')]);
      const elsewhere = ['b-2', 'c-2', 'd-2', 'e-2'];
      await until('others go on', () => idsOf(first.seen).some((id) => elsewhere.includes(id!)), 20_000);
      expect(idsOf(first.seen)).toContain('a-1');
      expect(idsOf(first.seen)).not.toContain('a-3');

      // A reading for people goes around it and says so.
      const read = await all(log.read(topic));
      const gaps = read.filter(({ obstacle }) => obstacle);
      expect(gaps.map(({ offset, partition }) => ({ offset, partition }))).toEqual([
        { offset: bad.offset, partition: bad.partition },
      ]);
      expect(new Set(idsOf(read.filter(({ obstacle }) => !obstacle)))).toEqual(
        new Set(['a-1', 'a-3', 'b-1', 'c-1', 'd-1', 'e-1', ...elsewhere]),
      );
      const lag = await log.lag('g', [topic]);
      expect(lag.find((one) => one.partition === bad.partition)!.events).toBeGreaterThan(0);

      // Another member in its place stands there too.
      await first.subscription.close();
      const second = await subscribe(connect(groupPrefix), topic);
      await until('it is parked again', () => second.obstacles.length > 0, 20_000);
      expect(second.obstacles[0]!.offset).toBe(bad.offset);

      await mend();
      await until('it goes on', () => idsOf(second.seen).includes('a-3'), 20_000);
      const own = [...first.seen, ...second.seen].filter((one) => one.key === 'a');
      expect(idsOf(own).filter((id, n, ids) => ids.indexOf(id) === n)).toEqual(['a-1', 'a-2', 'a-3']);
    },
    90_000,
  );

  test('goes on when the log has removed it, and when somebody passes it over', async () => {
    for (const way of ['removed', 'passed'] as const) {
      const log = connect();
      const topic = await freshTopic(log);
      await appendAll(log, topic, ['a-1', 'a-2', 'a-3']);
      const bad = await placeOf(log, topic, 'a-2');
      await damageSegment(broker, topic, bad.partition, bad.offset, 'unknown codec');
      let decided = false;
      let met = 0;
      const cleared: Obstacle[] = [];
      const { seen } = await subscribe(log, topic, {
        onObstacle: async () => {
          met += 1;
          return decided ? 'pass' : 'wait';
        },
        onClear: async (one) => void cleared.push(one),
      });
      await until('it is parked', () => met > 1, 20_000);
      if (way === 'passed') decided = true;
      else {
        const admin = createClient(broker.url, 'remover', quiet).admin();
        await admin.connect();
        await admin.fetchTopicOffsets(topic);
        const offset = String(BigInt(bad.offset) + 1n);
        await admin.deleteTopicRecords({ topic, partitions: [{ partition: bad.partition, offset }] });
        await admin.disconnect();
      }
      await until(`it goes on: ${way}`, () => idsOf(seen).includes('a-3'), 20_000);
      expect(idsOf(seen)).toEqual(['a-1', 'a-3']);
      expect(cleared.map(({ offset }) => offset)).toEqual([bad.offset]);
    }
  }, 90_000);

  test('operators are told the same everywhere, and what they pass over is noted and not called whole', async () => {
    const server = await openServer();
    const groupPrefix = `${randomUUID()}.`;
    const stand = await openStand(server.url, () => connect(groupPrefix));
    try {
      const host = stand.host();
      await host.shop.relay.start();
      for (let n = 1; n <= 3; n += 1) {
        await host.sell({ orderId: 'a', n });
        await until('it is sent', async () => (await host.shop.stats()).outbox.waiting === 0);
      }
      const topic = 'shop.events';
      const sold = await all(host.eventLog.read(topic));
      const { partition, offset } = sold[1]!;
      await damageSegment(broker, topic, partition, offset, 'flipped byte');
      await host.till.consumers.start();
      const parked = async () => (await host.till.stats()).parked;
      await until('it is parked', async () => (await parked()).length === 1, 20_000);
      expect(await parked()).toMatchObject([{ topic, partition, offset, last: offset, host: 'monolith' }]);
      expect((await host.till.stats()).lag, 'the log answers').not.toBeNull();

      const modules = [host.shop.parts, host.till.parts];
      const log = askedLog(host.eventLog);
      const past = { from: new Date(Date.now() - 3_600_000), until: new Date() };
      const verified = await verify(modules, log, past);
      expect(verified.unreadable).toMatchObject([{ topic, partition, offset }]);
      expect(verified.topics.find((one) => one.topic === topic)!.lost).toBe(1);

      const since = { topics: [topic], since: new Date(0), positions: {}, limit: 3, waitMs: 5_000 };
      const { events } = await tail(log, { ...since, signal: new AbortController().signal });
      expect(events.map(({ wrong }) => wrong)).toEqual([
        null,
        expect.stringContaining(`${topic}, partition ${partition}, offset ${offset} cannot be read`),
        null,
      ]);

      const replayed = replay(host.till.parts, log, { topic, ...past, budgetMs: 10_000 });
      await expect(replayed).rejects.toThrow(ReplayObstructed);
      await expect(replayed).rejects.toMatchObject({ obstacle: { topic, partition, offset } });

      const decision = { topic, partition, offset, by: 'a test', why: 'its bytes are gone' };
      await expect(skip(modules, { ...decision, offset: '9999' })).rejects.toThrow(/No consumer stands/);
      expect(await skip(modules, decision)).toMatchObject([{ module: 'till', topic, partition, offset }]);
      await until('the one behind it is there', async () => (await parked()).length === 0, 20_000);
      await until(
        'the third waits for the second',
        async () => (await host.till.stats()).deliveries.early === 1,
      );
      expect((await stand.effects()).map(({ n }) => n)).toEqual([1]);
      expect(await stand.query('SELECT action, by, why FROM till.event_audit')).toEqual([
        { action: 'skip', by: 'a test', why: 'its bytes are gone' },
      ]);
      expect((await verify(modules, log, past)).unreadable).toHaveLength(1);
    } finally {
      await stand.close();
      await server.stop();
    }
  }, 120_000);

  test('what a transaction leaves behind holds nobody up', async () => {
    const log = connect();
    const topic = await freshTopic(log);
    const kafka = createClient(broker.url, 'transactor', quiet);
    const producer = kafka.producer({
      transactionalId: randomUUID(),
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    const { seen } = await subscribe(log, topic);
    for (const ends of ['abort', 'commit', 'abort'] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ key: 'a', value: ends, partition: 0 }] });
      await transaction[ends]();
    }
    await producer.disconnect();
    await until('what was committed', () => seen.length > 0, 20_000);
    expect(seen.map((one) => String(one.value))).toEqual(['commit']);
    expect((await all(log.read(topic))).map((one) => String(one.value))).toEqual(['commit']);
    await until('all of it is behind', async () =>
      (await log.lag('g', [topic])).every((one) => one.events === 0),
    );
  }, 60_000);
});
