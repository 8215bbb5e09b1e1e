// An outage of the store that is longer than the silence after which a host counts as dead. That nothing
// happens can only be seen by waiting, so this takes a quarter of a minute.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { identify } from '../context/process.ts';
import type { Placements } from '../routing/snapshot.ts';
import { startTestMonolith, startTestServer, testToken } from './fixture.ts';
import { until } from './follower.ts';
import { createHttpFollower } from './http-follower.ts';
import { controlSchema, LIVE_MS } from './schema.ts';

const contracts = { orders: { module: 'orders', operations: {}, events: {}, errors: {} } };

test('an outage of the store buries nobody, neither while it lasts nor when it is over', async () => {
  const server = await startTestServer();
  const { urlOf } = await server.database(controlSchema());
  const one = await startTestMonolith(urlOf('banyan_control'), { contracts });
  const orders = createHttpFollower({
    controlUrl: one.url,
    token: () => testToken('control'),
    log: pino({ level: 'silent' }),
    onRefused: (refusal) => expect.unreachable(refusal.message),
  });
  try {
    await orders.start();
    await orders.register(
      {
        ...{
          host: randomUUID(),
          id: 'orders-1',
          role: 'service',
          modules: ['orders'],
          url: 'http://127.0.0.1:1',
        },
        ...{ doors: ['http'], process: identify(process.pid)!, contracts },
      },
      () => ({ ready: true, draining: false, inflight: {}, busy: {} }),
    );
    expect(instancesOf(orders)).toEqual(['orders-1 true']);
    server.freeze();
    await until(one.follower, () => false, LIVE_MS + 1000);
    expect(instancesOf(orders)).toEqual(['orders-1 true']);
    server.thaw();
    await expect.poll(() => one.follower.connected, { timeout: 10_000 }).toBe(true);
    const seen: string[] = [];
    const stop = one.follower.subscribe(() => seen.push(...instancesOf(one.follower)));
    await until(one.follower, () => false, LIVE_MS + 1000);
    stop();
    expect(seen.filter((instance) => instance !== 'orders-1 true')).toEqual([]);
  } finally {
    server.thaw();
    await orders.stop();
    await one.stop();
    await server.stop();
  }
}, 60_000);

const instancesOf = (placements: Placements) =>
  placements.current.modules.orders!.instances.map(({ id, healthy }) => `${id} ${healthy}`);
