// Which ends of a process are written down: those that nobody had told to go, whoever finds out.
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
