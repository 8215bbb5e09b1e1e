// Supervision with real processes: a service that does nothing but register, follow and drain.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { identify, isAlive } from '../context/process.ts';
import {
  by,
  execute,
  startTestMonolith,
  startTestServer,
  type TestMonolith,
  type TestServer,
  testToken,
} from '../placement/fixture.ts';
import { setPlacement } from '../placement/flip.ts';
import { until } from '../placement/follower.ts';
import { scale } from '../placement/scale.ts';
import { controlSchema } from '../placement/schema.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';

const log = pino({ level: 'silent' });
const contracts = { orders: { module: 'orders', operations: {}, events: {}, errors: {} } };

// TEST_BREAK in the folder: the next processes end before they register. TEST_BUSY: they report a request.
const program = (source: string) => `
import { existsSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { createHttpFollower } from '${source}/http-follower.ts';
import { identify } from '${source}/../context/process.ts';
const { CONTROL_URL, INSTANCE_ID, FOLDER, TOKEN } = process.env;
console.log(JSON.stringify({ msg: INSTANCE_ID + ' starts' }));
if (existsSync(FOLDER + '/break')) { console.log(JSON.stringify({ msg: 'orders cannot start: no such thing' })); process.exit(3); }
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const follower = createHttpFollower({ controlUrl: CONTROL_URL, token: () => TOKEN, log, onRefused: () => process.exit(1) });
let draining = false;
process.on('SIGTERM', async () => {
  if (existsSync(FOLDER + '/stubborn')) return;
  draining = true;
  await follower.beat();
  await follower.stop();
  process.exit(0);
});
await follower.start();
const busy = () => (existsSync(FOLDER + '/busy') ? { orders: 1 } : {});
await follower.register(
  { host: randomUUID(), id: INSTANCE_ID, role: 'service', modules: ['orders'], url: 'http://127.0.0.1:' + (1024 + (process.pid % 60000)),
    doors: ['http'], process: identify(process.pid), contracts: ${JSON.stringify(contracts)} },
  () => ({ ready: true, draining, inflight: {}, busy: busy() }),
);
`;

let server: TestServer;
let url: string;
let admin: string;
let folder: string;
const opened: { stop(): Promise<void> }[] = [];
const pids = new Set<number>();

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  const database = await server.database(controlSchema());
  url = database.urlOf('banyan_control');
  admin = database.admin;
  folder = mkdtempSync(join(tmpdir(), 'banyan-supervisor-'));
  writeFileSync(join(folder, 'main.ts'), program(join(import.meta.dirname, '../placement')));
});
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.stop();
  // A test that failed half-way must leave no process either.
  for (const pid of pids) if (isOurs(pid)) process.kill(pid, 'SIGKILL');
  pids.clear();
  rmSync(folder, { recursive: true, force: true });
});

const isOurs = (pid: number) =>
  identify(pid) !== undefined && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
const flag = (name: string, on: boolean) =>
  on ? writeFileSync(join(folder, name), '') : rmSync(join(folder, name), { force: true });

async function monolith() {
  const one = await startTestMonolith(url, { contracts });
  opened.push(one);
  return one;
}

const setPlacementByHand = (module: string) =>
  execute(
    admin,
    `UPDATE banyan_control.placement SET placement = 'service', percent = 100 WHERE module = '${module}';
     UPDATE banyan_control.state SET version = version + 1`,
  );

interface Given {
  readonly graceMs?: number;
  readonly silentMs?: number;
  readonly log?: Logger;
}

function supervise(
  one: TestMonolith,
  { graceMs = 3000, silentMs = 15_000, log: telling = log }: Given = {},
): Supervisor {
  const supervisor = createSupervisor({
    host: one.host,
    store: one.store,
    follower: one.follower,
    dataDir: folder,
    log: telling,
    graceMs,
    silentMs,
    command: (module, number) => ({
      entry: join(folder, 'main.ts'),
      cwd: folder,
      env: {
        PATH: '/usr/bin:/bin',
        CONTROL_URL: one.url,
        INSTANCE_ID: `${module}-${number}`,
        FOLDER: folder,
        TOKEN: testToken('control', module),
      },
    }),
  });
  opened.push(supervisor);
  return supervisor;
}

