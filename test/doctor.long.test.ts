// `banyan doctor` on a real shop: of one that is well nothing but what is so by the test's own making; each trouble, made for real,
// is found, named, and gone once its remedy was taken.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Examined } from '../src/banyan/doctor/contract.ts';
import { query } from '../src/banyan/postgres/testing.ts';
import { type ClockApart, clockApart } from './clock-apart.ts';
import { overview } from './flip-modules.ts';
import { cli } from './saga/cli.ts';
import { clientOf, eventually, type Shop } from './shop.ts';
import { startShop } from './start-shop.ts';

let shop: Shop;
let apart: ClockApart;
/** Takes notices and telemetry. */
let told: Server;
let toldPort: number;

beforeAll(async () => {
  apart = clockApart('catalog-1');
  told = createServer((_request, response) => response.writeHead(204).end());
  await listen(0);
  toldPort = (told.address() as AddressInfo).port;
  shop = clientOf(
    await startShop({
      env: {
        ...apart.env,
        NOTIFY_URL: `http://127.0.0.1:${toldPort}/hook?secret=1`,
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${toldPort}`,
        OTEL_METRIC_EXPORT_INTERVAL: '1000',
      },
    }),
  );
  await shop.started.extract('catalog');
});
afterAll(async () => {
  apart?.set(0);
  await shop?.started.stop();
  told?.closeAllConnections();
  told?.close();
  apart?.close();
});

const listen = (port: number) =>
  new Promise<void>((resolve) => told.listen(port, '127.0.0.1', () => resolve()));
const sql = (text: string, values?: unknown[]) =>
  query<Record<string, unknown>>(shop.started.databaseUrl, text, values);

async function examined(): Promise<Examined['items']> {
  const began = performance.now();
  const { status, body } = await shop.call('GET', '/admin/doctor', { token: shop.adminToken });
  expect(status, JSON.stringify(body)).toBe(200);
  expect(performance.now() - began).toBeLessThan(6_000);
  expect(body.host).toBe('monolith');
  return body.items;
}
/** All but where the files of the test are. */
const wrong = async () =>
  (await examined()).filter(({ level, check }) => level !== 'ok' && check !== 'data-dir');

/** The first finding of a check that is not well. */
async function found(check: string, subject: string | RegExp) {
  return eventually(async () => {
    const all = await wrong();
    const [one] = all.filter((item) => item.check === check);
    expect(one?.subject, JSON.stringify(all)).toMatch(subject);
    return one!;
  });
}
const gone = () => eventually(async () => expect(await wrong()).toEqual([]));

/** As a person would: what stands behind `Run there:`. */
async function take(remedy: string | null) {
  const statements = remedy!.replace(/^.*?run there: /i, '').split('; ');
  for (const one of statements) await sql(one);
}

test('a shop that is well: each family was looked at, and the one warning is one that a newcomer can act on', async () => {
  const items = await examined();
  expect(items.filter(({ level }) => level !== 'ok')).toMatchObject([
    { check: 'data-dir', level: 'warning', subject: 'monolith', remedy: expect.stringContaining('DATA_DIR') },
  ]);
  const looked = new Set(items.map(({ check, subject }) => `${check} ${subject}`));
  for (const one of [
    'control control store',
    ...['probe', 'clock', 'version'].flatMap((check) => [`${check} monolith`, `${check} catalog-1`]),
    ...['telemetry monolith', 'telemetry catalog-1'],
    ...[
      'secret monolith',
      'key hosts',
      'operator tokens',
      'notices NOTIFY_URL',
      'server shared',
      'clock server shared',
    ],
    ...[
      'setting shared',
      'connections shared',
      'replication shared',
      'orphan shared',
      'migrations orders',
      'pair all',
    ],
    ...[
      'topic orders.events',
      'letters all',
      'sagas all',
      'log all',
      'instances all',
      'ladder all',
      'share all',
    ],
  ])
    expect(looked).toContain(one);

  const { code, out } = await cli(shop, 'doctor');
  expect(code, out).toBe(0);
  for (const line of stripVTControlCharacters(out).split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  expect(out).toMatch(/1 warning\n/);
  expect(out).toMatch(/^ {2}warning {2}data-dir {5}monolith\n {11}DATA_DIR is in a folder/m);
  expect(out).toMatch(/^ {2}ok .*\bprobe 2\b/m);
});

test('who may not see it is told the scope', async () => {
  const nobody = await shop.call('GET', '/admin/doctor', { token: (await shop.customer()).token });
  expect(nobody.status).toBe(403);
});

test('a setting of the database by which commits are lost: an error, by exit code 3; its remedy mends it', async () => {
  const name = new URL(shop.started.databaseUrl).pathname.slice(1);
  await sql(`ALTER DATABASE "${name}" SET synchronous_commit = off`);
  const one = await found('setting', 'shared');
  expect(one).toMatchObject({ level: 'error', found: expect.stringContaining('may be gone after a crash') });
  const { code, out } = await cli(shop, 'doctor', '--json');
  expect(code).toBe(3);
  expect((JSON.parse(out) as Examined).items[0]).toEqual(one);
  await take(one.remedy);
  await gone();
});

test('a setting of the whole server; a slot and a publication of no pair', async () => {
  await sql('ALTER SYSTEM SET autovacuum = off');
  await sql('SELECT pg_reload_conf()');
  try {
    const setting = await found('setting', 'shared');
    expect(setting).toMatchObject({
      level: 'warning',
      found: expect.stringContaining('autovacuum = off (the server)'),
    });
    await take(setting.remedy);
  } finally {
    await sql('ALTER SYSTEM RESET autovacuum');
    await sql('SELECT pg_reload_conf()');
  }
  // Slots are of the whole server, and other shops are on it.
  const slot = `banyan_orders_to_gone_${process.pid}`;
  await sql('CREATE PUBLICATION banyan_orders');
  await sql(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  await found('orphan', 'shared');
  const orphans = (await wrong()).filter(({ check }) => check === 'orphan');
  expect(orphans.map(({ found: words }) => words)).toEqual([
    expect.stringContaining(`the slot ${slot} is of no pair`),
    expect.stringContaining('the publication banyan_orders is of no pair'),
  ]);
  for (const { remedy } of orphans) await take(remedy);
  await gone();
});

test('a process whose clock is another one, and one that stands still', async () => {
  apart.set(20);
  expect(await found('clock', 'catalog-1')).toMatchObject({
    level: 'warning',
    found: expect.stringMatching(/its clock is (19|20|21) s ahead of that of the control store/),
  });
  apart.set(0);
  await gone();

  const { pid } = (await overview(shop, 'catalog')).instances[0]!;
  process.kill(pid, 'SIGSTOP');
  try {
    expect(await found('probe', 'catalog-1')).toMatchObject({
      level: 'error',
      found: expect.stringMatching(/^does not answer at http/),
      remedy: expect.stringContaining('npx banyan logs catalog'),
    });
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await gone();
});

test('a share that was left on; notices and telemetry that do not arrive', async () => {
  const placed = await shop.call('PUT', '/admin/placements/catalog', {
    token: shop.adminToken,
    body: { placement: 'canary', percent: 10 },
  });
  expect(placed.status).toBe(200);
  await sql(
    `UPDATE banyan_control.placement SET changed_at = now() - interval '9 days' WHERE module = 'catalog'`,
  );
  expect(await found('share', 'catalog')).toMatchObject({
    found: expect.stringContaining('10 % for 9 days'),
  });

  told.closeAllConnections();
  await new Promise((resolve) => told.close(resolve));
  await sql(
    `INSERT INTO banyan_control.ladder_notice (id, notice) VALUES (gen_random_uuid(), '{"text": "somebody is told"}')`,
  );
  const late = await found('notices', /monolith|NOTIFY_URL/);
  expect(JSON.stringify(late)).not.toContain('secret');
  for (const host of ['monolith', 'catalog-1'])
    await eventually(async () =>
      expect((await wrong()).map(({ check, subject }) => `${check} ${subject}`)).toContain(
        `telemetry ${host}`,
      ),
    );
  await listen(toldPort);
  await shop.started.extract('catalog');
  await gone();
});
