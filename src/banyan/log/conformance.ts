// What every event log must do, as tests: run once per adapter. A log that passes may carry a product's events.
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../events/testing/until.ts';
import {
  type Batch,
  type EventLog,
  type LogRecord,
  type StoredRecord,
  type Subscription,
  UnknownTopic,
} from './port.ts';

/** Everything that a reading gives. */
export async function all(records: AsyncIterable<StoredRecord>): Promise<StoredRecord[]> {
  const found: StoredRecord[] = [];
  for await (const one of records) found.push(one);
  return found;
}

export interface LogUnderTest {
  /** A client of the log as another process would have: same log, nothing shared. */
  connect(): EventLog;
  /** Lets those clients use this topic, or be this group, where they are no client that may do all. */
  allow?(what: { readonly topic: string } | { readonly group: string }): Promise<void>;
  close(): Promise<void>;
}

export function conformance(name: string, open: () => Promise<LogUnderTest>): void {
  describe(`the event log on ${name}`, () => {
    let under: LogUnderTest;
    let log: EventLog;
    let topic: string;
    const logs: EventLog[] = [];
    const subscriptions: Subscription[] = [];

    const connect = () => {
      const one = under.connect();
      logs.push(one);
      return one;
    };
    const record = (key: string, n: number) => ({
      key,
      headers: { ce_id: `${key}-${n}` },
      value: JSON.stringify({ n }),
    });
    const freshTopic = async () => {
      const fresh = `t${randomUUID()}.events`;
      await under.allow?.({ topic: fresh });
      await log.ensureTopics([fresh]);
      return fresh;
    };
    /** Subscribes and collects; `onBatch` may throw to refuse a batch. */
    const collect = async (
      group: string,
      from = log,
      onBatch: (batch: Batch) => Promise<void> | void = () => {},
    ) => {
      const seen: StoredRecord[] = [];
      await under.allow?.({ group });
      const subscription = await from.subscribe({
        group,
        topics: [topic],
        onBatch: async (batch) => {
          await onBatch(batch);
          seen.push(...batch.records);
        },
      });
      subscriptions.push(subscription);
      return { seen, subscription };
    };

    beforeAll(async () => {
      under = await open();
      log = connect();
    }, 90_000);
    afterEach(async () => {
      await Promise.all(subscriptions.splice(0).map((one) => one.close()));
    });
    afterAll(async () => {
      await Promise.all(logs.map((one) => one.close()));
      await under.close();
    });

    test('keeps bytes, headers and keys as they were given', async () => {
      topic = await freshTopic();
      const odd: LogRecord[] = [
        {
          key: 'ü',
          headers: { ce_type: 'a.b.v1', 'content-type': 'application/json' },
          value: '{"ü":"\\u0000 \\ud83d"}',
        },
        { key: 'b', headers: {}, value: Buffer.from([0, 1, 255, 254]) },
        { key: 'c', headers: {}, value: null },
        { key: 'd', headers: {}, value: 'a\u0000b' },
      ];
      await log.append(topic, odd);
      const read = await all(log.read(topic));
      for (const { key, headers, value } of odd) {
        const found = read.find((one) => one.key === key);
        expect(found).toMatchObject({ headers, topic });
        expect(found?.value).toEqual(value === null ? null : Buffer.from(value));
        expect(Math.abs(found!.timestamp - Date.now())).toBeLessThan(60_000);
      }
    });

    test('keeps the order of a key, in one partition', async () => {
      topic = await freshTopic();
      const { seen } = await collect(randomUUID());
      for (let n = 1; n <= 20; n += 1)
        await log.append(
          topic,
          ['a', 'b', 'c', 'd', 'e'].map((key) => record(key, n)),
        );
      await until('100 records', () => seen.length >= 100);
      for (const key of ['a', 'b', 'c', 'd', 'e']) {
        const own = seen.filter((one) => one.key === key);
        expect(own.map((one) => JSON.parse(one.value!.toString()).n)).toEqual(
          Array.from({ length: 20 }, (_, n) => n + 1),
        );
        expect(new Set(own.map((one) => one.partition)).size).toBe(1);
      }
    });

    test('gives a new group everything from the oldest record on', async () => {
      topic = await freshTopic();
      await log.append(topic, [record('a', 1), record('b', 1)]);
      const { seen } = await collect(randomUUID());
      await until('both records', () => seen.length === 2);
    });

    test('appenders at the same time lose nothing and share no offset', async () => {
      topic = await freshTopic();
      const { seen } = await collect(randomUUID());
      const others = [connect(), connect()];
      await Promise.all(
        [log, ...others].map(async (one, who) => {
          for (let n = 1; n <= 30; n += 1)
            await one.append(topic, [record(`k${who}`, n), record('shared', n)]);
        }),
      );
      await until('180 records', () => seen.length >= 180);
      expect(new Set(seen.map((one) => `${one.partition}/${one.offset}`)).size).toBe(180);
      for (const who of [0, 1, 2]) {
        const own = seen
          .filter((one) => one.key === `k${who}`)
          .map((one) => JSON.parse(one.value!.toString()).n);
        expect(own).toEqual(Array.from({ length: 30 }, (_, n) => n + 1));
      }
    });

    test('goes on where the group left off', async () => {
      topic = await freshTopic();
      const group = randomUUID();
      const first = await collect(group);
      await log.append(topic, [record('a', 1)]);
      await until('the first record', () => first.seen.length === 1);
      await first.subscription.close();
      await log.append(topic, [record('a', 2)]);
      const second = await collect(group);
      await until('the second record', () => second.seen.length > 0);
      expect(second.seen.map((one) => one.headers.ce_id)).toEqual(['a-2']);
    });

    test('gives a refused batch again, before anything later of its partition', async () => {
      topic = await freshTopic();
      let refusals = 0;
      const { seen } = await collect(randomUUID(), log, () => {
        if (refusals < 2) {
          refusals += 1;
          throw new Error('not now');
        }
      });
      await log.append(topic, [record('a', 1)]);
      await log.append(topic, [record('a', 2)]);
      await until('both records', () => seen.length >= 2);
      expect(refusals).toBe(2);
      expect(seen.map((one) => one.headers.ce_id)).toEqual(['a-1', 'a-2']);
    });

    test('members of a group share the partitions; one that leaves gives its own back', async () => {
      topic = await freshTopic();
      const group = randomUUID();
      const first = await collect(group);
      const second = await collect(group, connect());
      let n = 0;
      const of = (seen: StoredRecord[], round: number) =>
        seen.filter((one) => one.headers.ce_id?.endsWith(`-${round}`)).length;
      /** One record for each of 20 keys, and all of them seen by somebody. */
      const round = async () => {
        n += 1;
        const mine = n;
        await log.append(
          topic,
          Array.from({ length: 20 }, (_, key) => record(`k${key}`, mine)),
        );
        await until('all of a round', () => of(first.seen, mine) + of(second.seen, mine) >= 20, 20_000);
        return { first: of(first.seen, mine), second: of(second.seen, mine) };
      };
      await until(
        'both take part',
        async () => {
          const share = await round();
          return share.first > 0 && share.second > 0;
        },
        20_000,
      );
      await second.subscription.close();
      await until('the first has everything again', async () => (await round()).first === 20, 20_000);
      const ids = new Set([...first.seen, ...second.seen].map((one) => one.headers.ce_id));
      expect(ids.size).toBe(20 * n);
    }, 60_000);

    test('tells how far a group is behind', async () => {
      topic = await freshTopic();
      const group = randomUUID();
      const { seen, subscription } = await collect(group);
      await log.append(topic, [record('a', 1)]);
      await until('the first record', () => seen.length === 1);
      await subscription.close();
      await log.append(topic, [record('a', 2), record('b', 1), record('c', 1)]);
      const behind = await log.lag(group, [topic]);
      expect(behind.reduce((sum, one) => sum + one.events, 0)).toBe(3);
      expect(Math.max(...behind.map((one) => one.seconds ?? 0))).toBeLessThan(30);
      const first = (await all(log.read(topic))).find((one) => one.headers.ce_id === 'a-1')!;
      const next = (partition: number) => behind.find((one) => one.partition === partition)!.next;
      expect(BigInt(next(first.partition))).toBe(BigInt(first.offset) + 1n);
      const { seen: rest } = await collect(group);
      await until('the rest', () => rest.length >= 3);
      await until('no lag', async () => (await log.lag(group, [topic])).every((one) => one.events === 0));
    });

    test('reads a span of time, and what arrives while it follows', async () => {
      topic = await freshTopic();
      await log.append(topic, [record('a', 1), record('b', 1)]);
      await until('the clock goes on', () => true);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const from = new Date();
      await new Promise((resolve) => setTimeout(resolve, 20));
      await log.append(topic, [record('a', 2)]);
      const ids = async (options: Parameters<EventLog['read']>[1]) =>
        (await all(log.read(topic, options))).map((one) => one.headers.ce_id);
      expect(await ids({ from })).toEqual(['a-2']);
      expect((await ids({ until: from })).sort()).toEqual(['a-1', 'b-1']);

      const stop = new AbortController();
      const seen: string[] = [];
      const following = (async () => {
        for await (const one of log.read(topic, { follow: true, signal: stop.signal }))
          seen.push(one.headers.ce_id!);
      })();
      let n = 10;
      await until('what arrives is seen', async () => {
        n += 1;
        await log.append(topic, [record('a', n)]);
        return seen.length > 0;
      });
      stop.abort();
      await following;
      expect(seen).not.toContain('a-1');
    });

    test('takes more at once than a broker takes in one request', async () => {
      topic = await freshTopic();
      const pad = 'x'.repeat(20_000);
      await log.append(
        topic,
        Array.from({ length: 100 }, (_, n) => ({ ...record('a', n + 1), value: pad })),
      );
      const ids = (await all(log.read(topic))).map((one) => one.headers.ce_id);
      expect(ids).toEqual(Array.from({ length: 100 }, (_, n) => `a-${n + 1}`));
    });

    test('goes on where an earlier reading stopped', async () => {
      topic = await freshTopic();
      await log.append(topic, [record('a', 1), record('b', 1)]);
      const before = await all(log.read(topic));
      await log.append(topic, [record('a', 2), record('b', 2)]);
      const positions = Object.fromEntries(
        before.map((one) => [one.partition, String(BigInt(one.offset) + 1n)]),
      );
      const ids = (await all(log.read(topic, { positions }))).map((one) => one.headers.ce_id);
      expect(ids.sort()).toEqual(['a-2', 'b-2']);
    });

    test('says which topic it does not have', async () => {
      const unknown = `nobody-${randomUUID()}.events`;
      await under.allow?.({ topic: unknown });
      await expect(log.append(unknown, [record('a', 1)])).rejects.toThrow(UnknownTopic);
      await expect(all(log.read(unknown))).rejects.toThrow(unknown);
    });

    test('says how a topic stands, and nothing of one that is not there', async ({ skip }) => {
      skip(under.allow !== undefined, 'only who may do all asks');
      topic = await freshTopic();
      await log.append(topic, [record('a', 1)]);
      const { wanted, topics } = await log.inspect([topic, `nobody-${randomUUID()}.events`]);
      expect(topics).toHaveLength(1);
      const { partitions, retentionMs } = wanted;
      expect(topics[0]).toMatchObject({ topic, partitions, retentionMs });
      expect((await log.inspect([])).topics).toEqual([]);
    });

    test('makes a topic once, whoever asks', async () => {
      const shared = `t${randomUUID()}.events`;
      await under.allow?.({ topic: shared });
      await Promise.all([log, connect(), connect()].map((one) => one.ensureTopics([shared])));
      await log.append(shared, [record('a', 1)]);
      expect(await all(log.read(shared))).toHaveLength(1);
    });
  });
}
