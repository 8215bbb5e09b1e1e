// The migrations of one module: the folders under prisma/<module>/migrations, applied in order, once, by
// Prisma's engine, as the owner of the module's schema.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MigrationList } from '@prisma/schema-engine-wasm';
import type { Client } from 'pg';
import { withEngine } from './engine.ts';

const prismaFolder = fileURLToPath(new URL('../../../prisma/', import.meta.url));

/** The folder of a module's Prisma schema and migrations. */
export function prismaFolderOf(module: string): string {
  return join(prismaFolder, module);
}

/** What is on disk, in the shape that the engine takes. */
export function migrationsOf(module: string): MigrationList {
  const baseDir = join(prismaFolderOf(module), 'migrations');
  const lockfile = join(baseDir, 'migration_lock.toml');
  const names = existsSync(baseDir)
    ? readdirSync(baseDir).filter((name) => existsSync(join(baseDir, name, 'migration.sql')))
    : [];
  return {
    baseDir,
    lockfile: {
      path: 'migration_lock.toml',
      content: existsSync(lockfile) ? readFileSync(lockfile, 'utf8') : null,
    },
    shadowDbInitScript: '',
    migrationDirectories: names.sort().map((path) => ({
      path,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok' as const, value: readFileSync(join(baseDir, path, 'migration.sql'), 'utf8') },
      },
    })),
  };
}

/** Applies what is missing, as the owner of the schema; answers the names of what it applied. */
export async function migrate(
  client: Client,
  module: string,
  adminUrl: string,
  owner: string,
): Promise<string[]> {
  const migrationsList = migrationsOf(module);
  const wanted = migrationsList.migrationDirectories.map(({ path }) => path);
  const applied = await appliedMigrations(client, module);
  if (wanted.every((name) => applied.has(name))) return [];
  try {
    const { appliedMigrationNames } = await withEngine({ url: adminUrl, schema: module, owner }, (engine) =>
      engine.applyMigrations({ migrationsList, filters: { externalTables: [], externalEnums: [] } }),
    );
    return appliedMigrationNames;
  } catch (error) {
    throw new Error(`The migrations of ${module} failed: ${(error as Error).message}`, { cause: error });
  }
}

async function appliedMigrations(client: Client, schema: string): Promise<Set<string>> {
  const { rows } = await client.query<{ there: string | null }>('SELECT to_regclass($1) AS there', [
    `"${schema}"._prisma_migrations`,
  ]);
  if (!rows[0]?.there) return new Set();
  const done = await client.query<{ name: string }>(
    `SELECT migration_name AS name FROM "${schema}"._prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`,
  );
  return new Set(done.rows.map(({ name }) => name));
}
