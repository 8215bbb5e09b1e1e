// The database itself keeps modules apart; and it is made ready once, whoever starts, stops or is killed.
import { readdirSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sagaTableNames } from '../saga/tables.ts';
import { limitConnections } from './connection-limits.ts';
import { missingMigration } from './drift.ts';
import { migrationsOf } from './migrations.ts';
import { provision, rolesOf } from './provision.ts';
import { type ChangedRole, restoreRoles } from './role-keeping.ts';
import { roleUrl, runtimeRole } from './roles.ts';
import { checkServer, connectionsOf } from './server-check.ts';
import { query, silent, type ThrowawayServer, throwawayServer } from './testing.ts';

const secret = 'the secret of these tests';
/** Modules with migrations, whichever they are. */
const prisma = new URL('../../../prisma/', import.meta.url);
const modules = readdirSync(prisma, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
const [one, other] = modules as [string, string];

const options = {
  secret,
  modules: [one, other],
  prisma,
  schemas: [
    {
      schema: 'outside',
      role: 'banyan_outside',
      ddl: 'CREATE TABLE IF NOT EXISTS ledger (id int PRIMARY KEY)',
    },
  ],
  moduleDdl: () => `CREATE TABLE IF NOT EXISTS letters (id int PRIMARY KEY);
    CREATE OR REPLACE FUNCTION letter_count() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM letters';`,
  log: silent,
};

let server: ThrowawayServer;

beforeAll(async () => {
  server = await throwawayServer();
});
afterAll(() => server.stop());

/** Runs one statement as the runtime role of a schema. */
const as = (url: string, role: string) => (text: string) => query(roleUrl(url, secret, role), text);

/** What the server looks like to us, to see whether anything was touched. */
const pictureOf = (url: string) =>
  query(
    url,
    'SELECT oid, xmin::text AS row_version FROM pg_class UNION ALL SELECT oid, xmin::text FROM pg_authid ORDER BY 1',
  );

describe('a module of the database', () => {
  let url: string;
  let asOne: (text: string) => Promise<unknown[]>;

  beforeAll(async () => {
    url = await server.database();
    await provision({ ...options, adminUrl: url });
    asOne = as(url, runtimeRole(one));
  });

  test('reads and writes its own tables, and calls its own functions', async () => {
    await asOne('INSERT INTO letters VALUES (1)');
    await expect(asOne('SELECT letter_count() AS n')).resolves.toEqual([{ n: '1' }]);
  });

  test.each([
    ['read the tables of another', `SELECT * FROM ${other}.letters`],
    ['write the tables of another', `INSERT INTO ${other}.letters VALUES (1)`],
    [
      'join its own with those of another',
      `SELECT * FROM letters JOIN ${other}.letters AS theirs USING (id)`,
    ],
    ['call the functions of another', `SELECT ${other}.letter_count()`],
    ['read a schema of the outside', 'SELECT * FROM outside.ledger'],
    ['create a table in public', 'CREATE TABLE public.mine ()'],
    ['create a table in its own schema', 'CREATE TABLE mine ()'],
    ['empty its tables at once', 'TRUNCATE letters'],
    ['rewrite what was migrated', 'DELETE FROM _prisma_migrations'],
    ['become its owner', `SET ROLE ${runtimeRole(one)}_owner`],
    ['become another module', `SET ROLE ${runtimeRole(other)}`],
  ])('may not %s', async (_what, statement) => {
    await expect(asOne(statement)).rejects.toMatchObject({ code: '42501' });
  });
});

describe('provisioning', () => {
  test('of one database by three hosts at once', async () => {
    const url = await server.database();
    await Promise.all([1, 2, 3].map(() => provision({ ...options, adminUrl: url })));
    const [row] = await query(
      url,
      `SELECT count(*)::int AS n FROM ${one}._prisma_migrations WHERE finished_at IS NULL`,
    );
    expect(row).toEqual({ n: 0 });
  });

  test('of two databases of one server at once, which share the roles', async () => {
    const urls = [await server.database(), await server.database()];
    await Promise.all(urls.map((adminUrl) => provision({ ...options, adminUrl })));
    for (const url of urls) await as(url, 'banyan_outside')('SELECT * FROM ledger');
  });

  test('touches nothing when all is done', async () => {
    const url = await server.database();
    await provision({ ...options, adminUrl: url });
    const before = await pictureOf(url);
    await provision({ ...options, adminUrl: url });
    expect(await pictureOf(url)).toEqual(before);
  });

  test('makes again what was dropped', async () => {
    const url = await server.database();
    await provision({ ...options, adminUrl: url });
    await query(url, `DROP SCHEMA ${one} CASCADE`);
    await provision({ ...options, adminUrl: url });
    await as(url, runtimeRole(one))('SELECT * FROM letters');
  });

  test('goes on where a host was killed in the middle of a migration', async () => {
    const url = await server.database();
    await provision({ ...options, adminUrl: url });
    // As it is left: begun, not finished, and nothing of the script there.
    await query(
      url,
      `DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = '${one}' AND tablename <> '_prisma_migrations'
        LOOP EXECUTE format('DROP TABLE ${one}.%I CASCADE', t); END LOOP; END $$`,
    );
    await query(url, `UPDATE ${one}._prisma_migrations SET finished_at = NULL, applied_steps_count = 0`);
    await query(url, `COMMENT ON SCHEMA ${one} IS NULL`);
    await provision({ ...options, adminUrl: url });
    const rows = await query<{ done: boolean; undone: boolean }>(
      url,
      `SELECT finished_at IS NOT NULL AS done, rolled_back_at IS NOT NULL AS undone FROM ${one}._prisma_migrations ORDER BY started_at`,
    );
    expect(rows.filter(({ done }) => done).length).toBeGreaterThan(0);
    expect(rows.every(({ done, undone }) => done !== undone)).toBe(true);
  });

  test('gives its first migration to a module that once ran without any, two hosts at once as well', async () => {
    const url = await server.database();
    await provision({ ...options, adminUrl: url });
    // As it was then: the library's tables, which hold something, and no history of migrations.
    await query(
      url,
      `DO $$ DECLARE t text; BEGIN
        FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = '${one}' AND tablename <> 'letters'
        LOOP EXECUTE format('DROP TABLE ${one}.%I CASCADE', t); END LOOP; END $$;
       DO $$ DECLARE t text; BEGIN
        FOR t IN SELECT typname FROM pg_type WHERE typnamespace = '${one}'::regnamespace AND typtype = 'e'
        LOOP EXECUTE format('DROP TYPE ${one}.%I CASCADE', t); END LOOP; END $$`,
    );
    await query(url, `INSERT INTO ${one}.letters VALUES (7); COMMENT ON SCHEMA ${one} IS NULL`);
    await Promise.all([provision({ ...options, adminUrl: url }), provision({ ...options, adminUrl: url })]);
    expect(await query(url, `SELECT id FROM ${one}.letters`)).toEqual([{ id: 7 }]);
    const done = `SELECT count(*)::int AS n FROM ${one}._prisma_migrations WHERE finished_at IS NOT NULL`;
    expect(await query(url, done)).toEqual([{ n: migrationsOf(prisma, one).migrationDirectories.length }]);
    await expect(
      as(url, runtimeRole(one))(`UPDATE ${one}._prisma_migrations SET logs = 'mine'`),
    ).rejects.toMatchObject({ code: '42501' });
  });

  test('is not put over tables that somebody else made', async () => {
    const url = await server.database();
    await provision({ ...options, adminUrl: url });
    await query(url, `DROP TABLE ${one}._prisma_migrations; COMMENT ON SCHEMA ${one} IS NULL`);
    await expect(provision({ ...options, adminUrl: url })).rejects.toThrow(/schema is not empty/);
  });

  test('leaves a store alone that a newer host has migrated', async () => {
    const url = await server.database();
    await provision({ ...options, adminUrl: url });
    await query(
      url,
      `INSERT INTO ${one}._prisma_migrations SELECT gen_random_uuid(), checksum, finished_at, '29990101000000_later', logs, NULL, started_at, 1 FROM ${one}._prisma_migrations LIMIT 1`,
    );
    await provision({ ...options, adminUrl: url, moduleDdl: () => 'DROP TABLE letters' });
    await as(url, runtimeRole(one))('SELECT * FROM letters');
  });

  test('says which tables could not be made, and why', async () => {
    const url = await server.database();
    const broken = provision({
      ...options,
      adminUrl: url,
      moduleDdl: () => 'CREATE TABLE letters (id nonsense)',
    });
    await expect(broken).rejects.toThrow(
      `The tables of ${one} could not be made: type "nonsense" does not exist`,
    );
  });

  test('with another secret gives the roles new passwords', async () => {
    const own = await throwawayServer();
    try {
      await provision({ ...options, adminUrl: own.url });
      await provision({ ...options, adminUrl: own.url, secret: 'another secret' });
      await query(roleUrl(own.url, 'another secret', runtimeRole(one)), 'SELECT 1');
      await expect(as(own.url, runtimeRole(one))('SELECT 1')).rejects.toMatchObject({ code: '28P01' });
      // What a person chose, of any letters, is what libpq and the server make of it.
      const chosen = '\u2168 \u00e4\u00a0\u00ad\ufb01';
      await provision({
        ...options,
        adminUrl: own.url,
        secret: 'another secret',
        passwords: { [runtimeRole(one)]: chosen },
      });
      const url = new URL(roleUrl(own.url, 'another secret', runtimeRole(one)));
      await query(Object.assign(url, { password: encodeURIComponent(chosen) }).href, 'SELECT 1');
      // A second Banyan, in a database of its own, must not take the roles of the first.
      const second = provision({ ...options, adminUrl: await own.database(), secret: 'a third secret' });
      await expect(second).rejects.toThrow('belongs to the Banyan in the database banyan of the same server');
    } finally {
      await own.stop();
    }
  });
});

describe('a server that is Banyan’s alone', () => {
  let own: ThrowawayServer;
  const seen: ChangedRole[] = [];
  const begin = () =>
    provision({ ...options, adminUrl: own.url, ownServer: true, onChangedRole: (role) => seen.push(role) });

  beforeAll(async () => {
    own = await throwawayServer();
    await begin();
  });
  afterAll(() => own.stop());

  const asModule = (text: string) => as(own.url, runtimeRole(one))(text);

  test('lets nobody make a temporary table, or into another database', async () => {
    await expect(asModule('CREATE TEMP TABLE mine ()')).rejects.toMatchObject({ code: '42501' });
    for (const name of ['postgres', 'template1', new URL(await own.database()).pathname.slice(1)]) {
      await begin();
      const url = new URL(roleUrl(own.url, secret, runtimeRole(one)));
      url.pathname = name;
      await expect(query(url.href, 'SELECT 1')).rejects.toMatchObject({ code: '42501' });
    }
  });

  test('ends what stands still by accident', async () => {
    const [set] = (await asModule(
      `SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
         current_setting('idle_in_transaction_session_timeout') AS idle, tcp.setconfig AS probes
       FROM (SELECT array(SELECT one FROM pg_db_role_setting, unnest(setconfig) one WHERE setrole = current_user::regrole AND one LIKE 'tcp%') AS setconfig) tcp`,
    )) as object[];
    const probes = ['tcp_keepalives_idle=15s', 'tcp_keepalives_interval=5s', 'tcp_keepalives_count=3'];
    expect(set).toEqual({ statement: '1min', lock: '30s', idle: '1min', probes });
  });

  test('sets again what a role has changed of itself, at a start and by a look, and says so once', async () => {
    const wanted = rolesOf({ ...options, adminUrl: own.url });
    const look = () =>
      restoreRoles(wanted, { adminUrl: own.url, log: silent, onChangedRole: (role) => seen.push(role) });
    const role = runtimeRole(one);
    for (const restore of [begin, look]) {
      seen.length = 0;
      await asModule(
        `ALTER ROLE ${role} PASSWORD 'mine'; ALTER ROLE ${role} SET search_path = 'elsewhere';
         ALTER ROLE ${role} IN DATABASE banyan SET default_transaction_read_only = on`,
      );
      await expect(asModule('SELECT 1')).rejects.toMatchObject({ code: '28P01' });
      await restore();
      await asModule('INSERT INTO letters VALUES (1) ON CONFLICT DO NOTHING');
      await restore();
      expect(seen).toEqual([{ role, changed: ['password', 'settings'] }]);
    }
    expect(JSON.stringify(seen)).not.toContain('mine');
  });

  test('gives each role its connections, and no more', async () => {
    const client = new pg.Client({ connectionString: own.url });
    await client.connect();
    const role = runtimeRole(one);
    expect(await limitConnections(client, { [role]: 2, banyan_outside: 380 })).toBe(0);
    const url = roleUrl(own.url, secret, role);
    const opened = await Promise.allSettled(
      Array.from({ length: 30 }, async () => {
        const session = new pg.Client({ connectionString: url });
        await session.connect();
        return session;
      }),
    );
    const refused = opened.filter((result) => result.status === 'rejected');
    expect(refused.length).toBeGreaterThan(20);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: '53300' });
    for (const result of opened) if (result.status === 'fulfilled') await result.value.end();
    expect(await limitConnections(client, { [role]: 10, banyan_outside: 380 })).toBe(1);
    await client.end();
  });
});

