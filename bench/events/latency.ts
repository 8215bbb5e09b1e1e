// From a commit to the committed effect at 500 events a second over Kafka, beside the least that this could cost:
// raw kafkajs from produce to consume, with one bare Postgres commit before it and one after.
// And the same with one poisonous key among a thousand: what the others notice of it.
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { Pool } from 'pg';
import { createEventRuntime } from '../../src/banyan/events/runtime.ts';
import { openStore, quiet, shop, till, urlOf } from '../../src/banyan/events/testing/shop.ts';
import { createKafkaLog } from '../../src/banyan/log/kafka/log.ts';
import { parseBrokerUrl } from '../../src/banyan/log/kafka/url.ts';
import { createPostgresLog } from '../../src/banyan/log/postgres.ts';
import { on } from '../../src/banyan/saga/on.ts';
import { emptyTopics, median, ms, percentile, type Row, ratio, type Stage } from './stage.ts';

const PER_SECOND = 500;
const KEYS = 1_000;
const TICK_MS = 10;
/** Not measured: connections are opened, code is compiled. */
const WARM_SHARE = 0.25;

export async function latencies(stage: Stage): Promise<Row[]> {
  const ours: number[][] = [];
  const raw: number[][] = [];
  for (let pair = 0; pair < Math.min(2, stage.sizes.pairs); pair += 1) {
    ours.push((await events(stage, 'kafka', false)).latencies);
    raw.push(await bare(stage));
  }
  return [0.5, 0.99].map((share) => {
    const of = (some: number[][]) => some.map((one) => percentile(one, share));
    const runs = of(ours).map((one, n) => one / of(raw)[n]!);
    const goal = share === 0.5 ? 2 : 3;
    return {
      what: `commit to committed effect, ${PER_SECOND} events/s, Kafka, p${share * 100}`,
      ours: ms(median(of(ours))),
      beside: `raw kafkajs + two bare commits: ${ms(median(of(raw)))}`,
      ratio: ratio(median(runs)),
      runs,
      goal: `${goal}x`,
      met: median(runs) <= goal,
    };
  });
}

export async function poison(stage: Stage): Promise<Row> {
  const calm: number[] = [];
  const poisoned: number[] = [];
  let behind = 0;
  const kind = stage.broker ? 'kafka' : 'postgres';
  for (let pair = 0; pair < Math.min(3, stage.sizes.pairs + 1); pair += 1) {
    calm.push(percentile((await events(stage, kind, false)).latencies, 0.99));
    const run = await events(stage, kind, true);
    poisoned.push(percentile(run.latencies, 0.99));
    behind += run.behind;
  }
  const runs = poisoned.map((one, n) => one / calm[n]!);
  return {
    what: `one poisonous key of ${KEYS} at ${PER_SECOND} events/s (${kind}), the others' p99`,
    ours: `${ms(median(poisoned))}; ${behind} events of other keys waited`,
    beside: `without it: ${ms(median(calm))}`,
    ratio: ratio(median(runs)),
    runs,
    goal: '1.1x, 0 waited',
    met: median(runs) <= 1.1 && behind === 0,
  };
}

interface Run {
  readonly latencies: number[];
  /** Events of healthy keys that were ever queued or waiting. */
  readonly behind: number;
}

