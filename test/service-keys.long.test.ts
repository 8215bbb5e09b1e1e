// A key pair per service, in a shop that runs: who holds one speaks as that service and as nobody else, keys are issued
// and end, and those of the services that run are replaced under load without a request that fails.
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createInternalTokens } from '../src/banyan/identity/internal-token.ts';
import type { NamedKey } from '../src/banyan/identity/keys.ts';
import { createLegacyTokens } from '../src/banyan/identity/legacy-token.ts';
import { canonicalContract } from '../src/banyan/placement/canonical.ts';
import type { Snapshot } from '../src/banyan/routing/snapshot.ts';
import { catalog } from '../src/modules/catalog/contract.ts';
import { media } from '../src/modules/media/contract.ts';
import { tokensAs } from '../stage/ring.ts';
import { overview, place } from './flip-modules.ts';
import { clientOf, eventually, type Shop } from './shop.ts';
import { installationOf, startShop } from './start-shop.ts';

let shop: Shop;
let control: string;
beforeAll(async () => {
  shop = clientOf(await startShop());
  control = /INTERNAL_PORT is open at (http:\S+?)"/.exec(shop.started.output())![1]!;
});
afterAll(() => shop?.started.stop());

const admin = (method: string, path: string, body?: object) =>
  shop.call(method, path, { token: shop.adminToken, ...(body && { body }) });

interface Synced {
  readonly known: boolean;
  readonly snapshot: Snapshot;
}

async function sync(token: string, body: object) {
  const response = await fetch(`${control}/control/sync`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ tag: '', waitMs: 0, ...body }),
  });
  return { status: response.status, body: (await response.json()) as Synced };
}

const contracts = { media: canonicalContract(media), catalog: canonicalContract(catalog) };
const registration = (id: string, own: object = {}) => {
  const module = id.replace(/-\d+$/, '');
  const at = { role: 'service', modules: [module], url: 'http://127.0.0.1:9', doors: ['http'] };
  return { host: randomUUID(), id, ...at, contracts, ...own };
};
const idle = { appliedVersion: 0, ready: true, draining: false, inflight: {}, busy: {} };

describe('who has the key of media', () => {
  let token: string;
  beforeAll(async () => {
    token = (await (await tokensAs(installationOf(shop.started), 'media')).mint('control')) as string;
  });
  const refused = async (body: object, reason: string) =>
    expect(await sync(token, body)).toMatchObject({ status: 403, body: { reason } });

  test('registers in its own name, with its own modules, where services may be', async () => {
    await refused({ register: registration('catalog-7') }, 'not-yours');
    await refused({ register: registration('monolith-7') }, 'not-yours');
    await refused({ register: registration('media-7', { modules: ['media', 'catalog'] }) }, 'not-yours');
    for (const url of ['http://169.254.169.254', 'http://10.0.0.1:4000', 'http://somewhere:4000'])
      await refused({ register: registration('media-7', { url }) }, 'address-refused');
    const path = await sync(token, { register: registration('media-7', { url: 'http://127.0.0.1:9/x' }) });
    expect(path).toMatchObject({ status: 422, body: { errors: [{ path: '/register/url' }] } });
    const mine = registration('media-7');
    expect((await sync(token, { register: mine })).body.known).toBe(true);
    expect((await sync(token, { leave: mine.host })).status).toBe(200);
    expect((await overview(shop, 'media')).instances).toEqual([]);
  });

  test('neither beats, leaves nor registers as the host of another', async () => {
    await shop.started.extract('catalog');
    const { body } = await sync(token, {});
    const host = body.snapshot.modules.catalog!.instances[0]!.host;
    await refused({ beat: { ...idle, host, draining: true } }, 'not-yours');
    await refused({ leave: host }, 'not-yours');
    await refused({ register: registration('media-7', { host }) }, 'not-yours');
    const monolith = body.snapshot.monoliths[0]!.host;
    await refused({ beat: { ...idle, host: monolith, ready: false } }, 'not-yours');
    await refused({ leave: monolith }, 'not-yours');
    expect((await overview(shop, 'catalog')).instances).toMatchObject([{ id: 'catalog-1', healthy: true }]);
    await shop.started.restore('catalog');
  });

  test('holds up nobody’s drain by what it says that it has under way', async () => {
    const mine = registration('media-8');
    const counts = { inflight: { catalog: 1000 }, busy: { catalog: 1000 } };
    await sync(token, { register: mine, beat: { ...idle, ...counts, host: mine.host } });
    await shop.started.extract('catalog');
    await sync(token, { beat: { ...idle, ...counts, host: mine.host } });
    await shop.started.restore('catalog');
    await sync(token, { leave: mine.host });
  });

  test('is in the security log by its name', async () => {
    await eventually(() => {
      const lines = readFileSync(join(shop.dataDir, 'security.jsonl'), 'utf8').trim().split('\n');
      const found = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'service.refused');
      expect(found.some(({ actor }) => actor.name === 'media')).toBe(true);
    });
  });
});

