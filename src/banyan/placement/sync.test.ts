// Services that follow over HTTP: registration, acknowledgement, and what holds while monoliths come and go.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { identify } from '../context/process.ts';
import { closed, defineContract, operation } from '../contract/contract.ts';
import { Type } from '../contract/type.ts';
import type { Placements } from '../routing/snapshot.ts';
import { canonicalContract } from './canonical.ts';
import {
  by,
  execute,
  startTestMonolith,
  startTestServer,
  type TestMonolith,
  type TestServer,
  testToken,
} from './fixture.ts';
import { setPlacement } from './flip.ts';
import { until } from './follower.ts';
import type { HostReport, Registration } from './host.ts';
import { createHttpFollower } from './http-follower.ts';
import { keptOut } from './kept-out.ts';
import { forkTestMonolith } from './monolith.fixture.ts';
import { controlSchema } from './schema.ts';
import { SYNC_PATH, type SyncAnswer } from './sync.ts';
import { Refused } from './sync-client.ts';

const log = pino({ level: 'silent' });
const jwks = { keys: [{ kty: 'OKP', kid: 'one' }] };
const idle: HostReport = { ready: true, draining: false, inflight: {}, busy: {} };

const show = operation({
  summary: 'Show',
  access: 'public',
  input: closed({ id: Type.String() }),
  output: Type.Object({ id: Type.String() }),
  idempotent: true,
});
const contractOf = (operations: Record<string, typeof show>) =>
  canonicalContract(defineContract('orders', { summary: 'Orders', operations }));
const contracts = { orders: contractOf({ show }) };

let server: TestServer;
let url: string;
const opened: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  url = (await server.database(controlSchema())).urlOf('banyan_control');
});
afterEach(async () => {
  server.thaw();
  for (const one of opened.splice(0).reverse()) await one.stop();
});

async function monolith(): Promise<TestMonolith> {
  const one = await startTestMonolith(url, { contracts, sessionKeys: jwks.keys });
  opened.push(one);
  return one;
}

let port = 10_000;
const nextPort = () => {
  port += 1;
  return port;
};
function registration(id: string, own: Partial<Registration> = {}): Registration {
  return {
    host: randomUUID(),
    id,
    role: 'service',
    modules: ['orders'],
    url: `http://127.0.0.1:${nextPort()}`,
    doors: ['ws', 'http'],
    process: identify(process.pid)!,
    contracts,
    ...own,
  };
}

function follow(controlUrl: string, token = testToken('control')) {
  const refusals: Error[] = [];
  const follower = createHttpFollower({
    controlUrl,
    token: () => token,
    log,
    onRefused: (refusal) => refusals.push(refusal),
    startMs: 3000,
  });
  opened.push(follower);
  return Object.assign(follower, { refusals });
}

async function service(one: TestMonolith, id = 'orders-1') {
  const follower = follow(one.url);
  await follower.start();
  await follower.register(registration(id), () => idle);
  return follower;
}

const instancesOf = (placements: Placements) =>
  placements.current.modules.orders!.instances.map(({ id, healthy }) => `${id} ${healthy}`);
const isService = (placements: Placements) => placements.current.modules.orders!.placement === 'service';

test('a service registers, learns everything it needs, and acknowledges a flip', async () => {
  const one = await monolith();
  const orders = await service(one);
  expect(orders.current).toMatchObject({
    jwks,
    monoliths: [{ id: 'monolith', url: one.url, healthy: true }],
  });
  expect(instancesOf(orders)).toEqual(['orders-1 true']);
  const started = performance.now();
  const flip = await setPlacement(one.store, one.follower, 'orders', { placement: 'service' }, by('x'));
  expect(flip).toEqual({ outcome: 'changed', lagging: [] });
  expect(performance.now() - started).toBeLessThan(1000);
  expect(isService(orders)).toBe(true);
});

