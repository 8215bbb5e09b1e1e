// Every operation of every contract, shadowed by another process: nothing of it is left anywhere, and it says and publishes
// what a trial here does. Callees are shadows too, in a third process. Also when the one asked is killed meanwhile.
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AskByHttp } from '../src/banyan/calls/far-call.ts';
import type { ShadowOf } from '../src/banyan/calls/remote.ts';
import { anonymous } from '../src/banyan/context/principal.ts';
import { newTraceparent } from '../src/banyan/context/trace.ts';
import { cannot } from '../src/banyan/ladder/attempt.ts';
import { type Case, casesOf, type Request } from './rolled-back/cases.ts';
import { type Modules, openModules } from './rolled-back/modules.ts';
import { changes, filesOf, stateOf } from './rolled-back/rows.ts';
import { type ShadowHosts, startShadowHosts } from './shadow/hosts.ts';
import { remoteTo } from './shadow/remote.ts';
import { eventually } from './shop.ts';
import { type StartedShop, startShop } from './start-shop.ts';

let shop: StartedShop;
let modules: Modules;
let database: pg.Client;
let hosts: ShadowHosts;
let remote: ReturnType<typeof remoteTo>;
let cases: Record<string, Case>;

beforeAll(async () => {
  shop = await startShop();
  // Its jobs and consumers end with it.
  await shop.host.end();
  modules = await openModules(shop);
  database = new pg.Client({ connectionString: shop.databaseUrl });
  await database.connect();
  cases = casesOf(modules, database);
  hosts = await startShadowHosts(shop);
  remote = remoteTo(hosts.at, 'monolith');
}, 120_000);
afterAll(async () => {
  await remote?.close();
  await hosts?.close();
  await modules?.close();
  await database?.end();
  await shop?.stop();
});

const contractOf = (name: string) => {
  const [module, operation] = name.split('.') as [string, string];
  const contract = modules.contracts.find((one) => one.module === module)!;
  return { contract, operation, spec: contract.operations[operation]! };
};

/** As a monolith asks for it. */
function shadow(name: string, { input, call }: Request, ms = 20_000) {
  const { contract, operation } = contractOf(name);
  const { principal = anonymous, address } = call ?? {};
  const flow = { deadline: Date.now() + ms, traceparent: newTraceparent() };
  const of: ShadowOf = { principal, address, flow };
  return remote.tried(contract, operation, input, 'monolith', 'service', { key: 'k' }, of);
}

const alike = (value: unknown) =>
  JSON.stringify(value)
    ?.replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<id>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/eyJ[\w.-]+/g, '<sealed>')
    .replace(/for \d+ s/g, 'for <n> s');

test('every operation of every contract is shadowed and leaves nothing, or says why it cannot be', async () => {
  const promised = modules.contracts.flatMap(({ module, operations }) =>
    Object.keys(operations).map((operation) => `${module}.${operation}`),
  );
  expect(Object.keys(cases).toSorted()).toEqual(promised.toSorted());
  for (const [name, fresh] of Object.entries(cases)) {
    const { contract, spec } = contractOf(name);
    const request = await fresh();
    if (cannot(spec)) {
      expect.soft(spec.shadow?.never, `${name} says why it cannot be shadowed`).toMatch(/\w+ \w+/);
      await expect.soft(shadow(name, request), name).rejects.toThrow(AskByHttp);
      continue;
    }
    const [before, files] = [await stateOf(database), filesOf(modules.folder)];
    const far = await shadow(name, request);
    expect.soft(far.disturbed, name).toBeUndefined();
    expect.soft(changes(before, await stateOf(database)), name).toEqual({});
    expect.soft(filesOf(modules.folder), name).toEqual(files);
    const near = await modules.tried(name, request.input, request.call);
    expect.soft(near.result, name).toHaveProperty('output');
    expect
      .soft(alike(far.output ?? null), name)
      .toBe(alike('output' in near.result ? (near.result.output ?? null) : near));
    const own = near.events.filter(({ module }) => module === contract.module);
    expect.soft(alike(far.events), name).toBe(alike(own.map(({ type, key, data }) => ({ type, key, data }))));
  }
}, 120_000);

test('a shadow that meets a lock gives up, says so, and holds nobody up', async () => {
  const request = await cases['catalog.changeProduct']!();
  const { id } = request.input as { id: string };
  const holder = new pg.Client({ connectionString: shop.databaseUrl });
  await holder.connect();
  await holder.query('BEGIN');
  await holder.query('SELECT FROM catalog.products WHERE id = $1 FOR UPDATE', [id]);
  try {
    expect((await shadow('catalog.changeProduct', request)).disturbed).toMatch(/lock/);
  } finally {
    await holder.query('ROLLBACK');
    await holder.end();
  }
  expect((await shadow('catalog.changeProduct', request)).disturbed).toBeUndefined();
});

test('one whose budget runs out, and one whose process is killed, leave nothing either', async () => {
  const before = await stateOf(database).then(async () => {
    await cases['orders.place']!();
    return stateOf(database);
  });
  const request = await cases['orders.place']!();
  const made = await stateOf(database);
  const late = await shadow('orders.place', request, 12).catch((error: unknown) => ({ error }));
  expect('error' in late || late.disturbed !== undefined).toBe(true);
  const dying = Array.from({ length: 40 }, () =>
    shadow('orders.place', request).catch((error: unknown) => error),
  );
  await Promise.race(dying);
  await hosts.kill();
  await Promise.all(dying);
  // The server ends what the process had open.
  await eventually(async () => {
    const { rows } = await database.query(
      `SELECT FROM pg_stat_activity WHERE usename = 'banyan_orders' AND state <> 'idle' AND pid <> pg_backend_pid()`,
    );
    expect(rows).toHaveLength(0);
  });
  expect(changes(made, await stateOf(database))).toEqual({});
  expect(before.size).toBe(made.size);
  await hosts.again();
  await remote.close();
  remote = remoteTo(hosts.at, 'monolith');
  expect(await shadow('orders.place', request)).toMatchObject({ status: 202 });
}, 60_000);
