// The table in a module's schema by which its two servers know how far they follow each other. Idempotent, made like the
// library's other tables there: by the schema's owner, with the schema alone in the search path.
import { readSql } from '../../postgres/sql-file.ts';

const ddl = readSql(import.meta.url, './tables/marker.sql');

export const MARKER_TABLE = 'store_marker';

/** To be run with the module's schema as the search path. */
export function markerTable(): string {
  return ddl;
}