function events(stage: Stage, kind: 'kafka' | 'postgres', poisoned: boolean): Promise<Run> {
  return stage.database(async (url, admin) => {
    if (kind === 'kafka') await emptyTopics(stage.broker!.url);
    const eventLog =
      kind === 'kafka'
        ? createKafkaLog({
            url: stage.broker!.url,
            clientId: 'bench',
            log: quiet,
            groupPrefix: `${Date.now()}.`,
          })
        : createPostgresLog({ url: urlOf(url, 'banyan_log'), log: quiet });
    const committed = new Map<string, number>();
    const orders = new Map<string, string>();
    const found: number[] = [];
    let measuring = false;
    const shopStore = openStore(shop, url, () => selling.wake());
    const tillStore = openStore(till, url, () => paying.wake());
    const common = { contracts: [shop, till], eventLog, hostId: 'bench', log: quiet };
    const selling = createEventRuntime({ ...common, contract: shop, listeners: [], store: shopStore });
    const listener = on(
      shop.events.sold,
      async ({ orderId, n }, { tx, delivery }) => {
        if (poisoned && orderId === `${run}-0`) throw new Error('poison');
        orders.set(delivery.envelope.id, `${orderId}/${n}`);
        await tx.sql.query('INSERT INTO effect (id, key, n) VALUES ($1, $2, $3)', [
          delivery.envelope.id,
          orderId,
          n,
        ]);
      },
      { retry: { attempts: 4, baseMs: 200 } },
    );
    const paying = createEventRuntime({
      ...common,
      contract: till,
      listeners: [listener],
      store: tillStore,
      steps: {
        inbox(step, ids) {
          if (step !== 'after-commit') return;
          const at = performance.now();
          for (const id of ids) {
            const order = orders.get(id);
            orders.delete(id);
            if (order === undefined) continue;
            const since = committed.get(order);
            // The effect was committed before the commit's answer was here: nothing to measure but a zero.
            if (measuring) found.push(since === undefined ? 0 : at - since);
            committed.delete(order);
          }
        },
      },
    });
    // Keys of this run: the topic may hold events of another one.
    const run = Date.now().toString(36);
    await Promise.all([selling.relay.start(), paying.consumers.start()]);
    const numbers = new Map<string, number>();
    await steadily(stage.sizes.seconds, (share) => {
      measuring = share > WARM_SHARE;
      const orderId = `${run}-${Math.floor(Math.random() * KEYS)}`;
      const n = (numbers.get(orderId) ?? 0) + 1;
      numbers.set(orderId, n);
      return shopStore
        .transaction((tx) => tx.publish(shop.events.sold, { orderId, n }))
        .then(() => void committed.set(`${orderId}/${n}`, performance.now()));
    });
    await settled(admin, `${run}-0`, poisoned);
    const { rows } = await admin.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM till.event_delivery d
       WHERE key <> $1 AND (state <> 'done' OR EXISTS (SELECT FROM till.event_attempt a WHERE a.delivery_id = d.id))`,
      [`${run}-0`],
    );
    await Promise.all([selling.close(), paying.close()]);
    await eventLog.close();
    await Promise.all([shopStore.close(), tillStore.close()]);
    return { latencies: found, behind: rows[0]!.n };
  });
}

/** Everything sent has its effect, or stands behind the poison. */
async function settled(admin: Pool, poison: string, poisoned: boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const { rows } = await admin.query<{ open: number; dead: number }>(
      `SELECT (SELECT count(*) FROM shop.event_outbox)::int
         + (SELECT count(*) FROM shop.event_sent s WHERE key <> $1
            AND NOT EXISTS (SELECT FROM till.effect e WHERE e.id = s.id))::int AS open,
         (SELECT count(*) FROM till.event_delivery WHERE state = 'dead')::int AS dead`,
      [poison],
    );
    if (rows[0]!.open === 0 && (!poisoned || rows[0]!.dead > 0)) return;
    if (Date.now() > deadline) throw new Error(`events are left: ${JSON.stringify(rows[0])}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function bare(stage: Stage): Promise<number[]> {
  return stage.database(async (_, admin) => {
    await admin.query(
      'CREATE TABLE bare (n bigint PRIMARY KEY, side text); CREATE TABLE bare_effect (LIKE bare INCLUDING ALL)',
    );
    const kafka = new Kafka({
      brokers: [...parseBrokerUrl(stage.broker!.url).brokers],
      logLevel: logLevel.NOTHING,
    });
    const topic = `bare-${Date.now()}`;
    const kafkaAdmin = kafka.admin();
    await kafkaAdmin.connect();
    await kafkaAdmin.createTopics({ topics: [{ topic, numPartitions: 6 }], waitForLeaders: true });
    await kafkaAdmin.disconnect();
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    const consumer = kafka.consumer({ groupId: topic, heartbeatInterval: 500, sessionTimeout: 6_000 });
    await Promise.all([producer.connect(), consumer.connect()]);
    const began = new Map<string, number>();
    const found: number[] = [];
    let measuring = false;
    let open = 0;
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: 6,
      eachMessage: async ({ message }) => {
        const n = message.value!.toString();
        await admin.query('INSERT INTO bare_effect (n) VALUES ($1)', [n]);
        open -= 1;
        if (measuring) found.push(performance.now() - began.get(n)!);
        began.delete(n);
      },
    });
    let next = 0;
    await steadily(stage.sizes.seconds, async (share) => {
      measuring = share > WARM_SHARE;
      next += 1;
      const n = String(next);
      open += 1;
      began.set(n, performance.now());
      await admin.query('INSERT INTO bare (n) VALUES ($1)', [n]);
      await producer.send({ topic, acks: -1, messages: [{ key: `${next % KEYS}`, value: n }] });
    });
    while (open > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await consumer.disconnect();
    await producer.disconnect();
    return found;
  });
}

/** Calls `once` 500 times a second; resolves when all that it began has ended. */
async function steadily(seconds: number, once: (share: number) => Promise<unknown>): Promise<void> {
  const running = new Set<Promise<unknown>>();
  const began = performance.now();
  for (let done = 0; ; ) {
    const elapsed = performance.now() - began;
    if (elapsed > seconds * 1000) break;
    for (const due = (elapsed / 1000) * PER_SECOND; done < due; done += 1) {
      const one = once(elapsed / (seconds * 1000)).finally(() => running.delete(one));
      running.add(one);
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(running);
}