async function supervised(): Promise<TestMonolith> {
  const one = await monolith();
  await supervise(one).start();
  return one;
}

const run = (one: TestMonolith, instances: number, timeoutMs = 15_000) =>
  scale(one.store, { module: 'orders', instances, timeoutMs, supervisor: one.host });

const serving = (one: TestMonolith) => {
  const found = one.follower.current.modules.orders!.instances.filter(({ healthy }) => healthy);
  for (const { pid } of found) pids.add(pid);
  return found.map(({ id, pid }) => ({ id, pid }));
};
const ids = (one: TestMonolith) => serving(one).map(({ id }) => id);
const becomes = (one: TestMonolith, fits: () => boolean, ms = 10_000) => until(one.follower, fits, ms);

test('as many processes as wanted, each its own; none when none is wanted', async () => {
  const one = await supervised();
  await run(one, 2);
  await one.follower.refresh();
  expect(ids(one)).toEqual(['orders-1', 'orders-2']);
  const started = serving(one);
  await run(one, 2);
  expect(serving(one)).toEqual(started);
  await run(one, 1);
  await one.follower.refresh();
  expect(serving(one)).toEqual(started.slice(0, 1));
  await run(one, 0);
  expect(started.filter(({ pid }) => identify(pid))).toEqual([]);
  expect((await one.store.read()).services).toEqual([]);
});

test('a crashed process is started again under its id, and said to be down meanwhile', async () => {
  const one = await supervised();
  await run(one, 1);
  await one.follower.refresh();
  const [first] = serving(one);
  process.kill(first!.pid, 'SIGKILL');
  expect(await becomes(one, () => ids(one).length === 0, 1500)).toBe(true);
  expect(await becomes(one, () => ids(one).length === 1)).toBe(true);
  const [second] = serving(one);
  expect(second!.id).toBe('orders-1');
  expect(second!.pid).not.toBe(first!.pid);
});

test('a process that stands still is replaced once it was silent for long enough', async () => {
  const one = await monolith();
  await supervise(one, { silentMs: 4000 }).start();
  await run(one, 1);
  await one.follower.refresh();
  const [first] = serving(one);
  process.kill(first!.pid, 'SIGSTOP');
  expect(await becomes(one, () => ids(one).length === 0, 6000)).toBe(true);
  expect(identify(first!.pid)).toBeDefined();
  expect(await becomes(one, () => ids(one).length === 1)).toBe(true);
  expect(serving(one)[0]!.pid).not.toBe(first!.pid);
  expect(identify(first!.pid)).toBeUndefined();
}, 30_000);

test('a process that cannot start is reported with its last words, and not wanted any more', async () => {
  const one = await supervised();
  flag('break', true);
  await expect(run(one, 1)).rejects.toThrow(
    /orders-1 does not start: exit code 3, orders cannot start: no such thing/,
  );
  await expect.poll(async () => (await one.store.read()).services, { timeout: 5000 }).toEqual([]);
  flag('break', false);
  await run(one, 1);
  expect(readFileSync(join(folder, 'logs/orders-1.log'), 'utf8')).toMatch(/orders-1 starts/);
});

test('what cannot be run at all is not started, is told once, and runs when it can', async () => {
  const said: string[] = [];
  const entry = join(folder, 'main.ts');
  const source = readFileSync(entry, 'utf8');
  rmSync(entry);
  const one = await monolith();
  const telling = pino({ level: 'warn' }, { write: (line: string) => void said.push(line) });
  await supervise(one, { log: telling }).start();
  await expect(run(one, 1)).rejects.toThrow(/orders-1 does not start: .*main\.ts is missing/);
  await one.store.services.want('orders', 1, one.host);
  await expect
    .poll(async () => (await one.store.read()).services[0]?.lastExit)
    .toMatch(/main\.ts is missing/);
  // Long enough for several looks.
  await expect.poll(() => until(one.follower, () => false, 2500)).toBe(false);
  expect(said.filter((line) => line.includes('is missing')).length).toBeLessThanOrEqual(2);
  expect(
    existsSync(join(folder, 'logs/orders-1.log')) && readFileSync(join(folder, 'logs/orders-1.log'), 'utf8'),
  ).toBeFalsy();
  writeFileSync(entry, source);
  await expect.poll(() => ids(one), { timeout: 10_000 }).toEqual(['orders-1']);
});

