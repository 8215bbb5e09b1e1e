// The migrations of one module: the folders under <module>/migrations of the product's folder, applied in order, once, by
// Prisma's engine, as the owner of the module's schema.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MigrationList } from '@prisma/schema-engine-wasm';
import pg, { type Client } from 'pg';
import { withEngine } from './engine.ts';
import { ensureHistory } from './history.ts';
import { asOwner } from './roles.ts';

const { escapeIdentifier } = pg;

/** The folder of a module's Prisma schema and migrations. @param prisma the product's folder of those. */
export function prismaFolderOf(prisma: URL, module: string): string {
  return join(fileURLToPath(prisma), module);
}

/** Those on disk by name, in order. */
export function migrationNames(prisma: URL | undefined, module: string): string[] {
  const folder = prisma ? join(prismaFolderOf(prisma, module), 'migrations') : '';
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'migration.sql')))
    .sort();
}

/** What is on disk, in the shape that the engine takes. */
export function migrationsOf(prisma: URL | undefined, module: string): MigrationList {
  const baseDir = prisma ? join(prismaFolderOf(prisma, module), 'migrations') : '';
  const lockfile = join(baseDir, 'migration_lock.toml');
  return {
    baseDir,
    lockfile: {
      path: 'migration_lock.toml',
      content: existsSync(lockfile) ? readFileSync(lockfile, 'utf8') : 'provider = "postgresql"\n',
    },
    shadowDbInitScript: '',
    migrationDirectories: migrationNames(prisma, module).map((path) => ({
      path,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok' as const, value: readFileSync(join(baseDir, path, 'migration.sql'), 'utf8') },
      },
    })),
  };
}

export interface MigrateOptions {
  readonly module: string;
  /** The product's folder with one folder per module; undefined: there are no migrations. */
  readonly prisma: URL | undefined;
  readonly adminUrl: string;
  readonly owner: string;
  /** The repeatable SQL that makes the library's own tables in that schema. */
  readonly ddl: string;
  /** May read which migrations there are, and not write it. */
  readonly runtime: string;
}

export interface Migrated {
  readonly applied: readonly string[];
  /** Migrations in the database that are not on disk: a newer version of the module was here. */
  readonly ahead: readonly string[];
}

/** Applies what is missing, each whole or not at all, as the owner of the schema, which exists. */
export async function migrate(client: Client, options: MigrateOptions): Promise<Migrated> {
  const { module, prisma, adminUrl, owner, runtime, ddl } = options;
  await ensureHistory(client, { schema: module, owner, runtime, ddl });
  const migrationsList = migrationsOf(prisma, module);
  const wanted = migrationsList.migrationDirectories.map(({ path }) => path);
  const done = await appliedMigrations(client, module);
  const ahead = [...done].filter((name) => !wanted.includes(name));
  if (wanted.every((name) => done.has(name))) return { applied: [], ahead };
  try {
    const appliedMigrationNames = await withEngine(
      { url: adminUrl, schema: module, owner },
      async (engine) => {
        // A host was killed in the middle: the script and its mark commit together, so nothing of it is there.
        for (const migrationName of await interrupted(client, module)) {
          await engine.markMigrationRolledBack({ migrationName });
        }
        const filters = { externalTables: [], externalEnums: [] };
        return (await engine.applyMigrations({ migrationsList, filters })).appliedMigrationNames;
      },
    );
    const table = `${escapeIdentifier(module)}._prisma_migrations`;
    await asOwner(
      client,
      { schema: module, owner },
      `REVOKE INSERT, UPDATE, DELETE ON ${table} FROM ${escapeIdentifier(runtime)}`,
    );
    return { applied: appliedMigrationNames, ahead };
  } catch (error) {
    throw new Error(`The migrations of ${module} failed: ${(error as Error).message}`, { cause: error });
  }
}

/** Those on disk that the database has not got, each with its SQL. The schema need not exist. */
export async function pendingMigrations(
  client: Client,
  prisma: URL | undefined,
  module: string,
): Promise<{ readonly name: string; readonly sql: string }[]> {
  const wanted = migrationsOf(prisma, module).migrationDirectories;
  if (wanted.length === 0) return [];
  const done = await appliedMigrations(client, module);
  return wanted
    .filter(({ path }) => !done.has(path))
    .map(({ path, migrationFile: { content } }) => ({
      name: path,
      sql: content.tag === 'ok' ? content.value : '',
    }));
}

/** By name: those on disk that the database has not got, and those that it has and the disk has not. */
export async function compareMigrations(
  client: Client,
  prisma: URL | undefined,
  module: string,
): Promise<{ readonly pending: readonly string[]; readonly ahead: readonly string[] }> {
  const wanted = migrationNames(prisma, module);
  const done = await appliedMigrations(client, module);
  return {
    pending: wanted.filter((name) => !done.has(name)),
    ahead: [...done].filter((name) => !wanted.includes(name)),
  };
}

async function appliedMigrations(client: Client, schema: string): Promise<Set<string>> {
  return new Set(await migrationsWhere(client, schema, 'finished_at IS NOT NULL AND rolled_back_at IS NULL'));
}

async function interrupted(client: Client, schema: string): Promise<string[]> {
  return migrationsWhere(client, schema, 'finished_at IS NULL AND rolled_back_at IS NULL');
}

async function migrationsWhere(client: Client, schema: string, condition: string): Promise<string[]> {
  const table = `${escapeIdentifier(schema)}._prisma_migrations`;
  const { rows } = await client.query<{ there: string | null }>('SELECT to_regclass($1) AS there', [table]);
  if (!rows[0]?.there) return [];
  const found = await client.query<{ name: string }>(
    `SELECT migration_name AS name FROM ${table} WHERE ${condition}`,
  );
  return found.rows.map(({ name }) => name);
}