describe('an administrator who is no superuser', () => {
  let own: ThrowawayServer;
  let lesser: string;

  beforeAll(async () => {
    own = await throwawayServer();
    await query(own.url, `CREATE ROLE ops LOGIN PASSWORD 'ops'`);
    const url = new URL(own.url);
    url.username = 'ops';
    url.password = 'ops';
    lesser = url.href;
  });
  afterAll(() => own.stop());

  test('is told what is missing, and then it works', async () => {
    const attempt = () => provision({ ...options, adminUrl: lesser });
    await expect(attempt()).rejects.toThrow('Run: ALTER ROLE "ops" CREATEROLE');
    await query(own.url, 'ALTER ROLE ops CREATEROLE');
    await expect(attempt()).rejects.toThrow('Run: GRANT CREATE ON DATABASE "banyan" TO "ops"');
    await query(own.url, 'GRANT CREATE ON DATABASE banyan TO ops');
    await attempt();
    await attempt();
    await as(own.url, runtimeRole(one))('SELECT * FROM letters');
  });

  test('notices a changed password by trying it', async () => {
    const seen: ChangedRole[] = [];
    const role = runtimeRole(one);
    await as(own.url, role)(`ALTER ROLE ${role} PASSWORD 'mine'`);
    await provision({ ...options, adminUrl: lesser, onChangedRole: (found) => seen.push(found) });
    expect(seen).toEqual([{ role, changed: ['password'] }]);
    await as(own.url, role)('SELECT * FROM letters');
  });

  test('is told when somebody else made a role', async () => {
    const made = { ...options.schemas[0]!, schema: 'foreign_one', role: 'banyan_foreign' };
    await query(own.url, 'CREATE ROLE banyan_foreign');
    await expect(provision({ ...options, adminUrl: lesser, schemas: [made] })).rejects.toThrow(
      'ops may not manage the role banyan_foreign',
    );
  });
});

test('a server with too few connections is refused with the number that it needs', () => {
  const facts = {
    database: 'd',
    user: 'u',
    version: 18,
    superuser: true,
    open: [],
    mayCreateRoles: true,
    mayCreateSchemas: true,
  };
  const needed = connectionsOf(6, 3);
  expect(() => checkServer({ ...facts, connections: needed }, needed)).not.toThrow();
  expect(() => checkServer({ ...facts, connections: needed - 1 }, needed)).toThrow(
    `this host may open ${needed}. Raise max_connections`,
  );
  expect(() => checkServer({ ...facts, version: 15, connections: 100 }, 1)).toThrow('needs 16 or newer');
});

test('a server that lets nobody in is one clear line', async () => {
  const url = new URL(server.url);
  url.password = 'wrong';
  await expect(provision({ ...options, adminUrl: url.href })).rejects.toThrow(
    /^DATABASE_URL: the server does not let us in \(password authentication failed/,
  );
});

test.each(modules)('the migrations of %s make what its schema.prisma says', async (module) => {
  expect(await missingMigration(server.url, prisma, module, sagaTableNames)).toBeUndefined();
});
