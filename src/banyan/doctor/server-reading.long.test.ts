// A server as it is read on a real one: also by an administrator who is no superuser, as managed servers have it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { query, type ThrowawayServer, throwawayServer } from '../postgres/testing.ts';
import { withSession } from '../servers/pair/sessions.ts';
import { readServer, type ServerReading } from './server-reading.ts';
import { settingsOf } from './server-settings.ts';

let server: ThrowawayServer;
let superuser: string;
let keeper: string;
beforeAll(async () => {
  server = await throwawayServer();
  superuser = await server.database();
  await query(superuser, "CREATE ROLE keeper LOGIN CREATEROLE PASSWORD 'keeper'");
  await query(superuser, 'CREATE ROLE banyan_parcels LOGIN');
  await query(superuser, 'CREATE SCHEMA parcels');
  await query(superuser, 'CREATE TABLE parcels._prisma_migrations (migration_name text)');
  const url = new URL(superuser);
  [url.username, url.password] = ['keeper', 'keeper'];
  keeper = url.href;
}, 60_000);
afterAll(() => server?.stop());

const asked = { subject: 'shared', isHere: true, modules: ['parcels'], isPaired: false };
const read = (adminUrl: string): Promise<ServerReading> =>
  withSession({ name: 'shared', adminUrl }, 'doctor', (client) =>
    readServer(client, asked, ['banyan_parcels'], undefined),
  );

test('what a superuser alone may know is left out for others, and the rest is there', async () => {
  const [all, some] = [await read(superuser), await read(keeper)];
  expect(all.folder).toMatch(/^\//);
  expect(some.folder).toBeNull();
  const { versionNumber, takes } = all;
  expect(some).toMatchObject({ versionNumber, takes, isStandby: false, user: 'keeper' });
  expect(some.settings).toEqual(all.settings);
  expect(some.onCommandLine).toEqual(all.onCommandLine);
  expect(some.migrations.parcels).toMatch(/permission denied/);
  expect(Math.abs(some.clock.aheadMs)).toBeLessThanOrEqual(some.clock.doubtMs + 5);
});

test('what a role begins with is what is set nearest to it, and each remedy takes back what it names', async () => {
  const database = new URL(superuser).pathname.slice(1);
  const ofParcels = async () =>
    (await read(superuser)).given
      .filter(({ role }) => role === 'banyan_parcels')
      .map(({ value, by }) => [value, by]);
  const set = (whom: string, value: string) =>
    query(superuser, `ALTER ${whom} SET idle_session_timeout = '${value}'`);
  await set('ROLE ALL', '1h');
  expect(await ofParcels()).toEqual([['1h', 'all']]);
  await set(`DATABASE ${database}`, '2h');
  expect(await ofParcels()).toEqual([['2h', 'database']]);
  await set('ROLE banyan_parcels', '3h');
  expect(await ofParcels()).toEqual([['3h', 'role']]);
  await set(`ROLE banyan_parcels IN DATABASE ${database}`, '4h');
  expect(await ofParcels()).toEqual([['4h', 'role']]);
  const wrong = async () => settingsOf(await read(superuser)).filter(({ level }) => level !== 'ok');
  // What stood behind it comes to light.
  for (let n = 0; n < 2; n += 1)
    for (const { remedy } of await wrong())
      for (const one of remedy!.replace(/^Run there: /, '').split('; ')) await query(superuser, one);
  expect(await wrong()).toEqual([]);
  expect(await ofParcels()).toEqual([]);
});
