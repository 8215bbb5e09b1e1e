// Another product stands on the library: started by its own file, from its own folders, on embedded defaults; a module of
// it is extracted while it runs, and restored.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Launched, launch } from '../stage/launch.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'carrier-'));
let host: Launched;

const ask = async (method: string, path: string, body?: unknown, token?: string) => {
  const answer = await fetch(new URL(path, host.url), {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const servedBy = answer.headers.get('x-served-by');
  return { status: answer.status, servedBy, body: (await answer.json()) as Record<string, unknown> };
};

const operate = (path: string, body: unknown) =>
  ask('PUT', path, body, readFileSync(join(dataDir, 'admin-token'), 'utf8').trim());

/** Looks until the count is there: an event is on its way. */
const waitingAt = async (depot: string, parcels: number) => {
  await expect
    .poll(async () => (await ask('GET', `/api/depots/${depot}`)).body.parcels, {
      timeout: 20_000,
      interval: 50,
    })
    .toBe(parcels);
};

beforeAll(async () => {
  host = await launch({ entry: 'test/another-product/main.ts', env: { PORT: '0', DATA_DIR: dataDir } }).up();
}, 90_000);

afterAll(async () => {
  await host?.end();
  rmSync(dataDir, { recursive: true, force: true });
}, 60_000);

test('it greets, documents and answers under its own name, and nothing of the shop is in it', async () => {
  await expect.poll(() => host.output()).toMatch(/Carrier is up at http/);
  const { body } = await ask('GET', '/openapi.json');
  expect(body.info).toMatchObject({ title: 'Carrier', version: '2.0.0' });
  expect(
    Object.keys(body.paths as object)
      .filter((path) => path.startsWith('/api/'))
      .sort(),
  ).toEqual(['/api/depots/{name}', '/api/events', '/api/parcels', '/api/parcels/{id}']);
  expect(JSON.stringify(body)).not.toMatch(/\b(users|orders|catalog|payments|notifications)\b/);
});

test('a module of it moves out and back; its setting, its rows and its events go with it', async () => {
  const sent = await ask('POST', '/api/parcels', { depot: 'Rome' });
  expect(sent).toMatchObject({
    status: 201,
    servedBy: 'monolith',
    body: { archive: `file://${dataDir}/archive` },
  });
  await waitingAt('Rome', 1);

  expect((await operate('/admin/services/parcels', { instances: 1 })).status).toBe(200);
  expect((await operate('/admin/placements/parcels', { placement: 'service' })).status).toBe(200);
  expect(await ask('GET', `/api/parcels/${sent.body.id}`)).toMatchObject({
    status: 200,
    servedBy: 'parcels-1',
    body: sent.body,
  });
  expect(await ask('POST', '/api/parcels', { depot: 'Rome' })).toMatchObject({
    status: 201,
    servedBy: 'parcels-1',
  });
  await waitingAt('Rome', 2);

  expect((await operate('/admin/placements/parcels', { placement: 'in-process' })).status).toBe(200);
  expect((await operate('/admin/services/parcels', { instances: 0 })).status).toBe(200);
  expect(await ask('POST', '/api/parcels', { depot: 'Rome' })).toMatchObject({
    status: 201,
    servedBy: 'monolith',
  });
  await waitingAt('Rome', 3);
});
