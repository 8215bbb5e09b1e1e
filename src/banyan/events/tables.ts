// The tables that every module's events live in, inside the module's own schema: outbox and inbox commit
// together with the business rows, and they move with the module when its store moves.
// Idempotent: run by the schema's owner at every boot, also while other hosts work. The runtime role needs
// DML on the tables and EXECUTE on the functions, which it gets by the schema's default privileges.
import { readSql } from '../postgres/sql-file.ts';

const ddl = readSql(
  import.meta.url,
  './tables/outbox.sql',
  './tables/lease.sql',
  './tables/emit.sql',
  './tables/inbox.sql',
  './tables/turn.sql',
  './tables/take.sql',
  './tables/settle.sql',
  './tables/audit.sql',
  './tables/obstacle.sql',
  './tables/refusal.sql',
  './tables/home.sql',
);

/** To be run with the module's schema as the search path. */
export function moduleEventTables(): string {
  return ddl;
}
