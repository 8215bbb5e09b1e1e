// Which ends of a process are written down: those that nobody had told to go, whoever finds out; and how, where its supervisor saw it.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endsIn } from './ended.ts';
import { startTestServer, type TestServer } from './fixture.ts';
import type { HostReport } from './host.ts';
import { controlSchema } from './schema.ts';
import { type ControlStore, createControlStore } from './store.ts';

const idle: HostReport = { ready: true, draining: false, inflight: {}, busy: {} };
let server: TestServer;
let store: ControlStore;

beforeAll(async () => {
  server = await startTestServer();
  const { urlOf } = await server.database(controlSchema());
  store = createControlStore({ url: urlOf('banyan_control'), log: pino({ level: 'silent' }) });
});
afterAll(async () => {
  await store?.close();
  await server?.stop();
});

async function register(id: string, url = `http://${id}`): Promise<string> {
  const host = randomUUID();
  const process = { machine: 'another one', pid: 1, started: host };
  const role = id === 'monolith' ? 'monolith' : 'service';
  await store.registry.register(
    { host, id, role, modules: ['parcels'], url, doors: ['ws'], process, contracts: {} },
    idle,
  );
  return host;
}

const ended = async () =>
  (await store.sql.query<{ id: string }>('SELECT id FROM ended ORDER BY at, id')).rows.map(({ id }) => id);

test('a process that was found dead, and one whose successor was there first, are written down once', async () => {
  const first = await register('parcels-1');
  const second = await register('parcels-2');
  await store.registry.markGone([first]);
  await store.registry.markGone([first]);
  await store.sql.query(`UPDATE host SET heartbeat_at = now() - interval '1 min' WHERE host = $1`, [second]);
  await register('parcels-1');
  await register('parcels-2');
  expect(await ended()).toEqual(['parcels-1', 'parcels-2']);
});

test('who drains, was taken out of rotation, is replaced, leaves by itself or is no service is not', async () => {
  await store.sql.query('DELETE FROM ended');
  const [drains, retires, goes, offered] = [
    await register('parcels-3'),
    await register('parcels-4'),
    await register('parcels-5'),
    await register('parcels-6'),
  ];
  await store.registry.beat({ ...idle, host: drains, appliedVersion: 0, draining: true });
  await store.registry.retire(retires, true);
  await store.registry.offer(offered);
  await store.registry.leave(goes);
  const ends = await register('parcels-7');
  await store.registry.ending({ machine: 'another one', pid: 1, started: ends });
  await store.registry.markGone([drains, retires, offered, await register('monolith'), ends]);
  expect(await ended()).toEqual([]);
});

test('how it ended is said by whoever saw it, also after another one found it gone; history has it with the module', async () => {
  await store.sql.query('DELETE FROM ended');
  const [seen, found, mute] = [
    await register('parcels-8'),
    await register('parcels-9'),
    await register('parcels-10'),
  ];
  const of = (started: string) => ({ machine: 'another one', pid: 1, started });
  await store.registry.markProcessGone(of(seen), 'ended by SIGKILL');
  await store.registry.markGone([found]);
  await store.registry.markProcessGone(of(found), 'exit code 1, no such host');
  await store.registry.markGone([mute], [mute]);
  const ends = await endsIn(store.sql, { module: 'parcels' });
  expect(ends.map(({ at: _, ...end }) => end)).toEqual([
    { module: 'parcels', id: 'parcels-10', how: null, silent: true },
    { module: 'parcels', id: 'parcels-9', how: 'exit code 1, no such host', silent: false },
    { module: 'parcels', id: 'parcels-8', how: 'ended by SIGKILL', silent: false },
  ]);
  expect(await endsIn(store.sql, { module: 'depots' })).toEqual([]);
  expect(await endsIn(store.sql, { until: '2000-01-01T00:00:00.000Z' })).toEqual([]);
});
