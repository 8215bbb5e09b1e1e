// Events over a real Kafka broker that dies, and members of its groups that die or freeze.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../log/kafka/client.ts';
import { createKafkaLog } from '../log/kafka/log.ts';
import type { EventLog, StoredRecord } from '../log/port.ts';
import { type Broker, missingForBroker, startBroker } from './testing/broker.ts';
import { killedAt, steps } from './testing/killed.ts';
import { openServer, type TestServer } from './testing/server.ts';
import { quiet } from './testing/shop.ts';
import { until } from './testing/until.ts';

const cacheDir = join(import.meta.dirname, '../../../node_modules/.cache/kafka');
const missing = await missingForBroker(cacheDir);
if (missing) console.warn(`Left out: faults of Kafka (${missing})`);

describe.skipIf(missing && process.env.CI !== 'true')('on Kafka', () => {
  let server: TestServer;
  let broker: Broker;
  const logs: EventLog[] = [];
  const connect = (groupPrefix: string) => {
    const log = createKafkaLog({ url: broker.url, clientId: 'test', log: quiet, groupPrefix });
    logs.push(log);
    return log;
  };

  beforeAll(async () => {
    [server, broker] = await Promise.all([openServer(), startBroker({ cacheDir, hasty: true })]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all(logs.map((log) => log.close()));
    await Promise.all([server?.stop(), broker?.stop()]);
  });

  /** The topics of the shop and the till, empty again. */
  async function emptyTopics(): Promise<void> {
    const admin = createClient(broker.url, 'emptier', quiet).admin();
    await admin.connect();
    const ours = async () => (await admin.listTopics()).filter((topic) => /^(shop|till)\./.test(topic));
    const topics = await ours();
    if (topics.length > 0) await admin.deleteTopics({ topics });
    await until('the topics are gone', async () => (await ours()).length === 0);
    await admin.disconnect();
  }

  test.each(steps)(
    'killed %s: nothing lost, doubled or inverted',
    async (step) => {
      await emptyTopics();
      const groupPrefix = `${randomUUID()}.`;
      const makeLog = () => createKafkaLog({ url: broker.url, clientId: 'heir', log: quiet, groupPrefix });
      await killedAt(step, server.url, { makeLog, args: [broker.url, groupPrefix], recoveryMs: 15_000 });
    },
    90_000,
  );

  test('the broker dies while events are appended: each appears, the first time in order', async () => {
    const log = connect(`${randomUUID()}.`);
    const topic = `t${randomUUID()}.events`;
    await log.ensureTopics([topic]);
    const total = 60;
    let struck = false;
    for (let n = 1; n <= total; n += 1) {
      if (n === total / 2)
        void broker
          .kill()
          .then(() => broker.start())
          .then(() => (struck = true));
      // As the relay does: the same record again until the log has it.
      await until(
        `record ${n} is taken`,
        () =>
          log.append(topic, [record(n)]).then(
            () => true,
            () => false,
          ),
        60_000,
      );
    }
    await until('the broker is back', () => struck, 60_000);
    const seen = new Set<string>();
    for await (const one of log.read(topic)) seen.add(one.headers.ce_id!);
    expect([...seen]).toEqual(Array.from({ length: total }, (_, n) => `a-${n + 1}`));
  }, 120_000);

  test('a frozen member loses its partitions, and has its share again after it woke', async () => {
    const groupPrefix = `${randomUUID()}.`;
    const topic = `t${randomUUID()}.events`;
    const log = connect(groupPrefix);
    await log.ensureTopics([topic]);
    const mine: StoredRecord[] = [];
    const subscription = await log.subscribe({
      group: 'shared',
      topics: [topic],
      onBatch: async ({ records }) => void mine.push(...records),
    });
    const other = spawn(
      process.execPath,
      [join(import.meta.dirname, 'testing/member.ts'), broker.url, groupPrefix, topic],
      {
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      },
    );
    try {
      const theirs = new Set<string>();
      other.stdout!.setEncoding('utf8').on('data', (text: string) => {
        for (const id of text.split('\n')) theirs.add(id);
      });
      let n = 0;
      const round = async () => {
        n += 1;
        const ids = Array.from({ length: 30 }, (_, key) => `k${key}-${n}`);
        await log.append(
          topic,
          ids.map((id) => ({ key: id.split('-')[0]!, headers: { ce_id: id }, value: '1' })),
        );
        const had = () => new Set(mine.map((one) => one.headers.ce_id));
        await until('all of a round', () => ids.every((id) => theirs.has(id) || had().has(id)), 25_000);
        return {
          mine: ids.filter((id) => had().has(id)).length,
          theirs: ids.filter((id) => theirs.has(id)).length,
        };
      };
      const bothShare = async () => {
        const share = await round();
        return share.mine > 0 && share.theirs > 0;
      };
      await until('both take part', bothShare, 30_000);
      other.kill('SIGSTOP');
      expect((await round()).mine, 'all of it goes to the living one').toBe(30);
      other.kill('SIGCONT');
      await until('the woken one takes part again', bothShare, 40_000);
    } finally {
      other.kill('SIGKILL');
      await once(other, 'exit');
      await subscription.close();
    }
  }, 120_000);
});

function record(n: number) {
  return { key: 'a', headers: { ce_id: `a-${n}` }, value: JSON.stringify({ n }) };
}
