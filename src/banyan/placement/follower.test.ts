// Placement control against a real PostgreSQL: who sees a change, who acknowledges it, and what holds while
// a part of it is frozen or down.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { identify } from '../context/process.ts';
import { createDatabaseFollower, type DatabaseFollower } from './database-follower.ts';
import { IdTaken, TooMany } from './entry.ts';
import { by, execute, startTestServer, type TestServer } from './fixture.ts';
import { awaitApplied, awaitDrained, setPlacement } from './flip.ts';
import { until } from './follower.ts';
import type { HostReport, Registration } from './host.ts';
import { controlSchema } from './schema.ts';
import { type ControlStore, createControlStore } from './store.ts';

const log = pino({ level: 'silent' });
let server: TestServer;
let admin: string;
let urlOf: (role: string) => string;
let store: ControlStore;
const opened: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  // The schema of a module, for its role alone.
  const users = { schema: 'users', role: 'banyan_users', ddl: '' };
  ({ admin, urlOf } = await server.database(controlSchema(['users']), users));
  store = openStore();
  await store.flags.seed(['orders', 'users'], { users: { placement: 'in-process' } });
});
afterEach(async () => {
  server.thaw();
  for (const one of opened.splice(0).reverse()) await one.stop();
});

function openStore(): ControlStore {
  const store = createControlStore({ url: urlOf('banyan_control'), log });
  opened.push({ stop: () => store.close() });
  return store;
}

const idle: HostReport = { ready: true, draining: false, inflight: {}, busy: {} };

function registration(id: string, own: Partial<Registration> = {}): Registration {
  return {
    host: randomUUID(),
    id,
    role: id === 'monolith' ? 'monolith' : 'service',
    modules: id === 'monolith' ? ['orders', 'users'] : [id.replace(/-\d+$/, '')],
    url: `http://127.0.0.1/${id}/${randomUUID()}`,
    doors: ['ws', 'http'],
    process: identify(process.pid)!,
    contracts: {},
    ...own,
  };
}

async function follow(polls = true): Promise<DatabaseFollower> {
  const follower = createDatabaseFollower({ store, log, polls });
  await follower.start();
  opened.push(follower);
  return follower;
}

async function monolith(polls = true): Promise<DatabaseFollower> {
  const follower = await follow(polls);
  await follower.register(registration('monolith'), () => idle);
  return follower;
}

/** A service as far as the store can see: a row that beats when told to. */
async function instance(id: string, report: HostReport = idle) {
  const self = registration(id);
  await store.registry.register(self, report);
  return {
    self,
    beat: async (appliedVersion: number, said: Partial<HostReport> = {}) => {
      await store.registry.beat({ ...report, ...said, host: self.host, appliedVersion });
    },
  };
}

const placementOf = (follower: DatabaseFollower, module = 'orders') =>
  follower.current.modules[module]?.placement;

describe('a flip', () => {
  test('is seen by every monolith when it answers, and written down', async () => {
    const one = await monolith();
    const two = await monolith();
    const orders = await instance('orders-1');
    void until(one, ({ modules }) => modules.orders?.placement === 'service', 2000).then(() =>
      orders.beat(one.current.version),
    );
    const flip = await setPlacement(store, one, 'orders', { placement: 'service' }, by('somebody'));
    expect(flip).toEqual({ outcome: 'changed', lagging: [] });
    expect([placementOf(one), placementOf(two)]).toEqual(['service', 'service']);
    expect(one.current.version).toBe(two.current.version);
    expect(one.current.modules.orders).toMatchObject({ percent: 100, changedBy: 'somebody' });
    const [change, first] = await store.flags.history({ module: 'orders', limit: 20 });
    expect(change).toMatchObject({
      from: 'in-process',
      to: 'service',
      by: 'somebody',
      actor: 'operator',
      version: one.current.version,
    });
    expect(first).toMatchObject({ from: null, to: 'in-process', by: 'default' });
  });

  test('names the host that did not apply it, after 2 s', async () => {
    const one = await monolith();
    await instance('orders-1');
    const started = performance.now();
    const flip = await setPlacement(store, one, 'orders', { placement: 'service' }, by('somebody'));
    expect(flip.lagging).toEqual(['orders-1']);
    expect(performance.now() - started).toBeGreaterThan(1500);
    expect(performance.now() - started).toBeLessThan(2800);
  });

  test('is refused without a healthy instance, and for a module that nobody knows', async () => {
    const one = await monolith();
    expect((await setPlacement(store, one, 'orders', { placement: 'service' }, by('x'))).outcome).toBe(
      'no-healthy-instance',
    );
    await instance('orders-1', { ...idle, ready: false });
    expect((await setPlacement(store, one, 'orders', { placement: 'service' }, by('x'))).outcome).toBe(
      'no-healthy-instance',
    );
    expect((await setPlacement(store, one, 'garden', { placement: 'service' }, by('x'))).outcome).toBe(
      'unknown-module',
    );
    expect(placementOf(one)).toBe('in-process');
    expect(await store.flags.history({ module: 'orders', limit: 20 })).toHaveLength(1);
  });

  test('to where it is already changes nothing', async () => {
    const one = await monolith();
    const { version } = await store.read();
    expect(await setPlacement(store, one, 'orders', { placement: 'in-process' }, by('x'))).toEqual({
      outcome: 'same',
      lagging: [],
    });
    expect((await store.read()).version).toBe(version);
  });

  test('of two at once each gets a version of its own, and all hosts end alike', async () => {
    const [one, two] = [await monolith(), await monolith()];
    const orders = await instance('orders-1');
    opened.push({ stop: async () => stopBeating() });
    const stopBeating = one.subscribe(({ version }) => void orders.beat(version));
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        setPlacement(
          store,
          n % 2 ? one : two,
          'orders',
          { placement: n % 3 ? 'service' : 'in-process' },
          by(`flip ${n}`),
        ),
      ),
    );
    const audit = await store.flags.history({ module: 'orders', limit: 100 });
    const versions = audit.map(({ version }) => version);
    expect(new Set(versions).size).toBe(versions.length);
    audit.slice(0, -1).forEach((change, n) => {
      expect(change.from).toBe(audit[n + 1]!.to);
    });
    expect(placementOf(one)).toBe(placementOf(two));
    expect(placementOf(one)).toBe(audit[0]!.to);
  });
});

