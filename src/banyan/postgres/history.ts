// The table in which a schema keeps its migrations, made before anything else is. Prisma's engine makes it only in a
// schema without tables, for fear of somebody else's, and the library's own (the events') are there from the first start
// on: a module that began without migrations could never get one. Tables that are neither the library's nor of this
// schema's owner are left to the engine, which refuses them by name.
import pg, { type Client } from 'pg';
import { asOwner } from './roles.ts';

export interface HistoryOptions {
  readonly schema: string;
  readonly owner: string;
  /** May read the history, and not write it. */
  readonly runtime: string;
  /** The repeatable SQL that makes the library's tables. */
  readonly ddl: string;
}

/** As the engine makes it (PostgreSQL, schema-engine 7). */
const TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  id varchar(36) PRIMARY KEY NOT NULL,
  checksum varchar(64) NOT NULL,
  finished_at timestamptz,
  migration_name varchar(255) NOT NULL,
  logs text,
  rolled_back_at timestamptz,
  started_at timestamptz NOT NULL DEFAULT now(),
  applied_steps_count integer NOT NULL DEFAULT 0
)`;

/** Makes the table where it is missing and nothing is in the schema but the library's tables. */
export async function ensureHistory(
  client: Client,
  { schema, owner, runtime, ddl }: HistoryOptions,
): Promise<void> {
  const { rows } = await client.query<{ name: string; owner: string }>(
    `SELECT relname AS name, relowner::regrole::text AS owner FROM pg_class
     WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p', 'v', 'm', 'f')`,
    [pg.escapeIdentifier(schema)],
  );
  const own = new Set(libraryTables(ddl));
  const others = rows.filter((one) => unquoted(one.owner) !== owner || !own.has(one.name));
  if (others.length > 0) return;
  const revoke = `REVOKE INSERT, UPDATE, DELETE ON "_prisma_migrations" FROM ${pg.escapeIdentifier(runtime)}`;
  await asOwner(client, { schema, owner }, `${TABLE};${revoke}`);
}

/** What the SQL names as it makes it. */
function libraryTables(ddl: string): string[] {
  return [...ddl.matchAll(/\bCREATE TABLE IF NOT EXISTS (?:"?\w+"?\.)?"?(\w+)/gi)].map((match) => match[1]!);
}

function unquoted(name: string): string {
  return name.replace(/^"(.*)"$/, '$1');
}
