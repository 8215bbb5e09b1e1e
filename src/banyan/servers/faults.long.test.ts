// What goes wrong on the way of a store: each leaves it where it was, or is found and mended, and nothing is lost.
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { ensureSchema } from '../postgres/roles.ts';
import { query } from '../postgres/testing.ts';
import { olderThan } from './pair/fence.ts';
import { wouldBeLost } from './pair/lost.ts';
import { beat } from './pair/marker.ts';
import { linkOf, type ServerAt } from './pair/moving.ts';
import { dropPair, makePair, pairState } from './pair/pair.ts';
import { dropSlot } from './pair/slots.ts';
import { compare } from './pair/verify.ts';
import { lagGate } from './pause/lag.ts';
import { type PauseBy, type PauseOptions, runPause } from './pause/pause.ts';
import { recover } from './pause/recover.ts';
import { createMechanics } from './tasks/between.ts';
import { dropLeftover } from './tasks/leftover.ts';
import { type Ground, moving, openGround, provisionAt } from './testing/ground.ts';

let ground: Ground;
let one: ServerAt;
let other: ServerAt;
beforeAll(async () => {
  ground = await openGround(500);
  ({ one, other } = ground);
}, 120_000);
afterAll(() => ground?.close());
afterEach(() => {
  vi.restoreAllMocks();
});

const nothing: PauseBy = { hold: async () => [], commit: async () => {}, release: async () => {} };
/** A busy machine is not what is tried here. */
const calm: PauseOptions = { budgetMs: 5_000 };
const there = (by: Partial<PauseBy> = {}, options: PauseOptions = {}) =>
  runPause({ source: one, target: other, moving }, { ...nothing, ...by }, { ...calm, ...options });
const back = () => runPause({ source: other, target: one, moving }, nothing, calm);

const as = (server: ServerAt) => (text: string) => query(ground.urlAt(server), text);
const write = (server: ServerAt) =>
  as(server)(
    `INSERT INTO parcel (id, n) VALUES ('${randomUUID()}', 1); INSERT INTO parcel_line (parcel, weight) SELECT id, 1 FROM parcel LIMIT 3`,
  );
const denied = { code: '42501' };

