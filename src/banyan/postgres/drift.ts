// Whether a module's migrations make what its schema.prisma says, and if not, the SQL that is missing.
// For authors and tests: a host that serves never looks at schema.prisma.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from './connections.ts';
import { withEngine } from './engine.ts';
import { migrationsOf, prismaFolderOf } from './migrations.ts';

/**
 * @param url of a server where databases may be made.
 * @param prisma the product's folder with one folder per module.
 * @param passedOver tables that an old migration made and the library owns since: no schema.prisma has them.
 * Answers undefined when nothing is missing.
 */
export async function missingMigration(
  url: string,
  prisma: URL,
  module: string,
  passedOver: readonly string[] = [],
): Promise<string | undefined> {
  const path = join(prismaFolderOf(prisma, module), 'schema.prisma');
  const schema = readFileSync(path, 'utf8');
  return onEmptyDatabase(url, async (shadowUrl) => {
    const { stdout } = await withEngine({ url, schema: 'public', shadowUrl }, (engine) =>
      engine.diff({
        from: { tag: 'migrations', ...migrationsOf(prisma, module) },
        to: { tag: 'schemaDatamodel', files: [{ path, content: schema }] },
        script: true,
        exitCode: null,
        filters: { externalTables: passedOver.map((name) => `public.${name}`), externalEnums: [] },
      }),
    );
    return stdout && !stdout.startsWith('-- This is an empty migration') ? stdout : undefined;
  });
}

async function onEmptyDatabase<T>(url: string, work: (url: string) => Promise<T>): Promise<T> {
  const name = `shadow_${randomBytes(6).toString('hex')}`;
  const client = createClient({ connectionString: url });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${name}`);
    const own = new URL(url);
    own.pathname = name;
    return await work(own.href);
  } finally {
    await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await client.end();
  }
}
