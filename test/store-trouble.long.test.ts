// What goes wrong around a store that moves, with the whole product: a full disk at the target, a service that stands still over
// the whole move with a transaction open, a slot that somebody dropped. Each is said where a person looks, and nothing is lost.
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { placeCluster } from '../src/banyan/postgres/cluster-place.ts';
import { passwordIn } from '../src/banyan/postgres/embedded-files.ts';
import { findPostmaster } from '../src/banyan/postgres/postmaster.ts';
import { query, type ThrowawayServer, throwawayServer } from '../src/banyan/postgres/testing.ts';
import type { Store } from '../src/banyan/servers/desk/contract.ts';
import { overview } from './flip-modules.ts';
import { type Customer, clientOf, type Shop } from './shop.ts';
import { startShop } from './start-shop.ts';

let shop: Shop;
let server: ThrowawayServer;
let there: string;
let customer: Customer;
let productId: string;
let sink: Server;
const notices: { text: string; module?: string; state?: string }[] = [];

beforeAll(async () => {
  sink = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      notices.push(JSON.parse(body));
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => sink.once('listening', resolve));
  server = await throwawayServer();
  there = await server.database();
  await query(server.url, "ALTER SYSTEM SET wal_retrieve_retry_interval = '200ms'");
  await query(server.url, 'SELECT pg_reload_conf()');
  const NOTIFY_URL = `http://127.0.0.1:${(sink.address() as AddressInfo).port}/`;
  shop = clientOf(await startShop({ env: { STORE_OTHER_URL: there, NOTIFY_URL } }));
  customer = await shop.customer();
  productId = (await shop.product({ stock: 1_000 })).id;
}, 120_000);
afterAll(async () => {
  await shop?.started.stop();
  await server?.stop();
  sink?.close();
}, 60_000);

const admin = async (method: string, path = '', body?: object) =>
  shop.call(method, `/admin/stores/orders${path}`, { token: shop.adminToken, ...(body && { body }) });
const store = async () => (await admin('GET')).body as Store;
const ended = async () => {
  for (;;) {
    const now = await store();
    if (now.move?.endedAt) return now;
    await pause(100);
  }
};
/** On a machine that is much too busy for a pause of 300 ms it is asked for again, as a person would. */
async function movedTo(to: string, begun = false): Promise<void> {
  for (let n = 0; n < 3; n += 1) {
    if (n > 0 || !begun) expect((await admin('PUT', '', { server: to })).status).toBe(202);
    const { server: at, state, move } = await ended();
    if (at !== to && n < 2) continue;
    expect({ at, state, end: move!.state, why: move!.why }).toEqual({
      at: to,
      state: 'paired',
      end: 'moved',
      why: null,
    });
    return;
  }
}
const order = () => shop.order(customer, [{ productId, quantity: 1 }]);
const placed = async (url: string) =>
  (await query<{ n: number }>(url, 'SELECT count(*)::int AS n FROM orders.orders'))[0]!.n;

