// Every reason against a move is found at once, with its remedy, and nothing is changed by looking.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { query } from '../../postgres/testing.ts';
import { type Ground, moving, openGround } from '../testing/ground.ts';
import { preflight } from './preflight.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await openGround(10);
  const { one, other } = ground;
  for (const { adminUrl } of [one, other])
    await query(adminUrl, "ALTER SYSTEM SET max_slot_wal_keep_size = '4GB'").then(() =>
      query(adminUrl, 'SELECT pg_reload_conf()'),
    );
}, 120_000);
afterAll(() => ground?.close());

const codes = async (...asked: Parameters<typeof preflight>) =>
  (await preflight(...asked)).map(({ code }) => code);

test('nothing is in the way of a store as it should be', async () => {
  await expect.poll(() => preflight(ground.one, ground.other, moving)).toEqual([]);
});

test('a server that is none, one that does not answer, and the same one twice', async () => {
  const { one } = ground;
  const none = { name: 'none', adminUrl: 'postgres://postgres:secret-word@127.0.0.1:1/banyan' };
  const found = await preflight(one, none, moving);
  expect(found).toMatchObject([{ code: 'server-unreachable' }]);
  expect(JSON.stringify(found)).not.toContain('secret-word');
  expect(await codes(one, { ...one, name: 'again' }, moving)).toEqual(['same-server']);
});

test('everything that is wrong is said at once', async () => {
  const { one, other } = ground;
  await query(
    one.adminUrl,
    `CREATE TABLE public.elsewhere (id int PRIMARY KEY); GRANT SELECT ON public.elsewhere TO banyan_ware;
     CREATE TABLE ware.keyless (n int REFERENCES public.elsewhere (id)); CREATE UNLOGGED TABLE ware.fleeting (id int PRIMARY KEY);
     CREATE MATERIALIZED VIEW ware.sums AS SELECT 1 AS one;
     CREATE FUNCTION ware.strong() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';`,
  );
  await query(other.adminUrl, 'INSERT INTO ware.parcel (id, n) VALUES (gen_random_uuid(), 1)');
  const found = await preflight(one, other, moving, { freeBytes: 10, connections: 100_000 });
  expect(found.map(({ code }) => code).sort()).toEqual([
    'definer-function',
    'foreign-key-outside',
    'no-primary-key',
    'no-room',
    'not-a-table',
    'rights-outside',
    'target-in-use',
    'too-few-connections',
    'unlogged',
  ]);
  expect(found.find(({ code }) => code === 'rights-outside')?.detail).toMatch(/table public\.elsewhere/);
  for (const { remedy } of found) expect(remedy).not.toBe('');
  expect(await codes(one, other, moving, { exempt: ['public.*'] })).not.toContain('rights-outside');
});

test('an administrator who may too little', async () => {
  const { one, other } = ground;
  await query(other.adminUrl, "CREATE ROLE weak LOGIN PASSWORD 'weak'");
  const weak = new URL(other.adminUrl);
  [weak.username, weak.password] = ['weak', 'weak'];
  const found = await codes(one, { name: 'own', adminUrl: weak.href }, moving);
  expect(found).toEqual(
    expect.arrayContaining([
      'may-not-replicate',
      'may-not-create-roles',
      'may-not-subscribe',
      'may-not-create',
    ]),
  );
});
