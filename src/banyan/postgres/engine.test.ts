// Prisma's engine applies a migration whole or not at all, whatever is in it and whatever fails after it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withEngine } from './engine.ts';
import { query, type ThrowawayServer, throwawayServer } from './testing.ts';

let server: ThrowawayServer;

beforeAll(async () => {
  server = await throwawayServer();
});
afterAll(() => server.stop());

const apply = (url: string, migrations: Record<string, string>) =>
  withEngine({ url, schema: 'public' }, (engine) =>
    engine.applyMigrations({
      migrationsList: {
        baseDir: '/migrations',
        lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"' },
        shadowDbInitScript: '',
        migrationDirectories: Object.entries(migrations).map(([path, value]) => ({
          path,
          migrationFile: { path: 'migration.sql', content: { tag: 'ok', value } },
        })),
      },
      filters: { externalTables: [], externalEnums: [] },
    }),
  );

const tablesOf = async (url: string) =>
  (
    await query<{ name: string }>(
      url,
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
    )
  ).map(({ name }) => name);

const plain = { '1_first': 'CREATE TABLE first (id int);' };

test('a semicolon in a function, a text or a comment ends nothing', async () => {
  const url = await server.database();
  const script = `
    CREATE TABLE noted (text text DEFAULT 'a;b'); -- one; two
    CREATE FUNCTION note() RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO noted DEFAULT VALUES; RETURN; END $$;
    SELECT note();`;
  expect(await apply(url, { '1_functions': script })).toEqual({ appliedMigrationNames: ['1_functions'] });
  expect(await query(url, 'SELECT text FROM noted')).toEqual([{ text: 'a;b' }]);
});

test('what fails in the middle leaves nothing, and what came before stays', async () => {
  const url = await server.database();
  const broken = { ...plain, '2_broken': 'CREATE TABLE second (id int); SELECT nonsense;' };
  await expect(apply(url, broken)).rejects.toThrow('column "nonsense" does not exist');
  expect(await tablesOf(url)).toEqual(['_prisma_migrations', 'first']);
});

test('a migration whose mark cannot be written is not there either', async () => {
  const url = await server.database();
  await apply(url, plain);
  // The connection ends between the script and its mark, as with a host that is killed there.
  const cut = `CREATE TABLE second (id int);
    CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
    CREATE TRIGGER cut BEFORE UPDATE ON _prisma_migrations FOR EACH ROW EXECUTE FUNCTION cut();`;
  await expect(apply(url, { ...plain, '2_cut': cut })).rejects.toThrow();
  expect(await tablesOf(url)).toEqual(['_prisma_migrations', 'first']);
  expect(
    await query(url, 'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NULL'),
  ).toEqual([{ name: '2_cut' }]);
});

test('an index is made while writers go on', async () => {
  const url = await server.database();
  await apply(url, { ...plain, '2_index': 'CREATE INDEX CONCURRENTLY first_id ON first (id);' });
  expect(await query(url, `SELECT to_regclass('first_id') IS NOT NULL AS there`)).toEqual([{ there: true }]);
});
