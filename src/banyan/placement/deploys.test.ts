// A release beside the one before as control has it: what is stored and what is refused, in words; who cannot tell releases
// apart; and what was kept out.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { firstOperator } from '../context/principal.ts';
import { identify } from '../context/process.ts';
import type { ProblemBody } from '../contract/problem.ts';
import { createDatabaseFollower, type DatabaseFollower } from './database-follower.ts';
import { deployHandlers } from './deploy-admin.ts';
import { by, execute, startTestServer, type TestServer } from './fixture.ts';
import type { Registration } from './host.ts';
import { noteKeptOut } from './kept-out.ts';
import { snapshotOf } from './picture.ts';
import { controlSchema } from './schema.ts';
import { type ControlStore, createControlStore } from './store.ts';
import { inItsWords, SPOKEN } from './words.ts';

const log = pino({ level: 'silent' });
const idle = { ready: true, draining: false, inflight: {}, busy: {} };
const BEFORE_RELEASES = SPOKEN.filter((word) => word !== 'releases');
let server: TestServer;
let admin: string;
let store: ControlStore;
let follower: DatabaseFollower;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  const database = await server.database(controlSchema());
  admin = database.admin;
  store = createControlStore({ url: database.urlOf('banyan_control'), log });
  await store.flags.seed(['orders', 'users'], {});
  follower = createDatabaseFollower({ store, log, polls: false });
  await follower.start();
});
afterEach(async () => {
  await follower.stop();
  await store.close();
});

/** A host as far as the store can see. */
async function host(id: string, own: Partial<Registration> = {}): Promise<string> {
  const self: Registration = {
    host: randomUUID(),
    id,
    role: 'service',
    modules: [id.replace(/-\d+$/, '')],
    url: `http://127.0.0.1/${id}`,
    doors: ['ws', 'http'],
    process: identify(process.pid)!,
    contracts: {},
    speaks: SPOKEN,
    ...own,
  };
  await store.registry.register(self, idle);
  // No flip waits for it.
  await store.registry.beat({ ...idle, host: self.host, appliedVersion: 1000, speaks: own.speaks });
  return self.host;
}

const call = { principal: firstOperator } as never as { change?: unknown };
const refusedAs = ({ body }: { body: ProblemBody }) => body;
const deploy = (release: string | undefined, percent?: number, probe?: never) =>
  (
    deployHandlers({ store, follower, probe }).deploy(
      { module: 'orders', release, percent } as never,
      call as never,
    ) as Promise<Record<string, unknown>>
  ).catch(refusedAs) as Promise<Record<string, never>>;
const end = () =>
  (
    deployHandlers({ store, follower }).end({ module: 'orders' }, call as never) as Promise<
      Record<string, unknown>
    >
  ).catch(refusedAs) as Promise<Record<string, never>>;
const look = async () => snapshotOf(await store.read()).modules.orders!;

const old = () => host('orders-1', { release: '1.4.0' });
const fresh = () => host('orders-2', { release: '1.5.0' });

describe('a release', () => {
  test('stands beside with none of the keys, gets a share, all, and goes back; each is in the history', async () => {
    await old();
    const first = await deploy('1.5.0');
    expect(first).toMatchObject({ deploy: { release: '1.5.0', percent: 0, before: ['1.4.0'] } });
    expect(first.note).toMatch(/^No instance of 1.5.0 is there yet/);
    await fresh();
    expect((await look()).instances.map(({ id, release }) => [id, release])).toEqual([
      ['orders-1', '1.4.0'],
      ['orders-2', '1.5.0'],
    ]);
    for (const percent of [10, 100, 0]) {
      expect(await deploy(undefined, percent)).toMatchObject({ deploy: { release: '1.5.0', percent } });
      expect(follower.current.modules.orders!.deploy).toEqual({
        release: '1.5.0',
        percent,
        before: ['1.4.0'],
      });
    }
    expect(call.change).toMatchObject({ before: { percent: 100 }, after: { percent: 0 } });
    const reasons = (await store.flags.history({ module: 'orders', limit: 4 })).map(({ reason }) => reason);
    expect(reasons).toEqual([0, 100, 10, 0].map((percent) => `release 1.5.0 gets ${percent} % of the keys`));
  });

  test('said again changes nothing, and keeps its share', async () => {
    await old();
    await fresh();
    await deploy('1.5.0', 10);
    const { version } = await store.read();
    expect(await deploy('1.5.0')).toMatchObject({ deploy: { percent: 10 } });
    expect((await store.read()).version).toBe(version);
  });

  test('follows one that has all: whoever registers next stands beside it', async () => {
    await old();
    await fresh();
    await deploy('1.5.0', 100);
    await host('orders-3', { release: '1.6.0' });
    expect(await deploy('1.6.0')).toMatchObject({
      deploy: { release: '1.6.0', percent: 0, before: ['1.5.0'] },
    });
  });

  test('follows one that went back: those of before serve on', async () => {
    await old();
    await fresh();
    await deploy('1.5.0', 10);
    await deploy(undefined, 0);
    await host('orders-3', { release: '1.6.0' });
    expect(await deploy('1.6.0', 50)).toMatchObject({ deploy: { release: '1.6.0', before: ['1.4.0'] } });
  });

  test('is over when a person says so, and no two releases are there', async () => {
    await old();
    const newer = await fresh();
    await deploy('1.5.0', 100);
    const refused = await end();
    expect(refused).toMatchObject({ status: 409, code: 'several-releases' });
    expect(refused.detail).toContain('orders-1 (1.4.0), orders-2 (1.5.0) would all serve at once');
    await execute(admin, `UPDATE banyan_control.host SET live = false WHERE host <> '${newer}'`);
    expect(await end()).not.toHaveProperty('deploy');
    expect((await look()).deploy).toBeUndefined();
    // And again.
    expect(await end()).not.toHaveProperty('deploy');
    expect((await store.flags.history({ limit: 1 }))[0]).toMatchObject({
      reason: 'the deploy of 1.5.0 is over',
    });
  });
});

