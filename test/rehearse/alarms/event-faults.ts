// Events and sagas that do not go on: poison, a key whose predecessor is missing, a relay without a holder, an order that stands
// still, a broker that is gone, a batch that nobody can read.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { damageSegment } from '../../../src/banyan/events/testing/segment.ts';
import { createKafkaLog } from '../../../src/banyan/log/kafka/log.ts';
import type { Fault } from './fault.ts';
import { type AlarmShop, signal } from './stage.ts';

const TOPIC = 'orders.events';
const TYPE = 'orders.order-placed.v1';

const headersOf = (id: string, key: string) => ({
  ...{ ce_specversion: '1.0', ce_id: id, ce_source: '/modules/orders', ce_type: TYPE, ce_subject: key },
  ...{ ce_time: new Date().toISOString(), ce_correlationid: id },
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
});

/** An event as a consumer's inbox takes it, with data that it cannot handle. */
async function taken(
  { database }: AlarmShop,
  key: string,
  sequence: number | null,
  state: string,
): Promise<string> {
  const id = randomUUID();
  await database.query(
    `SELECT catalog.event_take($1::uuid, $2, $3, $4, $5, now(), $6::json, convert_to('{"lines":7}', 'UTF8'), $7,
       CASE WHEN $7 = 'done' THEN NULL ELSE 'poison' END, true, 1, interval '0')`,
    [id, TOPIC, key, sequence, TYPE, JSON.stringify(headersOf(id, key)), state],
  );
  return id;
}

export const poison: Fault = {
  name: 'poison',
  part: "a consumer's listener that fails",
  struck: 'an event that no attempt handles, with a key that waits behind it; dropped',
  alarms: [
    { alarm: 'BanyanDeadLetters', labels: { module: 'catalog' } },
    { alarm: 'BanyanKeysHeld', labels: { module: 'catalog' } },
  ],
  // Eight attempts, where it is one that is tried again.
  slowMs: 30_000,
  async strike(shop) {
    const id = await taken(shop, randomUUID(), null, 'waiting');
    return () => shop.admin('POST', `/admin/events/dead/${id}/drop`, { why: 'a rehearsal' });
  },
};

export const keyWaits: Fault = {
  name: 'key',
  part: 'a key that waits for an event that does not come',
  struck: 'its third event without the second, as if five minutes ago; then without it',
  alarms: [{ alarm: 'BanyanDeliveriesWait', labels: { module: 'catalog', state: 'early' } }],
  async strike(shop) {
    const key = randomUUID();
    await taken(shop, key, 1, 'done');
    const id = await taken(shop, key, 3, 'done');
    const { database } = shop;
    await database.query(
      `UPDATE catalog.event_delivery SET received_at = received_at - interval '5 minutes' WHERE id = $1`,
      [id],
    );
    return async () => {
      await database.query('DELETE FROM catalog.event_delivery WHERE id = $1', [id]);
    };
  },
};

export const relayMissing: Fault = {
  name: 'relay',
  part: "a relay's host, frozen, and nobody who takes its lease",
  struck: 'the row of the lease locked',
  alarms: [
    { alarm: 'BanyanRelayMissing', labels: { module: 'orders' } },
    { alarm: 'BanyanEventsLate', labels: { module: 'orders' } },
  ],
  alone: true,
  // The lease is over after 4 s; an event is late after a minute.
  slowMs: 70_000,
  async strike({ database }) {
    const locker = new pg.Client({ connectionString: database.url });
    locker.on('error', () => {});
    await locker.connect();
    await locker.query(`BEGIN; UPDATE orders.event_lease SET expires_at = expires_at WHERE name = 'relay'`);
    return async () => {
      await locker.query('ROLLBACK');
      await locker.end();
    };
  },
};

export const orderStuck: Fault = {
  name: 'saga',
  part: 'an order that waits past its deadline',
  struck: 'an order whose step nobody is to take, past its deadline; then asked again',
  alarms: [{ alarm: 'BanyanSagasStuck', labels: { module: 'orders' } }],
  async strike({ admin, order, database }) {
    await admin('PUT', '/admin/saga', { style: 'orchestration' });
    const { body } = await order();
    await admin('PUT', '/admin/saga', { style: 'choreography' });
    const path = async () =>
      (await database.query<{ path: string }>('SELECT path FROM orders.sagas WHERE id = $1', [body.id]))[0]
        ?.path;
    while ((await path()) !== 'done') await new Promise((resolve) => setTimeout(resolve, 100));
    await database.query(
      `UPDATE orders.sagas SET path = 'forward', step = 'sell-stock', due_at = NULL, awaits = false, trouble = 'struck',
         deadline_at = now() - interval '1 minute', updated_at = now() - interval '2 minutes' WHERE id = $1`,
      [body.id],
    );
    return () => admin('POST', `/admin/saga/${body.id}/retry`);
  },
};

export const brokerGone: Fault = {
  name: 'broker',
  part: 'Kafka',
  struck: 'SIGKILL, and started again',
  alarms: [
    { alarm: 'BanyanLogUnreachable', labels: { module: 'payments' } },
    { alarm: 'BanyanEventsLate', labels: { module: 'orders' } },
  ],
  needs: ['kafka'],
  alone: true,
  slowMs: 90_000,
  // Three seconds are what a scrape waits for it.
  mostScale: 2,
  async strike({ broker }) {
    await broker!.kill();
    return () => broker!.start();
  },
};

export const batchUnreadable: Fault = {
  name: 'batch',
  part: 'a batch in Kafka that cannot be read',
  struck: 'a bit of it turned while no consumer was there; put back',
  alarms: [{ alarm: 'BanyanPartitionParked', labels: { topic: TOPIC } }],
  needs: ['kafka'],
  alone: true,
  slowMs: 30_000,
  async strike(shop) {
    const { broker, monolith } = shop;
    signal(monolith.pid!, 'SIGKILL');
    const log = createKafkaLog({
      url: broker!.url,
      clientId: 'rehearsal',
      log: pino({ level: 'silent' }),
      groupPrefix: 'banyan.',
    });
    const id = randomUUID();
    await log.append(TOPIC, [{ key: id, headers: headersOf(id, id), value: '{}' }]);
    let mend = async () => {};
    for await (const one of log.read(TOPIC))
      if (one.headers.ce_id === id)
        mend = await damageSegment(broker!, TOPIC, one.partition, one.offset, 'flipped byte');
    await log.close();
    await shop.start();
    return mend;
  },
};