test('a share is told to whoever has the word for it; to one of the version before the module is in-process', async () => {
  const one = await monolith();
  const orders = await service(one);
  const flip = await setPlacement(
    one.store,
    one.follower,
    'orders',
    { placement: 'canary', percent: 10 },
    by('x'),
  );
  expect(flip).toEqual({ outcome: 'changed', lagging: [] });
  expect(orders.current.modules.orders).toMatchObject({ placement: 'canary', percent: 10 });
  const said = { tag: '', waitMs: 0, register: registration('orders-2') };
  const response = await fetch(`${one.url}${SYNC_PATH}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testToken('control')}` },
    body: JSON.stringify(said),
  });
  const { snapshot } = (await response.json()) as SyncAnswer;
  expect(snapshot!.modules.orders).toMatchObject({ placement: 'in-process', percent: 0 });
  expect(snapshot!.modules.orders!.instances.map(({ id }) => id)).toEqual(['orders-1', 'orders-2']);
  const { hosts } = await one.store.read();
  expect(hosts.map(({ id, speaks }) => [id, speaks.includes('canary')])).toEqual([
    ['monolith', true],
    ['orders-1', true],
    ['orders-2', false],
  ]);
});

test('a session that was ended is known to a service within a second', async () => {
  const orders = await service(await monolith());
  const started = performance.now();
  await execute(url, `SELECT banyan_control.revoke_sessions('{ended}', now() + interval '1 hour')`);
  expect(await until(orders, ({ revokedSessions }) => revokedSessions?.ended === 1, 1000)).toBe(true);
  expect(performance.now() - started).toBeLessThan(1000);
});

test('flips at one monolith are applied by services that follow the other', async () => {
  const [one, two] = [await monolith(), await monolith()];
  const [first, second] = [await service(one, 'orders-1'), await service(two, 'orders-2')];
  for (let n = 0; n < 10; n++) {
    const at = n % 2 ? one : two;
    const flip = await setPlacement(
      at.store,
      at.follower,
      'orders',
      { placement: n % 2 ? 'in-process' : 'service' },
      by('x'),
    );
    expect(flip.lagging).toEqual([]);
    expect([first, second, one.follower, two.follower].map(isService)).toEqual(Array(4).fill(n % 2 === 0));
  }
});

test('what a service reports is told at once: not ready, and gone', async () => {
  const one = await monolith();
  const orders = follow(one.url);
  let ready = false;
  await orders.start();
  await orders.register(registration('orders-1'), () => ({ ...idle, ready }));
  expect(instancesOf(one.follower)).toEqual(['orders-1 false']);
  ready = true;
  await orders.beat();
  expect(await until(one.follower, () => instancesOf(one.follower)[0] === 'orders-1 true', 500)).toBe(true);
  await orders.stop();
  expect(await until(one.follower, () => instancesOf(one.follower).length === 0, 500)).toBe(true);
});

test('what a service says beside its report is not stored: nothing is held out by it', async () => {
  const one = await monolith();
  const orders = follow(one.url);
  await orders.start();
  await orders.register(
    registration('orders-1'),
    () => ({ ...idle, held: { monolith: { reason: 'because', since: 'now' } } }) as never,
  );
  await orders.beat();
  const { hosts } = await one.store.read();
  expect(hosts.find(({ id }) => id === 'orders-1')!.held).toEqual({});
});

test('a service whose monolith died goes on with another, and keeps what it knows meanwhile', async () => {
  const [one, two] = [await monolith(), await monolith()];
  const orders = await service(one);
  await one.kill();
  expect(orders.current.monoliths).toHaveLength(2);
  const flip = await setPlacement(two.store, two.follower, 'orders', { placement: 'service' }, by('x'));
  expect(flip.outcome).toBe('changed');
  expect(await until(orders, () => isService(orders), 5000)).toBe(true);
  expect(instancesOf(two.follower)).toEqual(['orders-1 true']);
});

test('a service whose monolith is frozen gives it up a second after the answer was due, and goes on with another', async () => {
  const one = await monolith();
  const frozen = await forkTestMonolith(url, contracts);
  opened.push(frozen);
  const orders = follow(frozen.url);
  await orders.start();
  await orders.register(registration('orders-1'), () => idle);
  expect(await until(orders, ({ monoliths }) => monoliths.length === 2, 3000)).toBe(true);
  frozen.signal('SIGSTOP');
  const began = performance.now();
  await setPlacement(one.store, one.follower, 'orders', { placement: 'service' }, by('x'));
  expect(await until(orders, () => isService(orders), 10_000)).toBe(true);
  // It may wait 1 s for news; 1 s later it asks the next monolith.
  expect(performance.now() - began).toBeLessThan(4000);
  expect(instancesOf(one.follower)).toEqual(['orders-1 true']);
});

