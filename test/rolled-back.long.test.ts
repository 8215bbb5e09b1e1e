// Every operation of every contract, tried: nothing of it is left anywhere, and it says what the real one says and publishes
// what that publishes. Also while the same is asked for real.
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { moduleNames } from '../src/banyan/config/environment.ts';
import { shopApp } from '../src/shop.ts';
import { type Case, casesOf, type Request } from './rolled-back/cases.ts';
import { type Modules, openModules } from './rolled-back/modules.ts';
import { changes, filesOf, stateOf } from './rolled-back/rows.ts';
import { type StartedShop, startShop } from './start-shop.ts';

const SETTLES_MS = 50;

let shop: StartedShop;
let modules: Modules;
let database: pg.Client;
let cases: Record<string, Case>;
const heard: string[] = [];

beforeAll(async () => {
  shop = await startShop();
  // Its jobs and consumers end with it.
  await shop.host.end();
  modules = await openModules(shop);
  database = new pg.Client({ connectionString: shop.databaseUrl });
  await database.connect();
  database.on('notification', ({ channel }) => heard.push(channel));
  const channels = ['banyan_control', ...moduleNames(shopApp).map((name) => `banyan_outbox_${name}`)];
  await database.query(channels.map((one) => `LISTEN "${one}"`).join('; '));
  cases = casesOf(modules, database);
}, 120_000);
afterAll(async () => {
  await modules?.close();
  await database?.end();
  await shop?.stop();
});

/** What differs from one time to the next: ids, times, sealed and signed texts. */
const alike = (value: unknown) =>
  JSON.stringify(value, (_, one) => (Buffer.isBuffer(one) ? one.toString('base64') : one))
    ?.replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<id>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/\b00-[0-9a-f]{32}-[0-9a-f]{16}-0\d\b/g, '<trace>')
    .replace(/eyJ[\w.-]+/g, '<token>')
    .replace(/"[0-9a-f]{16}"/g, '"<session>"')
    .replace(/for \d+ s/g, 'for <n> s')
    .replace(/(tried|order|ada)-\d+-\w+-\d+/g, '<own>');

/** A coordinator goes on with these after the commit. */
const goesOn = /\.(retry|cancel)Saga$/;

const told = (name: string, result: Awaited<ReturnType<Modules['dispatch']>>) => {
  const says =
    'problem' in result ? `${result.problem.code}: ${alike(result.problem.body)}` : alike(result.output);
  if (!goesOn.test(name)) return says;
  // What goes on may be over when the answer is made, or not yet: then it is somebody's turn.
  const sometimes = says
    ?.replace(/"state":"(running|finished)"/, '"state":"…"')
    .replace(/"by":(null|"[a-z]+")/, '"by":"…"');
  // It tells what has happened so far, too.
  return name === 'orders.cancelSaga' ? sometimes?.replace(/"items":.*/, '') : sometimes;
};

const published = async () => {
  const each = moduleNames(shopApp).map(
    (name) =>
      `SELECT '${name}' AS module, position, type, key, data::jsonb AS data FROM ${name}.event_outbox`,
  );
  const { rows } = await database.query(`${each.join(' UNION ALL ')} ORDER BY module, position`);
  return rows as { module: string; position: string; type: string; key: string; data: unknown }[];
};

async function settled() {
  for (let before = await stateOf(database); ; ) {
    await pause(SETTLES_MS);
    const now = await stateOf(database);
    if (Object.keys(changes(before, now)).length === 0) return now;
    before = now;
  }
}

/** Asked for real: what it said, which tables it changed, what it published. */
async function real(
  name: string,
  { input, call }: Request,
  meanwhile: () => Promise<unknown> = async () => {},
) {
  const [before, sent] = [
    await stateOf(database),
    new Set((await published()).map(({ module, position }) => module + position)),
  ];
  const [result] = await Promise.all([modules.dispatch(name, input, call), meanwhile()]);
  const events = (await published()).filter(({ module, position }) => !sent.has(module + position));
  return {
    says: told(name, result),
    changes: changes(before, await (goesOn.test(name) ? settled() : stateOf(database))),
    events: events.map(({ position: _, ...one }) => one),
  };
}

test('every operation of every contract has a case here', () => {
  const promised = modules.contracts.flatMap((one) =>
    Object.keys(one.operations).map((operation) => `${one.module}.${operation}`),
  );
  expect(Object.keys(cases).toSorted()).toEqual(promised.toSorted());
});

test('what a trial makes first is not kept in memory either', async () => {
  const request = await cases['orders.place']!();
  await modules.tried('orders.place', request.input, request.call);
  const place = (at: Modules) => at.dispatch('orders.place', request.input, request.call);
  const first = await place(modules);
  // Another host, which has nothing but the rows, takes it for the same request.
  const other = await openModules(shop, modules.keys);
  try {
    expect(first).toHaveProperty('output');
    expect(await place(other)).toEqual(first);
  } finally {
    await other.close();
  }
});

/** Those that change something have to be seen changing it, or their case says nothing. */
const reads =
  /\.(sessions|me|getUser|listProducts|getProduct|priceProducts|list|show|timeline|sagas|showSaga|sandboxCharges)$/;

test('a trial leaves nothing, and says and publishes what the real request does', async () => {
  for (const [name, fresh] of Object.entries(cases)) {
    const request = await fresh();
    const [before, files] = [await stateOf(database), filesOf(modules.folder)];
    const [noted, notices] = [modules.noted.length, heard.length];
    const tried = await modules.tried(name, request.input, request.call);
    expect.soft(tried.disturbed, name).toBeUndefined();
    expect.soft(changes(before, await stateOf(database)), name).toEqual({});
    expect.soft(filesOf(modules.folder), name).toEqual(files);
    expect.soft(heard.slice(notices), name).toEqual([]);
    expect.soft(modules.noted.slice(noted), name).toEqual([]);

    const happened = await real(name, request);
    expect.soft(told(name, tried.result), name).toBe(happened.says);
    expect.soft(happened.says, name).not.toMatch(/^[a-z-]+: /);
    expect.soft(alike(tried.events), name).toBe(alike(happened.events));
    if (name !== 'media.show' && reads.test(name)) {
      expect.soft(happened.changes, name).toEqual({});
      continue;
    }
    expect.soft(happened.changes, name).not.toEqual({});

    // Beside trials of the same keys: it changes what it changes alone, and says and publishes the same.
    const second = await fresh();
    const beside = await real(name, second, () =>
      Promise.all([1, 2, 3].map(() => modules.tried(name, second.input, second.call))),
    );
    const comparable = ({ says, changes, events }: typeof beside) => ({
      says,
      changes,
      events: alike(events),
    });
    expect.soft(comparable(beside), name).toEqual(comparable(happened));
  }
}, 300_000);