describe('a drain', () => {
  test('is over when no host has a request to the service side and no instance serves one', async () => {
    const one = await monolith();
    const orders = await instance('orders-1');
    await store.services.want('orders', 1, null);
    await store.services.started('orders', 1, orders.self.process);
    const { version } = await one.refresh();
    await orders.beat(version, { busy: { orders: 2 } });
    expect(await awaitDrained(store, 'orders', version, 100)).toMatchObject({ drained: false, busy: 2 });
    await orders.beat(version);
    expect(await awaitDrained(store, 'orders', version, 2000)).toMatchObject({ drained: true });
  });

  test('counts requests that a monolith sent and has no answer to', async () => {
    let inflight = 1;
    const one = await follow();
    await one.register(registration('monolith'), () => ({ ...idle, inflight: { orders: inflight } }));
    const drain = awaitDrained(store, 'orders', one.current.version, 5000);
    expect(await awaitDrained(store, 'orders', one.current.version, 50)).toMatchObject({ inflight: 1 });
    inflight = 0;
    expect((await drain).drained).toBe(true);
  });
});

describe('what a service says holds up', () => {
  const lags = async (id: string, of?: string[]) => {
    const { version } = await store.read();
    return (await awaitApplied(store, version, 50, of)).includes(id);
  };

  test('no decision but on the modules that it runs or calls', async () => {
    await instance('orders-1');
    await execute(admin, `INSERT INTO banyan_control.module (name, uses) VALUES ('orders', '{users}')`);
    expect(await Promise.all([['orders'], ['users'], ['media']].map((of) => lags('orders-1', of)))).toEqual([
      true,
      true,
      false,
    ]);
    expect(await lags('orders-1')).toBe(true);
  });

  test('a drain for a part of its time, and the very process that is to be stopped, and monoliths, all of it', async () => {
    const one = await monolith();
    const { version } = one.current;
    const said = { busy: { orders: 3 }, inflight: { orders: 2 } };
    await (await instance('orders-99')).beat(0, said);
    const passedOver = { drained: true, passedOver: ['orders-99'] };
    expect(await awaitDrained(store, 'orders', version, 50)).toMatchObject({ ...passedOver, busy: 0 });
    const began = performance.now();
    expect(await awaitDrained(store, 'orders', version, 600)).toMatchObject(passedOver);
    expect(performance.now() - began).toBeGreaterThan(290);
    const kept = await instance('orders-1');
    await kept.beat(version, { busy: { orders: 1 } });
    await store.services.want('orders', 1, null);
    await store.services.started('orders', 1, kept.self.process);
    expect(await awaitDrained(store, 'orders', version, 50)).toMatchObject({ drained: false, busy: 1 });
    await kept.beat(version);
    expect(await awaitDrained(store, 'orders', version, 50)).toMatchObject(passedOver);
    await (await follow()).register(registration('monolith', { id: 'monolith-2' }), () => ({
      ...idle,
      inflight: { orders: 1 },
    }));
    expect(await awaitDrained(store, 'orders', one.current.version, 50)).toMatchObject({ inflight: 1 });
  });
});

