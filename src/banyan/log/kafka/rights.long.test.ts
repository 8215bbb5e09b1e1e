// Who may do what on a real broker with StandardAuthorizer, by TLS and SASL: the principal of a module can do its module's
// work and nothing else that a client can ask; what it is refused is told with a remedy; and a broker without an
// authorizer, or a host that may give no rights, is said once and stops nothing.
import { join } from 'node:path';
import type { Admin, Kafka } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Broker, missingForBroker, startBroker } from '../../events/testing/broker.ts';
import { quiet } from '../../events/testing/shop.ts';
import { type EventLog, LogRefused, type LogUse } from '../port.ts';
import { createClient } from './client.ts';
import { createKafkaLog } from './log.ts';
import { mechanisms } from './url.ts';

const cacheDir = join(import.meta.dirname, '../../../../../node_modules/.cache/kafka');
const missing = await missingForBroker(cacheDir);
if (missing) console.warn(`Left out: rights on Kafka (${missing})`);

/** A sells, a till is told of it; a third party has nothing to do with either. */
const uses: readonly LogUse[] = [
  { module: 'shop', topic: 'shop.events', reads: [] },
  { module: 'till', topic: 'till.events', reads: ['shop.events'] },
  { module: 'post', topic: 'post.events', reads: ['till.events'] },
];
const users = { shop: 'u-shop', till: 'u-till', post: 'u-post' };

const record = (key: string) => ({ key, headers: { id: key }, value: '{}' });

function logOf(url: string, warned?: string[]): EventLog {
  const log = { ...quiet, warn: (_: object, text: string) => void warned?.push(text) };
  return createKafkaLog({ url, clientId: 'test', log, users });
}

async function reasonOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Kafka's own word for it, wherever kafkajs has put it. */
async function refusal(work: Promise<unknown>): Promise<string> {
  const types: string[] = [];
  const look = (one: unknown) => {
    const { type, cause, errors = [], groups = [], partitions = [] } = (one ?? {}) as Record<string, never>;
    if (type) types.push(type);
    const each = [...(groups as { error?: unknown }[]), ...(partitions as { error?: unknown }[])];
    for (const more of [cause, ...(errors as unknown[]), ...each.map(({ error }) => error)])
      if (more) look(more);
  };
  const error = await reasonOf(work);
  look(error);
  return types.find((type) => /AUTHORIZATION_FAILED/.test(type)) ?? `not refused: ${error ?? 'it was done'}`;
}