/** Of files that the server writes from its next session on. */
function limitFiles(pid: number, most: string): void {
  // As the server's own user: nobody else may in a container.
  const { uid, gid } = statSync(`/proc/${pid}`);
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${most}:`], { uid, gid });
}

async function allAlike(): Promise<void> {
  const compared = await compare({ source: one, target: other, moving });
  expect(compared.filter(({ alike }) => !alike)).toEqual([]);
}

test('a full disk at the target: the copy is given up with words, and the source is as it was', async () => {
  await query(other.adminUrl, "ALTER SYSTEM SET wal_retrieve_retry_interval = '200ms'");
  await query(other.adminUrl, 'SELECT pg_reload_conf()');
  // 24 MB, where no file may have more than 17: its log's have 16.
  await query(
    one.adminUrl,
    `INSERT INTO ware.parcel (id, n, note) SELECT gen_random_uuid(), -1,
       (SELECT string_agg(md5(i || ' ' || j), '') FROM generate_series(1, 250) AS j) FROM generate_series(1, 3000) AS i`,
  );
  limitFiles(ground.servers[1].pid, String(17 * 2 ** 20));
  await expect(makePair(one, other, moving)).rejects.toThrow(
    /copy of ware to own failed.*its disk may be full/,
  );
  await expect(pairState(one, other, moving)).resolves.toMatchObject({ state: 'copying' });
  limitFiles(ground.servers[1].pid, 'unlimited');
  await expect(dropPair(one, other, moving)).resolves.toEqual([]);
  await write(one);
  await query(one.adminUrl, 'DELETE FROM ware.parcel WHERE n = -1');
});

test('a pair whose maker is killed before every other of its statements is made by the next', async () => {
  const query = pg.Client.prototype.query;
  let left = 0;
  vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...asked: unknown[]) {
    left -= 1;
    if (left < 0) return Promise.reject(new Error('killed')) as never;
    return (query as (...of: unknown[]) => never).apply(this, asked);
  });
  let kills = 0;
  for (let made = false; !made; ) {
    left = kills;
    made = await makePair(one, other, moving).then(
      () => true,
      (error: Error) => {
        expect(error.message).toMatch(/killed/);
        kills += 2;
        return false;
      },
    );
  }
  vi.restoreAllMocks();
  expect(kills).toBeGreaterThan(30);
  await expect(pairState(one, other, moving)).resolves.toMatchObject({ state: 'paired' });
  await allAlike();
});

test('a table that differs is named, and no other', async () => {
  // What has an origin is not sent back.
  const aside = (statement: string) =>
    query(
      other.adminUrl,
      `SELECT pg_replication_origin_create('aside'); SELECT pg_replication_origin_session_setup('aside'); ${statement}`,
    ).then(() => query(other.adminUrl, "SELECT pg_replication_origin_drop('aside')"));
  const differ = async () =>
    (await compare({ source: one, target: other, moving }))
      .filter(({ alike }) => !alike)
      .map(({ table }) => table);
  await aside('UPDATE ware.parcel SET n = -n WHERE n = 7');
  expect(await differ()).toEqual(['parcel']);
  await aside('UPDATE ware.parcel SET n = -n WHERE n = -7');
  expect(await differ()).toEqual([]);
});

test('a rehearsal leaves everything as it was, and its snapshots are alike', async () => {
  const release = vi.fn(async () => {});
  const commit = vi.fn(async () => {});
  const rehearsed = await there({ release, commit }, { rehearse: true });
  expect(rehearsed).toMatchObject({
    moved: false,
    numbers: { fence: expect.any(Number), grant: expect.any(Number) },
  });
  expect(rehearsed.why).toBeUndefined();
  expect([release.mock.calls.length, commit.mock.calls.length]).toEqual([1, 0]);
  expect((await compare(rehearsed.snapshots!)).filter(({ alike }) => !alike)).toEqual([]);
  await write(one);
  await expect(write(other)).rejects.toMatchObject(denied);
});

test('who did not hold, and a hold that takes too long: as before', async () => {
  await expect(there({ hold: async () => ['host-2'] })).resolves.toMatchObject({
    moved: false,
    code: 'not-held',
    why: expect.stringMatching(/host-2/),
  });
  await expect(there({ hold: () => new Promise(() => {}) }, { budgetMs: 100 })).resolves.toMatchObject({
    moved: false,
    code: 'over-budget',
  });
  await write(one);
});

test('a commit point for which there is no time left is not made', async () => {
  let made = false;
  const commit = async () => {
    made = true;
  };
  const paused = await there({ commit, commitMs: () => calm.budgetMs! });
  expect(paused).toMatchObject({ moved: false, code: 'over-budget' });
  expect(made).toBe(false);
});

/** Whoever changes rights there waits until it is ended. */
async function hanging(server: ServerAt): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: server.adminUrl });
  await client.connect();
  await client.query('BEGIN; REVOKE REFERENCES ON ware.parcel FROM banyan_ware');
  return async () => {
    await client.query('ROLLBACK');
    await client.end();
  };
}

test('a target that hangs while a pause is taken back holds nobody up, and is told what it is later', async () => {
  const goOn = await hanging(other);
  const release = vi.fn(async () => {});
  const begun = performance.now();
  const paused = await there({ release }, { budgetMs: 1_000 });
  expect(performance.now() - begun).toBeLessThan(8_000);
  expect(paused).toMatchObject({
    moved: false,
    code: 'over-budget',
    left: expect.stringMatching(/^own could not be told.*within 1500 ms/),
  });
  expect(release).toHaveBeenCalledOnce();
  await write(one);
  await goOn();
  await expect(recover({ owner: one, other, moving })).resolves.toEqual({});
  await expect(write(other)).rejects.toMatchObject(denied);
});

test('a source that hangs: who was held goes on after some seconds all the same, and it is let in to later', async () => {
  const goOn = await hanging(one);
  const release = vi.fn(async () => {});
  await expect(there({ release }, { budgetMs: 1_000 })).rejects.toThrow(
    'the server shared did not do what it was asked',
  );
  expect(release).toHaveBeenCalledOnce();
  await goOn();
  await expect(recover({ owner: one, other, moving })).resolves.toEqual({});
  await write(one);
  await expect(write(other)).rejects.toMatchObject(denied);
});

test('a transaction that was open at the fence writes on: the pause is taken back, and nothing is lost', async () => {
  const open = new pg.Client({
    connectionString: ground.urlAt(one),
    application_name: 'banyan ware@slow-host',
  });
  await open.connect();
  const id = randomUUID();
  await open.query(`BEGIN; INSERT INTO parcel (id, n) VALUES ('${id}', 1)`);
  const commit = vi.fn(async () => {});
  const paused = await there({ commit });
  expect(paused).toMatchObject({
    moved: false,
    code: 'open-transactions',
    why: expect.stringMatching(/slow-host/),
  });
  expect(commit).not.toHaveBeenCalled();
  await open.query(`UPDATE parcel SET n = 2 WHERE id = '${id}'; COMMIT`);
  await open.end();
  expect(await lagGate({ source: one, target: other, moving })).toBeUndefined();
  await allAlike();
  await expect(as(one)(`SELECT n FROM parcel WHERE id = '${id}'`)).resolves.toEqual([{ n: 2 }]);
});

test('a disk of the target that is full in the pause: it is taken back, and the pair goes on when there is room', async () => {
  const { pid } = ground.servers[1];
  // Each process that writes there now; those that are started again have room.
  const fills = async () => {
    for (const one of execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
      .trim()
      .split('\n'))
      limitFiles(Number(one), '8192');
    return [];
  };
  const release = vi.fn(async () => {});
  const commit = vi.fn(async () => {});
  await write(one);
  await expect(there({ hold: fills, release, commit }, { budgetMs: 1_000 })).resolves.toMatchObject({
    moved: false,
  });
  expect([release.mock.calls.length, commit.mock.calls.length]).toEqual([1, 0]);
  await write(one);
  await expect.poll(() => recover({ owner: one, other, moving }), { timeout: 20_000 }).toEqual({});
  await expect
    .poll(() => pairState(one, other, moving).catch(({ message }) => message), { timeout: 20_000 })
    .toMatchObject({ state: 'paired' });
  expect(await lagGate({ source: one, target: other, moving }, { withinMs: 20_000 })).toBeUndefined();
  await allAlike();
});

const olderOf = async ({ adminUrl }: ServerAt) => {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  return olderThan(client, moving).finally(() => client.end());
};

test('a frozen host that holds a transaction open is ended, moved away from, and refused when it wakes', async () => {
  const frozen = new pg.Client({
    connectionString: ground.urlAt(one),
    application_name: 'banyan ware@frozen',
  });
  frozen.on('error', () => {});
  await frozen.connect();
  const awake = new pg.Client({ connectionString: ground.urlAt(one), application_name: 'banyan ware@awake' });
  await awake.connect();
  await awake.query({
    name: 'put',
    text: 'INSERT INTO parcel (id, n) VALUES (gen_random_uuid(), $1)',
    values: [1],
  });
  await frozen.query('BEGIN; UPDATE parcel SET n = 99');
  const mayEnd = (application: string) => application.endsWith('@frozen');
  await expect.poll(async () => (await olderOf(one))[0]!.seconds, { timeout: 5_000 }).toBeGreaterThan(1);
  const between = { source: one, target: other, moving };
  expect(await lagGate(between, { withinMs: 100 })).toMatch(/ware@frozen/);
  expect(
    await lagGate(between, { withinMs: 20_000, roundMs: 1_000, mayEnd: async () => mayEnd }),
  ).toBeUndefined();
  await expect(there({}, { mayEnd })).resolves.toMatchObject({ moved: true });
  await expect(frozen.query('COMMIT')).rejects.toThrow();
  await expect(awake.query({ name: 'put', text: '', values: [1] })).rejects.toMatchObject(denied);
  await awake.end();
});

test('identities do not collide right after, and the old server takes nothing', async () => {
  await Promise.all([1, 2, 3].map(() => write(other)));
  await expect(write(one)).rejects.toMatchObject(denied);
  // What follows was cut off when the other was started again, and comes back when it looks.
  expect(await lagGate({ source: other, target: one, moving }, { withinMs: 20_000 })).toBeUndefined();
  await allAlike();
  await expect(back()).resolves.toMatchObject({ moved: true });
  await write(one);
});

test('a commit point of which nothing is known is left as it is, for whoever has read the row', async () => {
  const commit = () => Promise.reject(new Error('the connection is lost'));
  await expect(there({ commit })).rejects.toThrow('the connection is lost');
  // The one that lets in is the one that would be the owner.
  await expect(write(one)).rejects.toMatchObject(denied);
  await recover({ owner: one, other, moving });
  await write(one);
  await expect(write(other)).rejects.toMatchObject(denied);
  // A version that knows of one server alone begins with this at its start, and grants the module its rights there.
  const older = async ({ adminUrl }: ServerAt) => {
    const client = new pg.Client({ connectionString: adminUrl });
    await client.connect();
    await ensureSchema(client, { ...moving, password: '', passwordMark: '', plans: 'auto' }).finally(() =>
      client.end(),
    );
  };
  await expect(older(other)).rejects.toThrow(/has a schema ware that is not Banyan's/);
  await expect(write(other)).rejects.toMatchObject(denied);
  await older(one);
});

test('a target that does not follow: the gate says so, and a pause is taken back', async () => {
  const [{ name }] = (await query<{ name: string }>(
    other.adminUrl,
    'SELECT subname AS name FROM pg_subscription',
  )) as [{ name: string }];
  await query(other.adminUrl, `ALTER SUBSCRIPTION ${name} DISABLE`);
  await write(one);
  await expect(lagGate({ source: one, target: other, moving }, { withinMs: 100 })).resolves.toMatch(
    /own is more than/,
  );
  await expect(there({}, { budgetMs: 500 })).resolves.toMatchObject({ moved: false, code: 'over-budget' });
  await expect(pairState(one, other, moving)).resolves.toMatchObject({
    state: 'broken',
    reason: expect.stringMatching(/disabled/),
  });
  await query(other.adminUrl, `ALTER SUBSCRIPTION ${name} ENABLE`);
  await write(one);
  await allAlike();
});

test('a look keeps a pair: a server that is somewhere else is found, and tables of a migration are taken in', async () => {
  const [{ name }] = (await query<{ name: string }>(
    one.adminUrl,
    'SELECT subname AS name FROM pg_subscription',
  )) as [{ name: string }];
  await query(
    one.adminUrl,
    `ALTER SUBSCRIPTION ${name} CONNECTION 'host=127.0.0.1 port=1 dbname=none user=none password=none'`,
  );
  const more = 'CREATE TABLE IF NOT EXISTS pallet (id int PRIMARY KEY)';
  await provisionAt(one.adminUrl, more);
  await as(one)('INSERT INTO pallet VALUES (1)');
  // The other has no such table yet.
  await expect(pairState(one, other, moving)).resolves.toMatchObject({
    reason: expect.stringMatching(/pallet/),
  });
  await expect(there()).resolves.toMatchObject({
    moved: false,
    why: expect.stringMatching(/does not follow.*pallet/),
  });
  await provisionAt(other.adminUrl, more);
  await recover({ owner: one, other, moving });
  await vi.waitFor(
    async () => expect(await pairState(one, other, moving)).toMatchObject({ state: 'paired', lagBytes: 0 }),
    { timeout: 20_000 },
  );
  await vi.waitFor(
    async () => expect(await query(other.adminUrl, 'SELECT id FROM ware.pallet')).toEqual([{ id: 1 }]),
    { timeout: 20_000 },
  );
  await expect(there()).resolves.toMatchObject({ moved: true });
  await as(other)('INSERT INTO pallet VALUES (2)');
  await expect(back()).resolves.toMatchObject({ moved: true });
  await allAlike();
});

test('a slot that was dropped breaks the pair, and a new copy mends it', async () => {
  const client = new pg.Client({ connectionString: one.adminUrl });
  await client.connect();
  await dropSlot(client, linkOf(one, other, moving));
  await client.end();
  await expect(pairState(one, other, moving)).resolves.toMatchObject({
    state: 'broken',
    reason: expect.stringMatching(/slot on shared/),
  });
  await write(one);
  await makePair(one, other, moving);
  await expect(pairState(one, other, moving)).resolves.toMatchObject({ state: 'paired' });
  await allAlike();
});

test('what a lost owner takes with it is said', async () => {
  await beat(one, moving);
  await expect.poll(async () => (await wouldBeLost(other, one, moving)).seconds).toBeLessThan(60);
  expect((await wouldBeLost(other, one, moving)).words).toMatch(/would be missing/);
});

test('a pair that is ended leaves nothing on either server, and may be made again', async () => {
  await expect(dropPair(one, other, moving)).resolves.toEqual([]);
  for (const { adminUrl } of [one, other])
    await expect(
      query(
        adminUrl,
        `SELECT slot_name FROM pg_replication_slots UNION ALL SELECT subname FROM pg_subscription UNION ALL SELECT pubname FROM pg_publication
         UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE '%pair' UNION ALL SELECT roname FROM pg_replication_origin`,
      ),
    ).resolves.toEqual([]);
  await expect(pairState(one, other, moving)).resolves.toMatchObject({ state: 'none' });
  await expect(makePair(other, one, moving)).rejects.toThrow(/in use on shared/);
});

test('what is left on a server is dropped: not while it follows, lets the module in, is used or was read; and the owner never', async () => {
  const drop = (server: ServerAt, since = '2020-01-01') => dropLeftover(server, moving, since);
  await expect(drop(one)).rejects.toThrow(/ware may write there/);
  await makePair(one, other, moving);
  await expect(drop(other)).rejects.toThrow(/a server follows it/);
  await dropPair(one, other, moving);
  await expect.poll(() => drop(other).catch(({ message }) => message)).toMatch(/somebody read \w+ within/);
  await query(other.adminUrl, 'SELECT pg_stat_reset()');
  const reader = new pg.Client({ connectionString: other.adminUrl });
  await reader.connect();
  await reader.query('BEGIN; LOCK TABLE ware.parcel IN ACCESS SHARE MODE');
  await expect(drop(other)).rejects.toThrow(/somebody uses it/);
  await reader.end();
  await drop(other);
  await drop(other);
  await expect(
    query(other.adminUrl, `SELECT nspname FROM pg_namespace WHERE nspname = 'ware'`),
  ).resolves.toEqual([]);
  await write(one);
  await provisionAt(other.adminUrl, 'CREATE TABLE IF NOT EXISTS pallet (id int PRIMARY KEY)');
});

test('a lost owner: the other takes over without what it had not got, and nothing of it comes later', async () => {
  await makePair(one, other, moving);
  const [{ name }] = (await query<{ name: string }>(
    other.adminUrl,
    'SELECT subname AS name FROM pg_subscription',
  )) as [{ name: string }];
  await query(other.adminUrl, `ALTER SUBSCRIPTION ${name} DISABLE`);
  const id = randomUUID();
  await as(one)(`INSERT INTO parcel (id, n) VALUES ('${id}', 1)`);
  const unreached = new URL(one.adminUrl);
  unreached.searchParams.delete('host');
  unreached.port = '1';
  const none = async () => {};
  const mechanics = createMechanics({
    provision: none,
    facts: async () => ({}),
    mayEnd: async () => () => false,
  });
  await mechanics.takeOver({ source: { ...one, adminUrl: unreached.href }, target: other, moving });
  await write(other);
  // Nobody follows it, whatever it still has.
  await expect(query(other.adminUrl, `ALTER SUBSCRIPTION ${name} ENABLE`)).rejects.toThrow(/does not exist/);
  // It is back: it is told that it is the owner no more, and what is left of the pair on it goes.
  await expect(recover({ owner: other, other: one, moving })).resolves.toEqual({});
  await expect(write(one)).rejects.toMatchObject(denied);
  await expect(dropPair(one, other, moving)).resolves.toEqual([]);
  await expect(as(other)(`SELECT FROM parcel WHERE id = '${id}'`)).resolves.toEqual([]);
});
