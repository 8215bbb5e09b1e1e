// A module whose store is made on an embedded server of its own: by the first start, found by each one after it, also after a
// kill, at the same port; a clean stop leaves no process of either.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { placeCluster } from '../../src/banyan/postgres/cluster-place.ts';
import { passwordIn } from '../../src/banyan/postgres/embedded-files.ts';
import { findPostmaster } from '../../src/banyan/postgres/postmaster.ts';
import { query } from '../../src/banyan/postgres/testing.ts';
import { readInstanceFile } from '../../src/banyan/supervisor/instance-file.ts';
import { type Launched, launch } from '../../stage/launch.ts';
import { eventually } from '../shop.ts';

const ADMIN_TOKEN = 'the-token-of-this-test-which-is-long-enough';
let dataDir: string;
let host: Launched;
let said = '';

beforeAll(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'banyan-own-'));
});
afterAll(async () => {
  await host?.end();
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(STORES: string): Promise<void> {
  const env = { NODE_ENV: 'test', PORT: '0', DATA_DIR: dataDir, ADMIN_TOKEN, STORES };
  const onOutput = (text: string) => {
    said += text;
  };
  host = await launch({ env, onOutput }).up();
  expect(readInstanceFile(dataDir)?.url).toBe(host.url);
}
const ask = async (path: string) => {
  const response = await fetch(new URL(path, host.url), {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  return (await response.json()) as { items: Record<string, unknown>[]; status: string };
};
const runs = (folder: string) => {
  const { cluster } = placeCluster(folder, passwordIn(folder));
  return findPostmaster(cluster);
};
const own = () => runs(join(dataDir, 'stores', 'orders'));
const tables = async (folder: string) => {
  const { port } = runs(folder)!;
  const url = `postgres://postgres:${passwordIn(folder)}@127.0.0.1:${port}/banyan`;
  return (await query(url, `SELECT FROM pg_tables WHERE schemaname = 'orders'`)).length;
};

test('is made there, found again after a kill and after a stop, and nothing is left', {
  timeout: 120_000,
}, async () => {
  await start('orders=own');
  const where = async () => (await ask('/admin/stores')).items.find(({ module }) => module === 'orders');
  expect(await where()).toMatchObject({ server: 'own', epoch: 1, state: 'single' });
  expect([await tables(dataDir), (await tables(join(dataDir, 'stores', 'orders'))) > 0]).toEqual([0, true]);
  const { port, pid } = own()!;

  await host.kill();
  await start('orders=own');
  await eventually(async () => expect((await ask('/health/ready')).status).toBe('ready'));
  // Adopted: it went on while its host was gone.
  expect(own()).toMatchObject({ port, pid });

  await host.end();
  expect([own(), runs(dataDir)]).toEqual([undefined, undefined]);
  said = '';
  await start('orders=shared');
  expect(said).toContain(
    'STORES has orders=shared, and the store of orders is on the server own, where it stays',
  );
  expect(await where()).toMatchObject({ server: 'own', epoch: 1 });
  expect(own()).toMatchObject({ port });
  await host.end();
  expect([own(), runs(dataDir)]).toEqual([undefined, undefined]);
});