test('a placed module that nothing here can run is left to those who run it', async () => {
  const one = await monolith();
  await setPlacementByHand('orders');
  rmSync(join(folder, 'main.ts'));
  await one.follower.refresh();
  await supervise(one).start();
  expect((await one.store.read()).services).toEqual([]);
});

test('a process that somebody else started under its id is left alone', async () => {
  const other = await supervised();
  await run(other, 1);
  const [before] = serving(other);
  // As if it had been started by hand: no row looks after it.
  await execute(admin, 'DELETE FROM banyan_control.service');
  const one = await monolith();
  await supervise(one).start();
  await run(one, 1);
  expect(serving(one)).toEqual([before]);
});

test('asking again starts at once what waits after failures', async () => {
  const one = await supervised();
  await run(one, 1);
  await one.follower.refresh();
  flag('break', true);
  process.kill(serving(one)[0]!.pid, 'SIGKILL');
  await expect
    .poll(async () => (await one.store.read()).services[0]!.failures, { timeout: 10_000 })
    .toBeGreaterThan(3);
  flag('break', false);
  await run(one, 1);
  await one.follower.refresh();
  expect(ids(one)).toEqual(['orders-1']);
}, 30_000);

test('nothing is stopped while a request runs; when the time is up both sides stay', async () => {
  const one = await supervised();
  await run(one, 1);
  flag('busy', true);
  await one.follower.refresh();
  await expect.poll(async () => (await one.store.registry.load('orders')).busy, { timeout: 3000 }).toBe(1);
  await expect(run(one, 0, 500)).rejects.toMatchObject({ status: 504, body: { code: 'drain-timeout' } });
  expect(ids(one)).toEqual(['orders-1']);
  flag('busy', false);
  await run(one, 0);
});

test('the last process of a placed service is not taken away', async () => {
  const one = await supervised();
  await run(one, 1);
  await setPlacement(one.store, one.follower, 'orders', { placement: 'service' }, by('x'));
  await expect(run(one, 0)).rejects.toMatchObject({ status: 409, body: { code: 'last-instance' } });
  await run(one, 2);
  await run(one, 1);
  expect(ids(one)).toEqual(['orders-1']);
});

test('a clean stop ends every process, even one that does not listen, and leaves no pid or lock file', async () => {
  const one = await monolith();
  const supervisor = supervise(one, { graceMs: 500 });
  await supervisor.start();
  await run(one, 2);
  await one.follower.refresh();
  const started = serving(one);
  flag('stubborn', true);
  await supervisor.stop();
  expect(started.filter(({ pid }) => identify(pid))).toEqual([]);
  expect(
    readdirSync(folder, { recursive: true }).filter((name) => /\.(pid|lock)$/.test(String(name))),
  ).toEqual([]);
});

test('a stop in the moment in which a process was started ends that one, too', async () => {
  const one = await monolith();
  const { services } = one.store;
  const [begun, told] = [Promise.withResolvers<number>(), Promise.withResolvers<void>()];
  const started: typeof services.started = async (module, number, process) => {
    begun.resolve(process.pid);
    await told.promise;
    await services.started(module, number, process);
  };
  const supervisor = supervise({ ...one, store: { ...one.store, services: { ...services, started } } });
  await supervisor.start();
  await services.want('orders', 1, one.host);
  const pid = await begun.promise;
  pids.add(pid);
  const stopped = supervisor.stop();
  await expect.poll(() => identify(pid), { timeout: 10_000 }).toBeUndefined();
  told.resolve();
  await stopped;
});

