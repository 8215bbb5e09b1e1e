// During an upgrade hosts of the version before still run: under INTERNAL_KEY_LEGACY=1 their tokens, made of the key that
// all hosts shared, are taken, and they get such that they can take. Without it they are refused (upgrade.long.test.ts).
import { afterAll, beforeAll, expect, test } from 'vitest';
import { notifications } from '../../src/modules/notifications/contract.ts';
import { eventually } from '../shop.ts';
import { OlderService } from './older-service.ts';
import { releases } from './recording.ts';
import { controlOf, type Restored, startOver } from './restored.ts';

let shop: Restored;
let older: OlderService;

beforeAll(async () => {
  shop = await startOver('2d7eef6', { INTERNAL_KEY_LEGACY: '1' });
  older = new OlderService(notifications, await controlOf(shop), shop.internalKey);
}, 120_000);
afterAll(async () => {
  await older?.close();
  await shop?.stop();
});

const call = (method: string, path: string, token: string, body?: object) =>
  fetch(new URL(path, shop.host.url), {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });

test('a service of the version before registers, serves what clients ask, and calls others', async () => {
  expect(releases).toContain('2d7eef6');
  expect(await older.register()).toBe(200);
  const placed = await call('PUT', '/admin/placements/notifications', shop.adminToken, {
    placement: 'service',
  });
  expect(await placed.json()).toMatchObject({ module: 'notifications' });
  const customer = shop.recording.customers.find(({ revoked }) => !revoked)!;
  await eventually(async () => {
    const response = await call('GET', '/api/notifications', shop.tokens.get(customer.id)!);
    expect([response.status, response.headers.get('x-served-by')]).toEqual([200, older.id]);
  });
  expect(new Set(older.callers)).toContain('monolith');
  expect(await older.call('monolith', 'users', 'getUser', { userId: customer.id })).toBe(200);
});
