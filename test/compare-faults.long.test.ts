// Faults on demand: a host that was made for measuring obeys whoever has an internal token, and every other host does
// not know the path.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cpuSeconds } from '../compare/measure/proc.ts';
import type { Overview } from '../src/banyan/placement/admin-contract.ts';
import { tokensAs } from '../stage/ring.ts';
import { installationOf, type StartedShop, startShop } from './start-shop.ts';

const module = 'media';

async function instanceOf(shop: StartedShop) {
  const response = await fetch(new URL('/admin/placements', shop.url), {
    headers: { authorization: `Bearer ${shop.adminToken}` },
  });
  const { modules } = (await response.json()) as Overview;
  const { pid, url } = modules.find((one) => one.module === module)!.instances[0]!;
  return { pid: pid!, url: url! };
}

async function ask(
  url: string,
  path: string,
  body: object,
  audience: string | undefined,
  shop: StartedShop,
): Promise<number> {
  const tokens = await tokensAs(installationOf(shop), 'monolith');
  const token = audience && (await tokens.mint(audience));
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { 'x-internal-token': token }) },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  return response.status;
}

describe.each([
  ['a host for measuring', { BANYAN_FAULTS: '1' }],
  ['any other host', {}],
])('%s', (_, env) => {
  const obeys = 'BANYAN_FAULTS' in env;
  let shop: StartedShop;
  beforeAll(async () => {
    shop = await startShop({ env });
    await shop.extract(module);
  });
  afterAll(() => shop?.stop());

  test('nobody without a token, and no client at the public port', async () => {
    const { url } = await instanceOf(shop);
    expect(await ask(url, '/faults/burn', { ms: 1 }, undefined, shop)).toBe(401);
    expect(await ask(url, '/faults/burn', { ms: 1 }, 'orders', shop)).toBe(401);
    expect(await ask(shop.url, '/faults/burn', { ms: 1 }, 'monolith', shop)).toBe(404);
  });

  test(obeys ? 'burns CPU when it is told to' : 'has no such path', async () => {
    const { url, pid } = await instanceOf(shop);
    const before = cpuSeconds(pid);
    expect(await ask(url, '/faults/burn', { ms: 800 }, module, shop)).toBe(obeys ? 202 : 404);
    if (!obeys) return;
    await expect.poll(() => cpuSeconds(pid) - before, { timeout: 20_000 }).toBeGreaterThan(0.3);
    expect(await ask(url, '/faults/burn', { ms: 0 }, module, shop)).toBe(422);
    expect(await ask(url, '/faults/leak', { mbPerSecond: 1, more: 1 }, module, shop)).toBe(422);
  });

  test(obeys ? 'leaks until it ends, and is started again' : 'has no such path either', async () => {
    const { url, pid } = await instanceOf(shop);
    expect(await ask(url, '/faults/leak', { mbPerSecond: 2000 }, module, shop)).toBe(obeys ? 202 : 404);
    if (!obeys) return;
    await expect.poll(async () => (await instanceOf(shop)).pid, { timeout: 60_000 }).not.toBe(pid);
  });
});