test('what is placed as a service is up again before the next monolith says that it started', async () => {
  const first = await monolith();
  const supervisor = supervise(first);
  await supervisor.start();
  await run(first, 2);
  await setPlacement(first.store, first.follower, 'orders', { placement: 'service' }, by('x'));
  await supervisor.stop();
  await first.stop();
  const second = await supervised();
  expect(ids(second)).toEqual(['orders-1', 'orders-2']);
});

test('a placement that nobody serves and nobody wants processes for gets one', async () => {
  const one = await monolith();
  await execute(admin, "UPDATE banyan_control.placement SET placement = 'service'");
  await execute(admin, 'UPDATE banyan_control.state SET version = version + 1');
  await one.follower.refresh();
  await supervise(one).start();
  expect(ids(one)).toEqual(['orders-1']);
});

test('after a kill the next monolith replaces what was left, and never a stranger with that pid', async () => {
  const dead = await monolith();
  const abandoned = createAbandoned(dead);
  await abandoned.start();
  await run(dead, 2);
  await dead.follower.refresh();
  const left = serving(dead);
  await setPlacement(dead.store, dead.follower, 'orders', { placement: 'service' }, by('x'));
  await dead.kill();
  await dead.store.registry.markGone([dead.host]);
  // Number 2's process is gone and its pid is ours now, as after a long time.
  process.kill(left[1]!.pid, 'SIGKILL');
  await dead.store.services.started('orders', 2, { ...identify(process.pid)!, started: '1' });
  await dead.follower.stop();
  const next = await supervised();
  expect(ids(next)).toEqual(['orders-1', 'orders-2']);
  expect(serving(next).map(({ pid }) => pid)).not.toContain(left[0]!.pid);
  // Only of the one that nobody told to go it is known that it ended.
  const { rows } = await next.store.sql.query<{ id: string }>('SELECT DISTINCT id FROM ended');
  expect(rows.map(({ id }) => id)).toEqual(['orders-2']);
  expect(identify(left[0]!.pid)).toBeUndefined();
  expect(isAlive(identify(process.pid)!)).toBe(true);
});

/** A supervisor whose monolith is about to be killed: it never looks at its children again. */
function createAbandoned(one: TestMonolith): Supervisor {
  const supervisor = supervise(one);
  opened.splice(opened.indexOf(supervisor), 1);
  return supervisor;
}

test('a monolith that stops hands over to another, without a moment without a process', async () => {
  const first = await monolith();
  const leaving = supervise(first);
  await leaving.start();
  await run(first, 1);
  await setPlacement(first.store, first.follower, 'orders', { placement: 'service' }, by('x'));
  const second = await supervised();
  const before = serving(second);
  const served: number[] = [];
  const stop = second.follower.subscribe(() => served.push(ids(second).length));
  await leaving.stop();
  await first.stop();
  await second.follower.refresh();
  stop();
  expect(before).toHaveLength(1);
  expect(identify(before[0]!.pid)).toBeUndefined();
  expect(served).not.toContain(0);
  expect(ids(second)).toEqual(['orders-1']);
  expect(serving(second)[0]!.pid).not.toBe(before[0]!.pid);
});

test('two monoliths ask and supervise at once: ids stay unique and each process has one supervisor', async () => {
  const [one, two] = [await supervised(), await supervised()];
  await Promise.all([run(one, 2), run(two, 3)]);
  await run(two, 3);
  await one.follower.refresh();
  expect(ids(one)).toEqual(['orders-1', 'orders-2', 'orders-3']);
  const { services } = await one.store.read();
  expect(services.map(({ pid }) => pid)).toEqual(serving(one).map(({ pid }) => pid));
  await run(one, 0);
  expect(services.filter(({ pid }) => identify(pid!))).toEqual([]);
  expect(existsSync(join(folder, 'logs/orders-3.log'))).toBe(true);
}, 30_000);
