// The tables of ladders, beside those of placement in the control schema.
import { readSql } from '../../postgres/sql-file.ts';

/** Idempotent SQL, run by the schema's owner at every start of a monolith, with the control schema as the search path. */
export function ladderTables(): string {
  return readSql(import.meta.url, 'ladder.sql');
}