describe('the registry', () => {
  test('takes 64 of one name, and whom a monolith wants; the silent make room', async () => {
    const some = (from: number, count: number) =>
      Promise.all(Array.from({ length: count }, (_, n) => instance(`orders-${from + n}`)));
    await some(1, 63);
    const [last] = await some(64, 1);
    await expect(instance('orders-65')).rejects.toThrow(/64 processes of orders are registered/);
    await last!.beat(0);
    await instance('users-1');
    await store.services.want('orders', 1, null);
    await execute(admin, `UPDATE banyan_control.service SET number = 65`);
    await instance('orders-65');
    await expect(instance('orders-66')).rejects.toThrow(TooMany);
    await execute(admin, `UPDATE banyan_control.host SET live = false WHERE id = 'orders-7'`);
    await instance('orders-66');
  });

  test('gives an id to one live process, and to the next when that one drains or its address is taken', async () => {
    const { self } = await instance('orders-1');
    await expect(instance('orders-1')).rejects.toThrow(IdTaken);
    await expect(instance('orders-1')).rejects.toThrow(/pid|process \d+ at http.*INSTANCE_ID/);
    await store.registry.register(registration('orders-1', { url: self.url }), idle);
    const draining = await instance('orders-2');
    await draining.beat(0, { draining: true });
    await instance('orders-2');
    const follower = await follow();
    expect(follower.current.modules.orders!.instances.map(({ id, healthy }) => [id, healthy])).toEqual([
      ['orders-1', true],
      ['orders-2', true],
    ]);
  });

  test('shows an instance whose process is gone as not healthy, without waiting for its silence', async () => {
    const one = await monolith();
    const gone = { ...identify(process.pid)!, started: '1' };
    await store.registry.register(registration('orders-1', { process: gone }), idle);
    const buried = await until(one, ({ modules }) => modules.orders!.instances[0]?.healthy === false, 3000);
    expect(buried).toBe(true);
  });

  test('forgets a monolith that stopped, and takes a host back that was thought dead', async () => {
    const one = await monolith();
    const two = await monolith();
    await one.refresh();
    expect(one.current.monoliths).toHaveLength(2);
    await two.stop();
    await one.refresh();
    expect(one.current.monoliths).toHaveLength(1);
    await store.registry.markGone([one.current.monoliths[0]!.host]);
    await one.refresh();
    expect(one.current.monoliths).toHaveLength(1);
  });
});

describe('while the store is down', () => {
  test('the last picture holds, nothing throws, and the next change is seen when it is back', async () => {
    const one = await monolith();
    const before = one.current;
    server.freeze();
    expect(await one.refresh()).toBe(before);
    await expect.poll(() => one.connected, { timeout: 6000 }).toBe(false);
    await expect(setPlacement(store, one, 'orders', { placement: 'service' }, by('x'))).rejects.toThrow();
    server.thaw();
    await instance('orders-1');
    expect(await until(one, ({ modules }) => modules.orders!.instances.length === 1, 10_000)).toBe(true);
    expect(one.current.monoliths[0]!.healthy).toBe(true);
  }, 20_000);

  test('a notification that was lost is made up for by looking', async () => {
    const one = await monolith();
    await execute(admin, 'UPDATE banyan_control.placement SET changed_by = $$nobody told$$');
    await execute(admin, 'UPDATE banyan_control.state SET version = version + 1');
    expect(await until(one, ({ modules }) => modules.orders!.changedBy === 'nobody told', 3000)).toBe(true);
  });
});

test('a module may revoke sessions and nothing else', async () => {
  const one = await monolith();
  const users = urlOf('banyan_users');
  const id = randomUUID();
  await execute(users, `SELECT banyan_control.revoke('${id}', 3)`);
  await execute(users, `SELECT banyan_control.revoke('${id}', 2)`);
  expect(await until(one, ({ revoked }) => revoked[id] === 3, 2000)).toBe(true);
  const inAnHour = `now() + interval '1 hour'`;
  await execute(users, `SELECT banyan_control.revoke_sessions('{one,other,one}', ${inAnHour})`);
  await execute(users, `SELECT banyan_control.revoke_sessions('{one}', ${inAnHour})`);
  expect(await until(one, ({ revokedSessions }) => 'other' in revokedSessions!, 2000)).toBe(true);
  expect(one.current.revokedSessions).toEqual({ one: 1, other: 1 });
  await execute(admin, `UPDATE banyan_control.revoked_session SET until = now() - interval '1 hour'`);
  await execute(users, `SELECT banyan_control.revoke_sessions('{third}', ${inAnHour})`);
  expect(await until(one, ({ revokedSessions }) => 'third' in revokedSessions!, 2000)).toBe(true);
  expect(one.current.revokedSessions).toEqual({ third: 1 });
  // Every host is sent all of them: no role may make them more than it can hold.
  const many = `ARRAY(SELECT n::text FROM generate_series(1, 1001) n)`;
  await expect(execute(users, `SELECT banyan_control.revoke_sessions(${many}, ${inAnHour})`)).rejects.toThrow(
    'more sessions are revoked than hosts keep in mind',
  );
  await execute(
    admin,
    `INSERT INTO banyan_control.revoked (user_id, epoch) SELECT gen_random_uuid(), 2 FROM generate_series(1, 100001)`,
  );
  await expect(execute(users, `SELECT banyan_control.revoke('${randomUUID()}', 3)`)).rejects.toThrow(
    'more sessions are revoked than hosts keep in mind',
  );
  await expect(execute(users, 'SELECT * FROM banyan_control.placement')).rejects.toThrow(/permission denied/);
});