describe.skipIf(missing)('on a broker that knows its users', () => {
  let broker: Broker;
  const open: { close(): Promise<void> }[] = [];
  const as = (user: string, warned?: string[]) => {
    const log = logOf(broker.guard!.urlOf(user), warned);
    open.push(log);
    return log;
  };

  beforeAll(async () => {
    broker = await startBroker({ cacheDir, users: ['u-shop', 'u-till', 'u-post', 'u-host', 'u-other'] });
    const log = logOf(broker.url);
    await log.allow!(uses);
    await log.ensureTopics(uses.map(({ topic }) => topic!));
    // Again: nothing changes and nothing is wrong.
    await log.allow!(uses);
    await log.append('till.events', [record('a')]);
    await log.close();
  }, 120_000);
  afterAll(async () => {
    await Promise.all(open.map((one) => one.close()));
    await broker?.stop();
  });

  test.each(mechanisms)('%s: the right password is believed, a wrong one is not', async (mechanism) => {
    const url = broker.guard!.urlOf('u-till', mechanism);
    const log = logOf(url);
    await expect(log.ensureTopics(['till.events'])).resolves.toBeUndefined();
    await log.close();
    const wrong = logOf(url.replace(/:[^:@]+@/, ':guessed@'));
    const told = (await reasonOf(wrong.ensureTopics(['till.events']))) as LogRefused;
    await wrong.close();
    expect(told).toBeInstanceOf(LogRefused);
    expect(told.message).toMatch(
      /does not believe that this is the user "u-till".*Remedy: compare user, password/,
    );
    expect(told.message).not.toContain('guessed');
  });

  test('a certificate of somebody else is not believed', async () => {
    const log = logOf(broker.guard!.urlOf('u-till').replace(/[?&]ca=[^&]*/, ''));
    expect(String(await reasonOf(log.ensureTopics(['till.events'])))).toMatch(/certificate|self.signed/i);
    await log.close();
  });

  test('a module does its work with its own principal: topics there, sending, reading, its lag', async () => {
    const till = as('u-till');
    const shop = as('u-shop');
    await till.ensureTopics(['till.events', 'shop.events']);
    await shop.ensureTopics(['shop.events']);
    await shop.append('shop.events', [record('sold')]);
    await till.append('till.events', [record('paid')]);
    const got = Promise.withResolvers<string>();
    const subscription = await till.subscribe({
      group: 'till',
      topics: ['shop.events'],
      onBatch: async ({ records }) => got.resolve(records[0]!.key!),
      onRefused: (error) => got.reject(error),
    });
    expect(await got.promise).toBe('sold');
    await subscription.close();
    expect((await till.lag('till', ['shop.events'])).every(({ events }) => events === 0)).toBe(true);
  });

  describe('with the principal of one module', () => {
    let kafka: Kafka;
    let admin: Admin;
    beforeAll(async () => {
      kafka = createClient(broker.guard!.urlOf('u-till'), 'attacker', quiet);
      admin = kafka.admin({ retry: { retries: 1 } });
      await admin.connect();
    });
    afterAll(() => admin.disconnect());

    const send = async (topic: string) => {
      const producer = kafka.producer({ retry: { retries: 1 }, allowAutoTopicCreation: false });
      await producer.connect();
      const sent = producer.send({ topic, messages: [{ key: 'k', value: 'forged' }] });
      return sent.finally(() => producer.disconnect());
    };
    const read = async (groupId: string, topic: string) => {
      const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false, retry: { retries: 1 } });
      const outcome = Promise.withResolvers<void>();
      consumer.on(consumer.events.CRASH, ({ payload }) => outcome.reject(payload.error));
      await consumer.connect();
      try {
        await consumer.subscribe({ topics: [topic], fromBeginning: true });
        await consumer.run({ eachMessage: async () => outcome.resolve() });
        await outcome.promise;
      } finally {
        await consumer.disconnect();
      }
    };
    const config = { configEntries: [{ name: 'retention.ms', value: '1' }] };
    const topicOf = (topic: string) =>
      ({ resourceType: 2, resourceName: topic, resourcePatternType: 3 }) as const;
    const acl = {
      principal: 'User:u-till',
      host: '*',
      operation: 2,
      permissionType: 3,
      ...topicOf('shop.events'),
    };

    const attempts: Record<string, () => Promise<unknown>> = {
      'appending to what it reads': () => send('shop.events'),
      'appending to a topic of others': () => send('post.events'),
      'appending to a topic that is not there': () => send('other.events'),
      'appending in a transaction': async () => {
        const producer = kafka.producer({ transactionalId: 'till', retry: { retries: 1 } });
        await producer.connect();
        await producer.transaction().finally(() => producer.disconnect());
      },
      'reading a topic of others': () => read('banyan.till', 'post.events'),
      'reading its own topic back': () => read('banyan.till', 'till.events'),
      'reading as another module': () => read('banyan.post', 'shop.events'),
      'reading in a group of its own making': () => read('till-2', 'shop.events'),
      'reading as an operator does': () => read('banyan-read-till', 'shop.events'),
      'the offsets of another group': () =>
        admin.fetchOffsets({ groupId: 'banyan.post', topics: ['till.events'] }),
      'moving the offsets of another group': () =>
        admin.setOffsets({
          groupId: 'banyan.post',
          topic: 'till.events',
          partitions: [{ partition: 0, offset: '0' }],
        }),
      'deleting another group': () => admin.deleteGroups(['banyan.post']),
      'where a topic of others ends': () => admin.fetchTopicOffsets('post.events'),
      'making a topic': () => admin.createTopics({ topics: [{ topic: 'mine' }] }),
      'deleting its own topic': () => admin.deleteTopics({ topics: ['till.events'] }),
      'deleting a topic of others': () => admin.deleteTopics({ topics: ['post.events'] }),
      'emptying a topic that it reads': async () => {
        // kafkajs knows its leaders then, and asks.
        await admin.fetchTopicOffsets('shop.events');
        await admin.deleteTopicRecords({
          topic: 'shop.events',
          partitions: [{ partition: 0, offset: '-1' }],
        });
      },
      'more partitions': () =>
        admin.createPartitions({ topicPartitions: [{ topic: 'till.events', count: 9 }] }),
      'another retention': () =>
        admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: 'till.events', ...config }] }),
      'settings of the broker': () =>
        admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 4, name: '1' }] }),
      'giving itself rights': () => admin.createAcls({ acl: [acl] }),
      'taking rights of others': () =>
        admin.deleteAcls({ filters: [{ ...acl, principal: 'User:u-post', operation: 1 }] }),
      'who has which rights': () => admin.describeAcls({ ...acl, principal: undefined, operation: 1 }),
    };
    test.each(Object.keys(attempts))('refused: %s', async (name) => {
      expect(await refusal(attempts[name]!())).toMatch(/^\w+_AUTHORIZATION_FAILED$/);
    });

    test('what is there besides its own it does not even see', async () => {
      expect((await admin.listTopics()).toSorted()).toEqual(['shop.events', 'till.events']);
      const { groups } = await admin.listGroups();
      expect(groups.map(({ groupId }) => groupId).filter((id) => id !== 'banyan.till')).toEqual([]);
    });
  });

  test('what is refused is told: who, what, and whose turn it is', async () => {
    const till = as('u-till');
    const told = (await reasonOf(till.append('post.events', [record('x')]))) as LogRefused;
    expect(told).toBeInstanceOf(LogRefused);
    expect(told.message).toMatch(
      /does not let the user "u-till" write to the topic post.events.*Remedy: a monolith gives these rights/,
    );
    await expect(till.ensureTopics(['other.events'])).rejects.toThrow(
      /u-till" find or make the topic other.events/,
    );
    const refused = Promise.withResolvers<LogRefused>();
    const subscription = await till.subscribe({
      group: 'till',
      topics: ['till.events'],
      onBatch: async () => refused.reject(new Error('it was read')),
      onRefused: refused.resolve,
    });
    expect((await refused.promise).message).toMatch(/"u-till" read the topic till.events as banyan.till/);
    await subscription.close();
    await expect(till.lag('post', ['till.events'])).rejects.toThrow(
      /"u-till" look at .* the group banyan.post/,
    );
  });

  test('rights that are missing come while it tries', async () => {
    const other = createKafkaLog({
      url: broker.guard!.urlOf('u-other'),
      clientId: 'other',
      log: quiet,
    });
    open.push(other);
    await expect(other.append('post.events', [record('x')])).rejects.toBeInstanceOf(LogRefused);
    const host = createKafkaLog({
      url: broker.url,
      clientId: 'host',
      log: quiet,
      users: { post: 'u-other' },
    });
    await host.allow!(uses);
    await host.close();
    await expect(other.append('post.events', [record('x')])).resolves.toBeUndefined();
  });

  test('a host that may not make ACLs says so once, and one that may needs no more than the cluster', async () => {
    const warned: string[] = [];
    const host = as('u-host', warned);
    await host.allow!(uses);
    await host.allow!(uses);
    expect(warned).toHaveLength(1);
    expect(warned[0]).toMatch(/does not let u-host make ACLs.*Let it Alter and Describe the cluster/);

    const kafka = createClient(broker.url, 'operator', quiet);
    const admin = kafka.admin();
    await admin.connect();
    const cluster = { resourceType: 4, resourceName: 'kafka-cluster', resourcePatternType: 3 };
    await admin.createAcls({
      acl: [5, 7, 8].map((operation) => ({
        principal: 'User:u-host',
        host: '*',
        operation,
        permissionType: 3,
        ...cluster,
      })),
    });
    await admin.disconnect();
    await host.allow!([...uses, { module: 'new', topic: 'new.events', reads: [] }]);
    await host.ensureTopics(['new.events']);
    await host.append('new.events', [record('n')]);
    const keys: (string | null)[] = [];
    for await (const { key } of host.read('new.events')) keys.push(key);
    expect(keys).toEqual(['n']);
    expect(warned).toHaveLength(1);
  });

  test('rights beyond those of the module are told of and left', async () => {
    const admin = createClient(broker.url, 'operator', quiet).admin();
    await admin.connect();
    const more = {
      resourceType: 2,
      resourceName: 'post.events',
      resourcePatternType: 3,
      operation: 4,
      permissionType: 3,
    };
    await admin.createAcls({ acl: [{ principal: 'User:u-shop', host: '*', ...more }] });
    const warned: string[] = [];
    const host = logOf(broker.url, warned);
    await host.allow!(uses);
    expect(warned).toEqual([
      expect.stringMatching(/lets User:u-shop do more.*write on topic post.events.*--remove/),
    ]);
    await admin.deleteAcls({ filters: [{ principal: 'User:u-shop', host: '*', ...more }] });
    await host.close();
    await admin.disconnect();
  });
});

test.skipIf(missing)(
  'a broker without an authorizer is said once',
  async () => {
    const broker = await startBroker({ cacheDir, users: [], lenient: true });
    const warned: string[] = [];
    const log = logOf(broker.url, warned);
    try {
      await log.allow!(uses);
      await log.allow!(uses);
      expect(warned).toEqual([expect.stringMatching(/the broker has no authorizer.*StandardAuthorizer/)]);
      await log.ensureTopics(['shop.events']);
    } finally {
      await log.close();
      await broker.stop();
    }
  },
  120_000,
);
