// A service is deployed: its next version from another checkout, as a real process beside the old one, under one monolith. It takes
// nothing, then a share of the users (the same ones by every way in), then all, and goes back by one command, while requests run
// and none fails. One that adds to the contract comes the same way; one that breaks it is kept out, and the deploy refused with
// the paths.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSessionSigner } from '../../src/banyan/identity/session-token.ts';
import { bucketOf } from '../../src/banyan/routing/bucket.ts';
import { type Launched, launch } from '../../stage/launch.ts';
import { overview, place } from '../flip-modules.ts';
import { banyanWith } from '../operators-cli.ts';
import { type Customer, clientOf, eventually, type Shop } from '../shop.ts';
import { startShop } from '../start-shop.ts';
import { added, breaking, compatible, mark } from './changes.ts';
import { type Change, Checkout } from './checkout.ts';

const USERS = 40;
const OLD = '1.4.0';
/** On a machine that has much else to do. */
const START_MS = 60_000;
/** Between two requests of a reader: as many as there are, the machine is still to start processes. */
const THINK_MS = 10;

let shop: Shop;
let folder: string;
let product: string;
let users: { id: string; token: string }[];
let customers: Customer[];
const checkouts = new Map<string, Checkout>();
const running = new Map<string, Launched>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'banyan-releases-'));
  const made: [string, Change[]][] = [
    ['1.5.0', compatible('1.5.0')],
    ['1.6.0', added('1.6.0')],
    ['1.7.0', breaking()],
  ];
  for (const [release, changes] of made) checkouts.set(release, new Checkout(changes));
  shop = clientOf(await startShop({ env: { RELEASE: OLD } }));
  product = (await shop.product({ name: 'A jug' })).id;
  const signer = createSessionSigner(JSON.parse(shop.started.env.SIGNING_KEY!));
  users = await Promise.all(
    Array.from({ length: USERS }, async () => {
      const id = crypto.randomUUID();
      return { id, token: (await signer.sign({ id, role: 'customer', epoch: 0 })).token };
    }),
  );
  customers = await Promise.all(Array.from({ length: 4 }, () => shop.customer()));
}, 120_000);
afterAll(async () => {
  await Promise.all([...running.values()].map((host) => host.end()));
  await shop?.started.stop();
  for (const checkout of checkouts.values()) checkout.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** As a person would, who has the token. */
const banyan = (...words: string[]) =>
  banyanWith({ BANYAN_URL: shop.url, BANYAN_TOKEN: shop.adminToken }, ...words);

/** Said again while a host lags, as a busy machine makes one do: nothing changes by it. */
const done = (...words: string[]): Promise<string> =>
  eventually(async () => {
    const { exit, out, err } = await banyan(...words);
    expect([exit, err], out).toEqual([0, '']);
    return out;
  });

/** The environment of a process that the monolith has started: the same database, the same key. */
let told: Record<string, string>;
async function learn(): Promise<void> {
  const { pid } = (await overview(shop, 'catalog')).instances[0]!;
  const lines = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
  told = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** That release of catalog from its own checkout; another process of this product's code would answer without its mark. */
function start(release: string, id: string): Launched {
  const host = launch({
    folder: checkouts.get(release)!.folder,
    entry: 'extracted/catalog/main.ts',
    env: { ...told, INSTANCE_ID: id, RELEASE: release, DATA_DIR: join(folder, id) },
  });
  running.set(id, host);
  return host;
}

async function up(release: string, id: string): Promise<Launched> {
  const host = start(release, id);
  await eventually(async () => {
    const found = (await overview(shop, 'catalog')).instances.find((one) => one.id === id);
    expect(found, host.output()).toMatchObject({ healthy: true, release, pid: host.pid });
  }, START_MS);
  return host;
}

async function down(id: string): Promise<void> {
  await running.get(id)!.end();
  running.delete(id);
  await eventually(async () => {
    const { instances } = await overview(shop, 'catalog');
    expect(instances.filter((one) => one.id === id && one.healthy)).toEqual([]);
  });
}

/** By a plain read, which goes as a call, and by what has to be proxied. */
const ways = () => [`/api/catalog/products/${product}`, '/api/catalog/products?limit=1'];

/** Which process answers the user, by every way. */
async function answeredBy({ token }: { token: string }): Promise<string> {
  const answers = await Promise.all(ways().map((path) => shop.call('GET', path, { token })));
  for (const { status, body } of answers) expect(status, JSON.stringify(body)).toBe(200);
  const by = new Set(answers.map(({ headers }) => headers.get('x-served-by')));
  expect(by.size, [...by].join()).toBe(1);
  return [...by][0]!;
}

const isIn = (percent: number, key: string) => bucketOf('catalog release', key) < percent;

/** Of all users: each is where its share is, also what orders asks for it. */
async function expectShare(percent: number, one: readonly [id: string, mark: string], others: string) {
  for (const user of users) expect(await answeredBy(user)).toBe(isIn(percent, user.id) ? one[0] : others);
  if (percent === 50) expect(users.filter(({ id }) => isIn(percent, id)).length).toBeGreaterThan(USERS / 8);
  for (const customer of customers) {
    const { id } = await shop.order(customer, [{ productId: product, quantity: 1 }]);
    const { body } = await shop.call('GET', `/api/orders/${id}`, { token: customer.token });
    expect(body.lines[0].name).toBe(`A jug${isIn(percent, customer.id) ? one[1] : ''}`);
  }
}

/** Users read for as long as the work takes; answers how many requests there were, and those that failed. */
async function underLoad(work: () => Promise<void>): Promise<{ asked: number; failed: string[] }> {
  const seen = { asked: 0, failed: [] as string[] };
  let over = false;
  const readers = [0, 1].map(async (n) => {
    while (!over) {
      const { token } = users[(seen.asked * 7 + n) % users.length]!;
      const path = ways()[seen.asked % 2]!;
      seen.asked += 1;
      const answer = await shop.call('GET', path, { token }).catch((error: Error) => error);
      if (answer instanceof Error || answer.status !== 200)
        seen.failed.push(`${path}: ${answer instanceof Error ? answer : JSON.stringify(answer.body)}`);
      await pause(THINK_MS);
    }
  });
  try {
    await work();
  } finally {
    over = true;
    await Promise.all(readers);
  }
  return seen;
}

test('the old one in its service, the next one deployed before it is there: it stands beside', async () => {
  await shop.started.extract('catalog');
  await learn();
  expect(told.RELEASE).toBe(OLD);
  const said = await done('deploy', 'catalog', '1.5.0');
  expect(said).toContain('catalog 1.5.0 (not there) gets nothing');
  expect(said).toContain(`catalog ${OLD} (catalog-1) gets all`);
  const { asked, failed } = await underLoad(async () => {
    await up('1.5.0', 'catalog-2');
    for (const user of users) expect(await answeredBy(user)).toBe('catalog-1');
  });
  expect(failed).toEqual([]);
  expect(asked).toBeGreaterThan(USERS);
  const picture = await done('status');
  expect(picture).toMatch(/⇄ deploy: 1\.5\.0 gets nothing, 1\.4\.0 all/);
  expect(picture).toMatch(/catalog-2[^\n]*healthy[^\n]*\n[^\n]*started elsewhere|release 1\.5\.0/);
}, 120_000);

test('it gets a share of the users, all, and goes back, and no request fails', async () => {
  const mine = ['catalog-2', mark('1.5.0')] as const;
  const { failed } = await underLoad(async () => {
    for (const percent of [10, 50, 100]) {
      await done('deploy', 'catalog', '1.5.0', '--percent', String(percent));
      await expectShare(percent, mine, 'catalog-1');
      // From then on orders asks from a process of its own, which follows the monolith.
      if (percent === 10) await shop.started.extract('orders');
    }
    expect(await done('deploy', 'catalog', '--back')).toContain('catalog 1.5.0 (catalog-2) gets nothing');
    await expectShare(0, mine, 'catalog-1');
  });
  expect(failed).toEqual([]);
  const { body } = await shop.call('GET', '/admin/history?module=catalog&limit=1', {
    token: shop.adminToken,
  });
  expect(body.items[0]).toMatchObject({ reason: 'release 1.5.0 gets 0 % of the keys' });
}, 120_000);

test('killed while it has all, the old one answers; back again, it has all', async () => {
  await done('deploy', 'catalog', '--percent', '100');
  const { failed } = await underLoad(async () => {
    await running.get('catalog-2')!.kill();
    for (const user of users) expect(await answeredBy(user)).toBe('catalog-1');
    await up('1.5.0', 'catalog-2');
    await eventually(async () => expect(await answeredBy(users[0]!)).toBe('catalog-2'));
  });
  expect(failed).toEqual([]);
}, 120_000);

test('one that adds to the contract stands beside at once, is shown with what it adds, and gets its share', async () => {
  await up('1.6.0', 'catalog-3');
  for (const user of users.slice(0, 10)) expect(await answeredBy(user)).toBe('catalog-2');
  const { differences } = (await overview(shop, 'catalog')).instances.find(
    ({ id }) => id === 'catalog-3',
  ) as never as {
    differences: { path: string }[];
  };
  const paths = differences.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(['/operations/countProducts', '/operations/getProduct/output/origin']),
  );
  const { failed } = await underLoad(async () => {
    await done('deploy', 'catalog', '1.6.0', '--percent', '50');
    for (const user of users)
      expect(await answeredBy(user)).toBe(isIn(50, user.id) ? 'catalog-3' : 'catalog-2');
  });
  expect(failed).toEqual([]);
  const user = users.find(({ id }) => isIn(50, id))!;
  const { body } = await shop.call('GET', ways()[0]!, { token: user.token });
  expect(body).toMatchObject({ name: `A jug${mark('1.6.0')}`, origin: 'Lisbon' });
}, 120_000);

test('one that breaks its callers is kept out, and its deploy refused with the paths', async () => {
  await done('deploy', 'catalog', '--back');
  const host = start('1.7.0', 'catalog-4');
  expect(await host.ended).not.toBe(0);
  expect(host.output()).toContain('breaks what its callers rely on');
  running.delete('catalog-4');
  const { exit, err } = await banyan('deploy', 'catalog', '1.7.0', '--percent', '10');
  expect(exit).toBe(1);
  expect(err).toContain('catalog-4 came as 1.7.0 of catalog and was kept out');
  expect(err).toContain('/catalog/operations/priceProducts/input');
  expect(err).toContain('/catalog/operations/priceProducts/output/items');
  for (const user of users.slice(0, 10)) expect(await answeredBy(user)).toBe('catalog-2');
}, 120_000);

test('it is over when one release is left; then instances are alike', async () => {
  expect(await banyan('deploy', 'catalog', '--end')).toMatchObject({ exit: 1 });
  await Promise.all([down('catalog-2'), down('catalog-3')]);
  expect(await done('deploy', 'catalog', '--end')).toContain('catalog has no deploy');
  for (const user of users.slice(0, 10)) expect(await answeredBy(user)).toBe('catalog-1');
}, 120_000);

test('the old one in the monolith, the next one as its first service: a share of the requests, and back', async () => {
  await shop.started.restore('catalog');
  await up('1.5.0', 'catalog-2');
  const path = '/admin/placements/catalog';
  const { failed } = await underLoad(async () => {
    const body = { placement: 'canary', percent: 50 };
    const placed = await shop.call('PUT', path, { token: shop.adminToken, body });
    expect(placed.status, JSON.stringify(placed.body)).toBe(200);
    for (const user of users) {
      const inside = bucketOf('catalog', user.id) < 50;
      expect(await answeredBy(user)).toBe(inside ? 'catalog-2' : 'monolith');
    }
    expect((await place(shop, 'catalog', 'in-process')).status).toBe(200);
    for (const user of users) expect(await answeredBy(user)).toBe('monolith');
  });
  expect(failed).toEqual([]);
}, 120_000);