/** Of files of the target, from its next session on: as its own user, since nobody else may in a container. */
function limitFiles(most: string): void {
  const { cluster } = placeCluster(server.dataDir, passwordIn(server.dataDir));
  const { pid } = findPostmaster(cluster)!;
  const { uid, gid } = statSync(`/proc/${pid}`);
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${most}:`], { uid, gid });
}

test('a disk that is full while it copies is said, and the move goes on when there is room', {
  timeout: 180_000,
}, async () => {
  const { databaseUrl } = shop.started;
  await query(
    databaseUrl,
    `INSERT INTO orders.event_audit (id, action, by, why) SELECT gen_random_uuid(), 'skip', 'test',
       (SELECT string_agg(md5(i || ' ' || j), '') FROM generate_series(1, 250) AS j) FROM generate_series(1, 3000) AS i`,
  );
  limitFiles(String(17 * 2 ** 20));
  expect((await admin('PUT', '', { server: 'other' })).status).toBe(202);
  await expect
    .poll(async () => (await store()).move?.why, { timeout: 60_000 })
    .toMatch(/copy of orders to other failed.*its disk may be full/);
  await order();
  limitFiles('unlimited');
  await movedTo('other', true);
  await shop.final(customer, (await order()).id);
});

/** On a machine that is much too busy it was replaced meanwhile, as one that stands still for 15 s is. */
function goOn(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch (error) {
    expect(error).toMatchObject({ code: 'ESRCH' });
  }
}

test('a service that stands still over a whole move with a transaction open: nothing is doubled, and it goes on', {
  timeout: 180_000,
}, async () => {
  await shop.started.extract('orders');
  const before = await placed(there);
  const { pid } = (await overview(shop, 'orders')).instances[0]!;
  const holder = new pg.Client({ connectionString: there });
  await holder.connect();
  await holder.query('BEGIN; LOCK TABLE orders.orders IN SHARE MODE');
  const stuck = order().then(
    () => 1,
    () => 0,
  );
  const waits = `SELECT pid FROM pg_stat_activity WHERE usename = 'banyan_orders' AND wait_event_type = 'Lock'`;
  await expect.poll(async () => (await query(there, waits)).length, { timeout: 20_000 }).toBeGreaterThan(0);
  process.kill(pid, 'SIGSTOP');
  try {
    await holder.query('COMMIT');
    await holder.end();
    const open = `SELECT pid FROM pg_stat_activity WHERE usename = 'banyan_orders' AND state = 'idle in transaction'`;
    await expect.poll(async () => (await query(there, open)).length, { timeout: 20_000 }).toBeGreaterThan(0);
    await movedTo('shared');
  } finally {
    goOn(pid);
  }
  const answered = await stuck;
  let asked = 0;
  // Until it is heard of again its clients are told to come again.
  const { id } = await shop.eventually(() => {
    asked += 1;
    return order();
  });
  await shop.final(customer, id);
  const here = await placed(shop.started.databaseUrl);
  // One that was not answered may be there.
  expect(here).toBeGreaterThanOrEqual(before + answered + 1);
  expect(here).toBeLessThanOrEqual(before + 1 + asked);
  await expect.poll(() => placed(there), { timeout: 20_000 }).toBe(here);
});

test('a slot that was dropped: broken is shown, counted, told once; what is left after finish has a date', {
  timeout: 120_000,
}, async () => {
  notices.length = 0;
  const drop = `SELECT pg_terminate_backend(active_pid), pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()`;
  await expect
    .poll(
      () =>
        query(shop.started.databaseUrl, drop).then(
          (rows) => rows.length,
          () => 0,
        ),
      { timeout: 20_000, interval: 5 },
    )
    .toBe(1);
  await expect.poll(async () => (await store()).state, { timeout: 30_000 }).toBe('broken');
  const { lookedAt } = (await store()).pair!;
  const told = () => notices.filter(({ state }) => state === 'broken');
  await expect.poll(() => told().length, { timeout: 20_000 }).toBe(1);
  expect(told()[0]).toMatchObject({
    module: 'orders',
    text: expect.stringMatching(/does not follow it any more/),
  });
  const [row] = await query<{ url: string }>(
    shop.started.databaseUrl,
    `SELECT url FROM banyan_control.host WHERE role = 'monolith' AND live`,
  );
  const metrics = await (await fetch(new URL('/metrics', row!.url))).text();
  expect(metrics).toMatch(/banyan_store_pair_state\{[^}]*module="orders",state="broken"[^}]*\} 1/);
  expect(metrics).toMatch(/banyan_store_pair_broken\{[^}]*module="orders"[^}]*\} 1/);
  expect((await admin('POST', '/back')).body).toMatchObject({ code: 'pair-broken' });
  // At the next look it is no news.
  await expect.poll(async () => (await store()).pair!.lookedAt, { timeout: 20_000 }).not.toBe(lookedAt);
  expect(told()).toHaveLength(1);
  await order();
  await admin('POST', '/finish');
  const { state, left } = await ended();
  expect([state, left.map((one) => one.server)]).toEqual(['single', ['other']]);
  expect(Date.parse(left[0]!.dropAt)).toBeGreaterThan(Date.now() + 6 * 86_400_000);
  const { body } = await shop.call('GET', '/admin/history?module=orders', { token: shop.adminToken });
  expect(body.stores[0]).toMatchObject({ task: 'finish', state: 'finished', by: expect.any(String) });
  expect(body.stores[1]).toMatchObject({
    from: 'other',
    to: 'shared',
    state: 'moved',
    pause: expect.any(Number),
  });
  await shop.final(customer, (await order()).id);
});