test('a contract that breaks callers is refused with its paths; one that only adds is accepted and noted', async () => {
  const one = await monolith();
  const breaking = { orders: contractOf({ list: show }) };
  const refused = follow(one.url);
  await refused.start();
  const next = { contracts: breaking, release: '1.5.0' };
  const attempt = refused.register(registration('orders-1', next), () => idle);
  await expect(attempt).rejects.toThrow(Refused);
  await expect(attempt).rejects.toThrow(/breaks[\s\S]*\/orders\/operations\/show: the operation is missing/);
  expect(instancesOf(one.follower)).toEqual([]);
  // Whoever asks for that release is told why it is not there.
  expect(await keptOut(one.store.sql, 'orders', '1.5.0')).toEqual({
    ...{ id: 'orders-1', release: '1.5.0' },
    differences: [{ path: '/orders/operations/show', message: 'the operation is missing' }],
  });
  const adding = { orders: contractOf({ show, list: show }) };
  const accepted = follow(one.url);
  await accepted.start();
  await accepted.register(registration('orders-1', { contracts: adding, release: '1.5.0' }), () => idle);
  expect(one.follower.current.modules.orders!.instances).toMatchObject([{ release: '1.5.0' }]);
  expect(await keptOut(one.store.sql, 'orders', '1.5.0')).toBeUndefined();
  const [host] = (await one.store.read()).hosts.filter(({ role }) => role === 'service');
  expect(host!.differences).toEqual([
    { module: 'orders', path: '/operations/list', message: 'the operation is new' },
  ]);
});

test('of a contract that breaks everything the first differences are named, and the others counted', async () => {
  const name = (n: number) => `show-${'abcdefghijklmnopqrst'[n]}`;
  const ours = contractOf(Object.fromEntries(Array.from({ length: 20 }, (_, n) => [name(n), show])));
  const one = await startTestMonolith(url, { contracts: { orders: ours }, sessionKeys: jwks.keys });
  opened.push(one);
  const elsewhere = { ...ours.operations[name(0)]!, http: { method: 'GET', path: `/${'long'.repeat(500)}` } };
  const register = registration('orders-1', {
    contracts: { orders: { ...ours, operations: { [name(0)]: elsewhere } } },
  });
  const answer = await fetch(`${one.url}${SYNC_PATH}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testToken('control')}` },
    body: JSON.stringify({ tag: '', waitMs: 0, register }),
  });
  expect(answer.status).toBe(409);
  const { errors } = (await answer.json()) as { errors: { path: string; message: string }[] };
  const [long, ...rest] = errors;
  expect(long!.path).toBe('/orders/operations/show-a/http');
  expect(long!.message.length).toBe(300);
  expect(rest).toEqual([
    ...Array.from({ length: 7 }, (_, n) => ({
      path: `/orders/operations/${name(n + 1)}`,
      message: 'the operation is missing',
    })),
    { path: '/orders', message: 'and 12 more' },
  ]);
});

test('an id that a live process has is refused after its predecessor had time to be found dead', async () => {
  const one = await monolith();
  await service(one);
  const second = follow(one.url);
  await second.start();
  await expect(second.register(registration('orders-1'), () => idle)).rejects.toThrow(
    /is taken by the process/,
  );
}, 15_000);

test('a wrong key is said at once', async () => {
  const one = await monolith();
  await expect(follow(one.url, 'forged').start()).rejects.toThrow(/must know the key of this host/);
});

test('a control that is not there is given up', async () => {
  const one = await monolith();
  await one.kill();
  await expect(follow(one.url).start()).rejects.toThrow(/ECONNREFUSED/);
});

test('a service that is not registered yet waits for news instead of asking without end', async () => {
  const one = await monolith();
  let asked = 0;
  const token = () => {
    asked += 1;
    return testToken('control');
  };
  const orders = createHttpFollower({ controlUrl: one.url, token, log, onRefused: () => {} });
  opened.push(orders);
  await orders.start();
  await until(orders, () => false, 300);
  expect(asked).toBeLessThan(5);
});