test('a service has a folder of its own, and nothing that opens another', async () => {
  await shop.started.extract('catalog');
  const { pid } = (await overview(shop, 'catalog')).instances[0]!;
  const env = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  const names = env.map((one) => one.split('=')[0]);
  for (const name of ['INTERNAL_KEY', 'SIGNING_KEY', 'ROOT_KEY', 'ADMIN_TOKEN'])
    expect(names).not.toContain(name);
  const folder = join(shop.dataDir, 'services', 'catalog-1');
  expect(env).toContain(`DATA_DIR=${folder}`);
  expect(existsSync(folder) && statSync(folder).mode & 0o777).toBe(0o700);
  await shop.started.restore('catalog');
});

test('a key that is issued lets a service in, and lets it in no more when it is revoked', async () => {
  const unknown = await admin('POST', '/admin/keys', { name: 'nobody' });
  expect(unknown).toMatchObject({ status: 404, body: { code: 'module-unknown' } });
  const { status, body } = await admin('POST', '/admin/keys', { name: 'media' });
  expect(status).toBe(201);
  const key = body.key as NamedKey;
  const self = { self: 'media', key: () => key, services: () => ({}), refresh: async () => {} };
  const token = await createInternalTokens(self).mint('control');
  const mine = registration('media-9');
  expect((await sync(token, { register: mine, beat: { ...idle, host: mine.host } })).status).toBe(200);
  expect((await overview(shop, 'media')).instances).toMatchObject([{ id: 'media-9' }]);
  const listed = await admin('GET', '/admin/keys');
  expect(JSON.stringify(listed.body)).not.toContain(key.d);
  expect(listed.body.items).toContainEqual(expect.objectContaining({ kid: body.kid, issued: true }));
  expect((await admin('DELETE', `/admin/keys/${body.kid}`)).status).toBe(200);
  expect((await sync(token, { beat: { ...idle, host: mine.host } })).status).toBe(401);
  expect((await overview(shop, 'media')).instances).toEqual([]);
  expect(await admin('DELETE', `/admin/keys/${body.kid}`)).toMatchObject({ status: 404 });
  const present = listed.body.items.find(({ purpose }: { purpose: string }) => purpose === 'internal');
  expect(await admin('DELETE', `/admin/keys/${present.kid}`)).toMatchObject({
    status: 409,
    body: { code: 'key-present' },
  });
});

test('the keys of services rotate under load: processes are replaced, no request fails, a copy ends', async () => {
  for (const module of ['catalog', 'orders', 'users']) await shop.started.extract(module);
  const installation = installationOf(shop.started);
  const stolen = await tokensAs(installation, 'catalog');
  const before = await pids();
  const { id: productId } = await shop.product();
  const customer = await shop.customer();
  const failed: unknown[] = [];
  let done = 0;
  let over = false;
  const load = Array.from({ length: 8 }, async (_, n) => {
    while (!over) {
      const body = { lines: [{ productId, quantity: 1 }], paymentToken: 'tok_ok' };
      const got =
        n % 4 === 0
          ? await shop.call('POST', '/api/orders', {
              token: customer.token,
              headers: { 'idempotency-key': randomUUID() },
              body,
            })
          : await shop.call('GET', n % 4 === 1 ? '/api/orders' : '/api/catalog/products?limit=3', {
              token: customer.token,
            });
      done += 1;
      if (got.status >= 500 || got.status === 401) failed.push([n, got.status, got.body]);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  const rotated = await admin('POST', '/admin/keys/internal/rotate', {});
  over = true;
  await Promise.all(load);
  expect(rotated.body).toMatchObject({ rotated: true });
  expect(rotated.body.outgoing).toBeUndefined();
  expect(failed).toEqual([]);
  expect(done).toBeGreaterThan(50);
  const after = await pids();
  for (const [id, pid] of Object.entries(before)) expect([id, after[id]]).not.toEqual([id, pid]);
  expect((await sync((await stolen.mint('control')) as string, {})).status).toBe(401);
  const { body } = await admin('GET', '/admin/keys');
  const internal = body.items.filter(({ purpose }: { purpose: string }) => purpose === 'internal');
  expect(internal.filter(({ retiredAt }: { retiredAt: unknown }) => retiredAt !== null)).toEqual([]);
  for (const module of ['catalog', 'orders', 'users'])
    expect((await place(shop, module, 'in-process')).status).toBe(200);
}, 180_000);

async function pids(): Promise<Record<string, number>> {
  const { body } = await admin('GET', '/admin/placements');
  const all = body.modules.flatMap(
    ({ instances }: { instances: { id: string; pid: number }[] }) => instances,
  );
  return Object.fromEntries(all.map(({ id, pid }: { id: string; pid: number }) => [id, pid]));
}

test('a service of the version before is not let in without the overlap', async () => {
  const seconds = Math.floor(Date.now() / 1000);
  const claims = { audience: 'control', now: seconds, expires: seconds + 300 };
  const token = await createLegacyTokens('the internal key of the version before', 'media').sign(claims);
  expect((await sync(token, { register: registration('media-7') })).status).toBe(401);
});
