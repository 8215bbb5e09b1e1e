// The tables that limits against abuse count in, inside the schema of whoever counts: all hosts of both placements
// count together. Idempotent, like the events' tables beside them.
import { readSql } from '../postgres/sql-file.ts';

const ddl = readSql(import.meta.url, './tables/count.sql', './tables/guess.sql');

/** To be run with the schema as the search path. */
export function limitTables(): string {
  return ddl;
}
