// Who is believed to be dead, and how long a dead service stays listed. The clock of this process is the test's own;
// silence is by the clock of the database, where the test says when a host was last heard of.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestServer, type TestServer } from './fixture.ts';
import type { HostReport } from './host.ts';
import { controlSchema } from './schema.ts';
import { type ControlStore, createControlStore } from './store.ts';
import { createSweep, type Sweep } from './sweep.ts';

const log = pino({ level: 'silent' });
const idle: HostReport = { ready: true, draining: false, inflight: {}, busy: {} };
let server: TestServer;
let store: ControlStore;
let self: string;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const { urlOf } = await server.database(controlSchema());
  store = createControlStore({ url: urlOf('banyan_control'), log });
  self = await register('monolith');
});
afterEach(async () => {
  vi.useRealTimers();
  await store.close();
});

/** A process of another machine: nobody here can see whether it runs. */
async function register(id: string): Promise<string> {
  const host = randomUUID();
  const role = id === 'monolith' ? 'monolith' : 'service';
  const process = { machine: 'another one', pid: 1, started: 'then' };
  await store.registry.register(
    { host, id, role, modules: ['orders'], url: `http://${id}`, doors: ['ws'], process, contracts: {} },
    idle,
  );
  return host;
}

const heardOf = (host: string, secondsAgo: number) =>
  store.sql.query(`UPDATE host SET heartbeat_at = now() - $2 * interval '1 s' WHERE host = $1`, [
    host,
    secondsAgo,
  ]);

/** Heartbeats of this process that come through, one a second. */
async function beat(sweep: Sweep, seconds: number): Promise<void> {
  for (let n = 0; n < seconds; n += 1) {
    vi.advanceTimersByTime(1_000);
    await sweep.succeeded(self);
  }
}

const listed = async () =>
  (await store.read()).hosts.filter(({ role }) => role === 'service').map(({ id, live }) => `${id} ${live}`);

test('after a pause of this process everybody looks silent, and nobody is buried', async () => {
  const orders = await register('orders-1');
  const sweep = createSweep(store, log);
  await beat(sweep, 5);
  // Nobody said anything while this process, or its machine, stood still.
  vi.advanceTimersByTime(60_000);
  await heardOf(orders, 10);
  await sweep.succeeded(self);
  await beat(sweep, 3);
  expect(await listed()).toEqual(['orders-1 true']);
  await heardOf(orders, 0);
  await beat(sweep, 5);
  expect(await listed()).toEqual(['orders-1 true']);
});

test('so it is after heartbeats that the store did not take', async () => {
  await heardOf(await register('orders-1'), 10);
  const sweep = createSweep(store, log);
  await beat(sweep, 2);
  sweep.failed();
  await beat(sweep, 3);
  expect(await listed()).toEqual(['orders-1 true']);
});

test('who is silent still when this process has been heard of for longer than that is dead', async () => {
  await heardOf(await register('orders-1'), 10);
  const sweep = createSweep(store, log);
  await beat(sweep, 4);
  expect(await listed()).toEqual(['orders-1 true']);
  await beat(sweep, 1);
  expect(await listed()).toEqual(['orders-1 false']);
});

test('a dead service stays listed for a minute, and until the next host is buried', async () => {
  const [first, second, third] = [
    await register('orders-1'),
    await register('orders-2'),
    await register('orders-3'),
  ];
  await heardOf(first, 50);
  await store.registry.markGone([first]);
  await store.registry.markGone([second]);
  expect(await listed()).toEqual(['orders-1 false', 'orders-2 false', 'orders-3 true']);
  await heardOf(first, 70);
  expect(await listed()).toEqual(['orders-1 false', 'orders-2 false', 'orders-3 true']);
  await store.registry.markGone([third]);
  expect(await listed()).toEqual(['orders-2 false', 'orders-3 false']);
});
