// What a start makes of where stores are: it makes them where they are wanted, and where they are; a fence and an old copy stay
// as they were, also when a newer version starts; what a pair could not live through is refused before anything is done.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { controlSchema } from '../placement/schema.ts';
import type { ProvisionOptions } from '../postgres/provision.ts';
import { roleUrl, runtimeRole } from '../postgres/roles.ts';
import { query, silent, type ThrowawayServer, throwawayServer } from '../postgres/testing.ts';
import { makeReady, type PlacesOptions, provisionAt } from './store-places.ts';
import { StoreServers } from './store-servers.ts';

const secret = 'the secret of these tests';
const LETTERS = 'CREATE TABLE IF NOT EXISTS letters (id int PRIMARY KEY);';
let one: ThrowawayServer;
let other: ThrowawayServer;
let folder: string;
let [shared, fast] = ['', ''];
let told: string[];

beforeAll(async () => {
  [one, other] = await Promise.all([throwawayServer(), throwawayServer()]);
}, 60_000);
afterAll(async () => {
  await Promise.all([one?.stop(), other?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  [shared, fast] = await Promise.all([one.database(), other.database()]);
  folder = mkdtempSync(join(tmpdir(), 'banyan-places-'));
  told = [];
});

function migration(name: string, sql: string): void {
  const path = join(folder, 'shop', 'migrations', name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'migration.sql'), sql);
}

function start(more: Partial<PlacesOptions & ProvisionOptions> = {}, storeUrls = { fast }): PlacesOptions {
  const log = pino({ level: 'warn' }, { write: (line: string) => void told.push(JSON.parse(line).msg) });
  const { wanted = {}, ...provisioning } = more;
  const settings = { dataDir: folder, storeUrls, role: 'monolith' } as const;
  return {
    provisioning: {
      ...{ adminUrl: shared, secret, modules: ['shop', 'till'], schemas: [controlSchema()] },
      ...{ prisma: pathToFileURL(`${folder}/`), moduleDdl: () => LETTERS, log: silent },
      ...provisioning,
    },
    servers: new StoreServers({ settings, sharedUrl: shared, holdsShared: false, secret, log }),
    wanted,
    log,
  };
}

const tables = async (url: string, schema = 'shop') =>
  (
    await query<{ name: string }>(
      url,
      `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace($1) ORDER BY 1`,
      [schema],
    )
  ).map(({ name }) => name);
const asShop = (url: string, text: string) => query(roleUrl(url, secret, runtimeRole('shop')), text);
const place = (server: string, pairedWith: string | null) =>
  query(
    shared,
    `INSERT INTO banyan_control.store (module, server, epoch, address, paired_with, changed_by)
     VALUES ('shop', $1, 1, $2, $3, 'test') ON CONFLICT (module) DO UPDATE SET server = excluded.server, paired_with = excluded.paired_with`,
    [server, server === 'shared' ? null : JSON.stringify({ host: 'x', port: 1, database: 'x' }), pairedWith],
  );

test('a store that is nowhere yet is made where it is wanted, and stays there whatever is wanted later', async () => {
  migration('1_box', 'CREATE TABLE box (id int PRIMARY KEY);');
  const places = await makeReady(start({ wanted: { shop: 'fast' } }));
  expect(places).toMatchObject([
    { module: 'shop', server: 'fast', epoch: 1, gate: 'open', pairedWith: null },
  ]);
  expect(JSON.stringify(places)).not.toContain(new URL(fast).password);
  expect(await tables(fast)).toContain('box');
  expect(await tables(shared)).toEqual([]);
  expect(await tables(shared, 'till')).toContain('letters');
  await asShop(fast, 'INSERT INTO shop.box VALUES (1)');
  // By its role it speaks to the log, which stays.
  expect(await asShop(shared, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
  expect(told).toEqual([]);
  expect(await makeReady(start({ wanted: { shop: 'shared', till: 'fast' } }))).toMatchObject([
    { server: 'fast' },
  ]);
  expect(told).toEqual([
    expect.stringMatching(
      /^STORES has shop=shared, and the store of shop is on the server fast, where it stays/,
    ),
    expect.stringMatching(
      /^STORES has till=fast, and the store of till is on the server shared, .*banyan store move till --to fast$/,
    ),
  ]);
});

test('one that cannot be reached from here is refused in words, before anything is made', async () => {
  await expect(makeReady(start({ wanted: { shop: 'own' } }))).rejects.toThrow(
    /^STORES has shop=own\. .*Name a server by STORE_<NAME>_URL/,
  );
  expect(await tables(shared, 'banyan_control')).toEqual([]);
  await makeReady(start());
  await place('fast', null);
  const nowhere = new URL(fast);
  nowhere.pathname = '/nowhere';
  await expect(makeReady(start({}, { fast: nowhere.href }))).rejects.toThrow(
    /^STORE_FAST_URL: the server does not let us in/,
  );
});

test('where it could never move from, a store is not made', async () => {
  const unlike = new URL(await other.database());
  await query(other.url, `CREATE DATABASE unlike TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'`);
  unlike.pathname = '/unlike';
  const wanted = { shop: 'fast' };
  await expect(makeReady(start({ wanted }, { fast: unlike.href }))).rejects.toThrow(
    /^STORES has shop=fast, .*text is kept or compared differently: .*SQL_ASCII.* \(Create the database on fast/,
  );
  await expect(makeReady(start({ wanted }, { fast: shared }))).rejects.toThrow(/are the same database/);
  expect(await tables(shared, 'banyan_control')).toEqual([]);
});

test('a newer version opens no fence: what follows gets its tables first, and nobody gets in', async () => {
  migration('1_box', 'CREATE TABLE box (id int PRIMARY KEY);');
  const before = start();
  await makeReady(before);
  await provisionAt(before, 'shop', 'fast', true);
  await expect(asShop(fast, 'SELECT FROM shop.box')).rejects.toMatchObject({ code: '42501' });
  for (const [owner, passive] of [
    ['shared', 'fast'],
    ['fast', 'shared'],
  ] as const) {
    await place(owner, passive);
    const urls: Record<string, string> = { shared, fast };
    await query(urls[owner]!, 'GRANT ALL ON ALL TABLES IN SCHEMA shop TO banyan_shop');
    await query(urls[passive]!, 'REVOKE ALL ON ALL TABLES IN SCHEMA shop FROM banyan_shop');
    const name = `on_${owner}`;
    migration(`2_${name}`, `CREATE TABLE ${name} (id int PRIMARY KEY);`);
    await makeReady(
      start({ moduleDdl: () => `${LETTERS} CREATE TABLE IF NOT EXISTS more_${owner} (id int PRIMARY KEY);` }),
    );
    for (const url of [shared, fast])
      expect(await tables(url)).toEqual(expect.arrayContaining([name, `more_${owner}`]));
    for (const table of [name, `more_${owner}`, 'box', 'letters']) {
      await asShop(urls[owner]!, `INSERT INTO shop.${table} VALUES (1) ON CONFLICT DO NOTHING`);
      await expect(asShop(urls[passive]!, `SELECT FROM shop.${table}`)).rejects.toMatchObject({
        code: '42501',
      });
    }
  }
});

test('an old copy is left alone, and may be gone', async () => {
  migration('1_box', 'CREATE TABLE box (id int PRIMARY KEY);');
  const before = start();
  await makeReady(before);
  await provisionAt(before, 'shop', 'fast', false);
  await place('fast', null);
  await query(shared, 'REVOKE ALL ON ALL TABLES IN SCHEMA shop FROM banyan_shop');
  migration('2_crate', 'CREATE TABLE crate (id int PRIMARY KEY);');
  await makeReady(start());
  expect(await tables(shared)).not.toContain('crate');
  await asShop(fast, 'INSERT INTO shop.crate VALUES (1)');
  await query(shared, 'ALTER SCHEMA shop RENAME TO shop_before');
  await makeReady(start());
  expect(await tables(shared)).toEqual([]);
});

test('what a pair could not live through is refused, and so is anything while the one that follows does not answer', async () => {
  migration('1_box', 'CREATE TABLE box (id int PRIMARY KEY, note text);');
  const before = start();
  await makeReady(before);
  await provisionAt(before, 'shop', 'fast', true);
  await place('shared', 'fast');
  const nowhere = new URL(fast);
  nowhere.pathname = '/nowhere';
  // Nothing is to come: a server that only follows keeps nobody from starting.
  await makeReady(start({}, { fast: nowhere.href }));
  migration('2_more', 'ALTER TABLE box ADD COLUMN more text;');
  await expect(makeReady(start({}, { fast: nowhere.href }))).rejects.toThrow(/banyan store finish shop/);
  migration('3_less', 'ALTER TABLE box DROP COLUMN note;');
  await expect(makeReady(start())).rejects.toThrow(
    /3_less of shop drops something: .*Finish the move first.*banyan store finish shop/,
  );
  const columns = await query(
    fast,
    `SELECT FROM information_schema.columns WHERE table_schema = 'shop' AND column_name = 'more'`,
  );
  expect(columns).toHaveLength(0);
});