describe('refused, with what is there', () => {
  test('without a healthy instance of it', async () => {
    await old();
    const refused = await deploy('1.5.0', 10);
    expect(refused).toMatchObject({ status: 409, code: 'no-healthy-instance' });
    expect(refused.detail).toMatch(/Start one with RELEASE=1\.5\.0; there are: 1\.4\.0\.$/);
    const newer = await fresh();
    await execute(admin, `UPDATE banyan_control.host SET ready = false WHERE host = '${newer}'`);
    expect((await deploy('1.5.0', 10)).detail).toContain('orders-2 is not healthy');
    expect((await look()).deploy).toBeUndefined();
  });

  test('where it was kept out: with the paths that break', async () => {
    await old();
    const paths = [{ path: '/orders/operations/show/input/id', message: 'is required now' }];
    await noteKeptOut(store.sql, { id: 'orders-2', release: '1.5.0' }, paths);
    const refused = await deploy('1.5.0', 10);
    expect(refused).toMatchObject({ status: 409, code: 'contract-incompatible', errors: paths });
    expect(refused.detail).toContain('orders-2 came as 1.5.0 of orders and was kept out');
    // Of another one nothing is known.
    expect(await deploy('1.6.0', 10)).toMatchObject({ code: 'no-healthy-instance' });
  });

  test('where no instance of it lets this monolith in', async () => {
    await old();
    await fresh();
    const asked: string[] = [];
    const probe = async ({ id }: { id: string }) => {
      asked.push(id);
      return { status: 401, refusal: `${id} does not know the key` };
    };
    expect(await deploy('1.5.0', 10, probe as never)).toMatchObject({
      status: 409,
      code: 'instance-refuses',
    });
    expect(asked).toEqual(['orders-2']);
  });

  test('while another one has a share', async () => {
    await old();
    await fresh();
    await host('orders-3', { release: '1.6.0' });
    await deploy('1.5.0', 10);
    const refused = await deploy('1.6.0');
    expect(refused).toMatchObject({ status: 409, code: 'deploy-running' });
    expect(refused.detail).toContain('1.5.0 of orders gets 10 % of the keys');
  });

  test('back to nobody', async () => {
    const before = await old();
    await fresh();
    await deploy('1.5.0', 100);
    await execute(admin, `UPDATE banyan_control.host SET live = false WHERE host = '${before}'`);
    const refused = await deploy(undefined, 0);
    expect(refused).toMatchObject({ status: 409, code: 'no-healthy-instance' });
    expect(refused.detail).toContain('Nobody but 1.5.0 is there');
  });

  test('of no module, and where none is deployed', async () => {
    expect(await deploy(undefined, 10)).toMatchObject({ status: 409, code: 'none-deployed' });
    const unknown = deployHandlers({ store, follower }).deploy(
      { module: 'garden', release: '1' },
      call as never,
    );
    expect(await (unknown as Promise<never>).catch(refusedAs)).toMatchObject({ code: 'module-unknown' });
  });
});

describe('a host of the version before', () => {
  beforeEach(async () => {
    await old();
    await fresh();
    await execute(
      admin,
      `INSERT INTO banyan_control.module (name, uses) VALUES ('users', '{orders}'), ('media', '{}')`,
    );
  });

  test('that chooses among the instances is named; others may be of any version', async () => {
    await host('media-1', { speaks: BEFORE_RELEASES });
    await host('orders-3', { speaks: undefined });
    expect(await deploy('1.5.0', 10)).toHaveProperty('deploy');
    await host('users-1', { speaks: BEFORE_RELEASES });
    await host('gateway', { role: 'gateway', modules: [], speaks: BEFORE_RELEASES });
    const refused = await deploy(undefined, 20);
    expect(refused).toMatchObject({ status: 409, code: 'host-too-old' });
    expect(refused.detail).toMatch(
      /^gateway, users-1 are of a version that cannot tell releases of orders apart/,
    );
    expect(await look()).toMatchObject({ deploy: { percent: 10 } });
  });

  test('that comes later is shown the instances of one release alone', async () => {
    const shown = async (percent: number) => {
      await deploy('1.5.0', percent);
      const whole = snapshotOf(await store.read());
      expect(inItsWords(whole, SPOKEN)).toBe(whole);
      const { instances, ...rest } = inItsWords(whole, BEFORE_RELEASES).modules.orders!;
      expect(rest).not.toHaveProperty('deploy');
      return instances.map(({ id }) => id);
    };
    expect(await shown(10)).toEqual(['orders-1']);
    expect(await shown(100)).toEqual(['orders-2']);
    await execute(admin, `UPDATE banyan_control.host SET ready = false WHERE id = 'orders-2'`);
    expect(await shown(100)).toContain('orders-1');
  });
});

test('a placement is moved and shown as before, whatever is deployed', async () => {
  await old();
  await fresh();
  await deploy('1.5.0', 10);
  expect((await deploy('1.5.0')).note).toMatch(/serves in-process/);
  await store.flags.place('orders', { placement: 'service' }, by('ada'));
  expect(await deploy('1.5.0')).not.toHaveProperty('note');
  expect(await look()).toMatchObject({ placement: 'service', deploy: { percent: 10 } });
});
