// What the library keeps in the schema of a module, beside the module's own tables: a monolith makes it, and whoever
// runs the module stands on it.
import { comparisonTables } from '../admin/tables.ts';
import { moduleEventTables } from '../events/tables.ts';
import { ladderTables } from '../ladder/climb/tables.ts';
import { limitTables } from '../limits/tables.ts';
import { controlSchema } from '../placement/schema.ts';
import { sessionEndTables } from '../placement/session-ends.ts';
import type { RoleSchema } from '../postgres/role-schema.ts';
import { sagaTables } from '../saga/tables.ts';
import { markerTable } from '../servers/pair/tables.ts';
import { serverTables } from '../servers/tasks/control-tables.ts';

/** Idempotent SQL, run by the schema's owner at every start of a monolith, with the schema as the search path. */
export function libraryTables(): string {
  const tables = [moduleEventTables(), limitTables(), sagaTables(), sessionEndTables(), markerTable()];
  return tables.join('\n');
}

/** What placement, ladders and moves of stores keep. @param revokers as of controlSchema. */
export function controlTables(revokers?: readonly string[]): RoleSchema {
  const { ddl, ...schema } = controlSchema(revokers);
  return { ...schema, ddl: `${ddl}\n${ladderTables()}\n${serverTables()}\n${comparisonTables()}` };
}
