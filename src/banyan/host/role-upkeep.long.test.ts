// Roles while a monolith runs: room for one more process before it starts, or the number that is missing; and the lock of
// DATA_DIR, which nobody who has a role of a module can take.
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openServer, type TestServer } from '../events/testing/server.ts';
import { logSchema } from '../log/postgres-schema.ts';
import { controlSchema } from '../placement/schema.ts';
import { provision } from '../postgres/provision.ts';
import { roleUrl } from '../postgres/roles.ts';
import { createRoleUpkeep } from './role-upkeep.ts';
import { beginServer } from './server.ts';
import { Undo } from './undo.ts';

const log = pino({ level: 'silent' });
let server: TestServer;
let client: pg.Client;

const options = () => ({
  adminUrl: server.url,
  secret: 'the secret of these tests',
  modules: ['shop', 'till'],
  schemas: [controlSchema(), logSchema(['shop', 'till'])],
  moduleDdl: () => '',
  log,
});
const limits = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    (
      await client.query(
        `SELECT rolname AS role, rolconnlimit AS n FROM pg_roles WHERE rolcanlogin AND rolname LIKE 'banyan%'`,
      )
    ).rows.map(({ role, n }) => [role, n]),
  );

beforeAll(async () => {
  server = await openServer();
  await provision(options());
  client = new pg.Client({ connectionString: server.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await server.stop();
});

test('a role has room for one more process before it starts; where the server has not, it is said how many are missing', async () => {
  const upkeep = createRoleUpkeep({ ...options(), extra: new Map() });
  await upkeep.begin();
  const before = await limits();
  expect(Object.keys(before)).toHaveLength(4);
  for (const limit of Object.values(before)) expect(limit).toBeGreaterThan(5);
  expect(await upkeep.makeRoom('shop', 15)).toBeUndefined();
  const after = await limits();
  expect(after.banyan_shop).toBeGreaterThanOrEqual(7 + 15 * 12);
  expect(Object.values<number>(after).reduce((all, one) => all + one, 0)).toBeLessThan(397);
  expect(await upkeep.makeRoom('shop', 50)).toMatch(
    /takes \d{3} connections too few for 50 processes of shop .*Raise its max_connections by at least \d{3}/,
  );
  await upkeep.look();
  expect(await limits()).toEqual(before);
});

test('two databases of one server make room at the same instant', async () => {
  await client.query('CREATE DATABASE neighbour');
  const neighbour = new URL(server.url);
  neighbour.pathname = '/neighbour';
  await provision({ ...options(), adminUrl: neighbour.href });
  const both = [server.url, neighbour.href].map((adminUrl) =>
    createRoleUpkeep({ ...options(), adminUrl, extra: new Map() }),
  );
  for (let round = 1; round <= 40; round += 1)
    expect(
      await Promise.all(both.map((one, at) => one.makeRoom('shop', 1 + 9 * ((round + at) % 2)))),
    ).toEqual([undefined, undefined]);
});

test('who registers many processes of one module takes the room of no other', async () => {
  const upkeep = createRoleUpkeep({ ...options(), extra: new Map() });
  await upkeep.begin();
  const before = await limits();
  await client.query(`INSERT INTO banyan_control.host (host, id, role, modules, url, pid, machine, started, doors)
    SELECT gen_random_uuid(), 'till-' || n, 'service', '{till}', '', 0, '', '', '{}' FROM generate_series(100, 163) n`);
  expect(await upkeep.makeRoom('shop', 15)).toBeUndefined();
  const after = await limits();
  expect(after.banyan_shop).toBeGreaterThanOrEqual(7 + 15 * 12);
  expect(after.banyan_till).toBeGreaterThan(50);
  expect(Object.values<number>(after).reduce((all, one) => all + one, 0)).toBeLessThan(397);
  await client.query('DELETE FROM banyan_control.host');
  await upkeep.look();
  expect(await limits()).toEqual(before);
});

test('several that make room at once all have it', async () => {
  const upkeep = createRoleUpkeep({ ...options(), extra: new Map() });
  const rounds = Array.from({ length: 8 }, (_, i) => upkeep.makeRoom(i % 2 ? 'shop' : 'till', i));
  expect(await Promise.all(rounds)).toEqual(rounds.map(() => undefined));
});

test('a role of a module cannot hold DATA_DIR, and a second monolith is told that it is in use', async () => {
  const thief = new pg.Client({ connectionString: roleUrl(server.url, options().secret, 'banyan_till') });
  await thief.connect();
  await thief.query('SELECT pg_advisory_lock(7220003)');
  const [first, second] = [new Undo(log), new Undo(log)];
  const begin = async (undo: Undo) => (await beginServer(server.folder, log, undo)).server;
  const held = await begin(first);
  await expect(thief.query('SELECT pg_try_advisory_lock(722, 3)')).rejects.toMatchObject({ code: '42501' });
  await expect(begin(second)).rejects.toThrow('is in use by a Banyan');
  await held.session.end();
  // As a monolith of the version before holds it: by the lock of one number, as the superuser.
  await thief.query('SELECT pg_advisory_unlock_all()');
  await client.query('SELECT pg_advisory_lock(7220003)');
  await expect(begin(second)).rejects.toThrow('is in use by a Banyan');
  await thief.end();
}, 30_000);
