// Servers whose administrator is no superuser, as managed ones have it: the same moves, with the rights that the pre-flight asks for.
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isMarked } from '../postgres/away.ts';
import { query } from '../postgres/testing.ts';
import type { ServerAt } from './pair/moving.ts';
import { dropPair, makePair, pairState } from './pair/pair.ts';
import { compare } from './pair/verify.ts';
import { runPause } from './pause/pause.ts';
import { recover } from './pause/recover.ts';
import { refresh } from './pause/statistics.ts';
import { preflight } from './preflight/preflight.ts';
import { type Ground, moving, openGround } from './testing/ground.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await openGround(50, async (superuser) => {
    await query(superuser, "ALTER SYSTEM SET max_slot_wal_keep_size = '4GB'");
    await query(superuser, 'SELECT pg_reload_conf()');
    await query(superuser, "CREATE ROLE keeper LOGIN CREATEROLE REPLICATION PASSWORD 'keeper'");
    await query(superuser, 'GRANT pg_create_subscription TO keeper');
    await query(superuser, 'GRANT CREATE, CONNECT ON DATABASE banyan TO keeper WITH GRANT OPTION');
    const url = new URL(superuser);
    [url.username, url.password] = ['keeper', 'keeper'];
    return url.href;
  });
}, 120_000);
afterAll(() => ground?.close());

const isAwayAt = async ({ adminUrl }: ServerAt) => {
  const [row] = await query<{ comment: string }>(
    adminUrl,
    `SELECT obj_description('ware'::regnamespace) AS comment`,
  );
  return isMarked(row!.comment);
};

test('a store goes there and back, and the pair is ended', async () => {
  const { one, other } = ground;
  await expect.poll(() => preflight(one, other, moving)).toEqual([]);
  await makePair(one, other, moving);
  // A second time nothing is in the way, and what cannot be read is said again.
  await makePair(one, other, moving);
  const frozen = new pg.Client({ connectionString: ground.urlAt(one), application_name: 'frozen' });
  frozen.on('error', () => {});
  await frozen.connect();
  await frozen.query('BEGIN; UPDATE parcel SET n = 0');
  for (const [source, target] of [
    [one, other],
    [other, one],
  ] as const) {
    await refresh(target, moving);
    const by = { hold: async () => [], commit: async () => {}, release: async () => {} };
    const options = { budgetMs: 5_000, mayEnd: (application: string) => application === 'frozen' };
    const moved = await runPause({ source, target, moving }, by, options);
    expect([moved.why, moved.moved]).toEqual([undefined, true]);
    expect((await compare(moved.snapshots!)).filter(({ alike }) => !alike)).toEqual([]);
    await query(ground.urlAt(target), 'INSERT INTO parcel (id, n) VALUES (gen_random_uuid(), 1)');
  }
  await expect(frozen.query('COMMIT')).rejects.toThrow();
  await expect(recover({ owner: one, other, moving })).resolves.toEqual({});
  await expect(isAwayAt(other)).resolves.toBe(true);
  expect((await compare({ source: one, target: other, moving })).filter(({ alike }) => !alike)).toEqual([]);
  await expect(pairState(one, other, moving)).resolves.toMatchObject({ state: 'paired' });
  await expect(dropPair(one, other, moving)).resolves.toEqual([]);
  await expect(pairState(one, other, moving)).resolves.toMatchObject({ state: 'none' });
});
