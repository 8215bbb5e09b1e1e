// /admin on a port of its own: there and nowhere else, found by the command line, ended with the host.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { banyanWith } from './operators-cli.ts';
import { clientOf, type Shop } from './shop.ts';
import { startShop } from './start-shop.ts';

let shop: Shop;
let adminUrl: string;

beforeAll(async () => {
  shop = clientOf(await startShop({ env: { ADMIN_PORT: '0', CONSOLE: '/ops/console' } }));
  ({ adminUrl } = JSON.parse(readFileSync(join(shop.dataDir, 'instance.json'), 'utf8')));
});
afterAll(() => shop?.started.stop());

const at = async (url: string, path: string, method = 'GET') => {
  const headers = { authorization: `Bearer ${shop.adminToken}` };
  const response = await fetch(new URL(path, url), { method, headers });
  return { status: response.status, body: await response.text() };
};

test('answers there, is found nowhere else, and nothing else answers there', async () => {
  expect(new URL(adminUrl).hostname).toBe('127.0.0.1');
  for (const path of ['/admin/placements', '/admin/saga', '/admin/events', '/admin/operators']) {
    expect((await at(adminUrl, path)).status, path).toBe(200);
    expect((await at(shop.url, path)).status, path).toBe(404);
  }
  for (const [path, method] of [
    ['/admin/placements', 'DELETE'],
    ['/admin/placements/orders', 'PUT'],
    ['/%61dmin/placements', 'GET'],
    ['/admin', 'GET'],
    ['/admin/nothing', 'OPTIONS'],
  ] as const)
    expect(await at(shop.url, path, method), `${method} ${path}`).toMatchObject({
      status: 404,
      body: expect.stringContaining('Nothing answers at this path'),
    });
  for (const path of ['/api/catalog/products', '/openapi.json', '/docs', '/administration'])
    expect((await at(adminUrl, path)).status, path).toBe(404);
  expect((await at(shop.url, '/api/catalog/products')).status).toBe(200);
  for (const url of [shop.url, adminUrl]) expect((await at(url, '/health/ready')).status).toBe(200);
});

test('the console is where /admin is', async () => {
  expect((await at(adminUrl, '/ops/console')).status).toBe(200);
  expect((await at(adminUrl, '/ops/console/api/picture')).status).toBe(401);
  for (const path of ['/ops/console', '/ops/console/dead', '/ops/console/api/picture', '/ops/c%6fnsole'])
    expect((await at(shop.url, path)).status, path).toBe(404);
  const headers = { accept: 'text/html' };
  const home = await fetch(shop.url, { headers, redirect: 'manual' });
  expect(home.headers.get('location')).toBe('/docs');
});

test('is the same with the module elsewhere', async () => {
  const env = { DATA_DIR: shop.dataDir, BANYAN_TOKEN: shop.adminToken };
  expect(await banyanWith(env, 'extract', 'orders')).toMatchObject({ exit: 0 });
  expect((await at(adminUrl, '/admin/saga')).status).toBe(200);
  expect((await at(shop.url, '/admin/saga')).status).toBe(404);
  const misled = await banyanWith({ BANYAN_URL: shop.url, BANYAN_TOKEN: shop.adminToken }, 'status');
  expect(misled.err).toMatch(/ADMIN_PORT.*set BANYAN_URL to that one/);
});

test('closes with the host', async () => {
  await shop.started.host.end();
  await expect(at(adminUrl, '/admin/placements')).rejects.toThrow();
});
