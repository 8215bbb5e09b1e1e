// What in a store cannot be followed, or would be left behind: replication carries rows of ordinary tables with a key, and
// nothing else.

import type { Moving } from '../pair/moving.ts';
import type { End } from '../pair/subscription.ts';
import type { Finding } from './finding.ts';

interface Look {
  readonly code: string;
  /** Answers `name`, and gets the schema, the owner and the runtime role. */
  readonly sql: string;
  readonly detail: (names: string) => string;
  readonly remedy: string;
}

const relation = `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace WHERE s.nspname = $1`;

const looks: readonly Look[] = [
  {
    code: 'no-primary-key',
    sql: `${relation} AND c.relkind = 'r' AND c.relname <> '_prisma_migrations' AND c.relreplident NOT IN ('f', 'i')
      AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary)`,
    detail: (names) => `tables have no primary key, so changes of their rows cannot be followed: ${names}`,
    remedy: 'Give each a primary key by a migration',
  },
  {
    code: 'unlogged',
    sql: `${relation} AND c.relkind IN ('r', 'S') AND c.relpersistence = 'u'`,
    detail: (names) => `these are unlogged, and are not replicated: ${names}`,
    remedy: 'ALTER TABLE … SET LOGGED by a migration',
  },
  {
    code: 'not-a-table',
    sql: `${relation} AND c.relkind IN ('m', 'f')`,
    detail: (names) => `materialized views and foreign tables are not replicated: ${names}`,
    remedy: 'Drop them by a migration, or make them tables',
  },
  {
    code: 'large-objects',
    sql: `SELECT l.oid::text AS name FROM pg_largeobject_metadata l JOIN pg_roles r ON r.oid = l.lomowner WHERE r.rolname IN ($2, $3) LIMIT 10`,
    detail: (names) => `the module has large objects, which are not replicated: ${names}`,
    remedy: 'Keep them in a bytea column, and unlink them',
  },
  {
    code: 'foreign-key-outside',
    sql: `SELECT f.conrelid::regclass || '.' || f.conname AS name FROM pg_constraint f
      JOIN pg_class a ON a.oid = f.conrelid JOIN pg_class b ON b.oid = f.confrelid
      WHERE f.contype = 'f' AND a.relnamespace <> b.relnamespace AND to_regnamespace(quote_ident($1)) IN (a.relnamespace, b.relnamespace)`,
    detail: (names) => `foreign keys lead out of the schema, or into it: ${names}`,
    remedy: 'Drop them by a migration: ids of other modules are ids only',
  },
  {
    code: 'trigger-on-replica',
    sql: `SELECT t.tgrelid::regclass || '.' || t.tgname AS name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
      JOIN pg_namespace s ON s.oid = c.relnamespace WHERE s.nspname = $1 AND t.tgenabled IN ('A', 'R') AND NOT t.tgisinternal`,
    detail: (names) => `triggers would fire once more where rows are replicated: ${names}`,
    remedy: 'ALTER TABLE … ENABLE TRIGGER … by a migration (without ALWAYS or REPLICA)',
  },
  {
    code: 'definer-function',
    sql: `SELECT p.proname AS name FROM pg_proc p JOIN pg_namespace s ON s.oid = p.pronamespace
      WHERE s.nspname = $1 AND p.prosecdef AND has_function_privilege($3, p.oid, 'EXECUTE')`,
    detail: (names) =>
      `functions write with the rights of their owner, whatever those of the module are: ${names}`,
    remedy: 'Make them SECURITY INVOKER by a migration: else the old server would go on taking writes',
  },
  {
    code: 'prepared-transaction',
    sql: `SELECT gid AS name FROM pg_prepared_xacts WHERE owner = $3::name AND database = current_database()`,
    detail: (names) => `transactions of the module are prepared and not ended: ${names}`,
    remedy: 'COMMIT PREPARED or ROLLBACK PREPARED each',
  },
];

export async function storeFindings({ server, client }: End, moving: Moving): Promise<Finding[]> {
  const { rows } = await client.query<{ there: boolean }>(
    'SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AND EXISTS (SELECT FROM pg_roles WHERE rolname = $2) AS there',
    [moving.schema, moving.runtime],
  );
  if (!rows[0]!.there)
    return [
      {
        code: 'no-store',
        detail: `${server.name} has no store of ${moving.module}`,
        remedy: 'Start a monolith once: it makes it',
      },
    ];
  const found: Finding[] = [];
  for (const { code, sql, detail, remedy } of looks) {
    // All three have a use, so that the server knows their types.
    const { rows } = await client.query<{ name: string }>(
      `WITH found AS (${sql}) SELECT found.name::text FROM found, (SELECT $1::name, $2::name, $3::name) AS given (a, b, c) ORDER BY 1`,
      [moving.schema, moving.owner, moving.runtime],
    );
    if (rows.length > 0)
      found.push({
        code,
        detail: `${moving.module}: ${detail(rows.map(({ name }) => name).join(', '))}`,
        remedy,
      });
  }
  return found;
}
