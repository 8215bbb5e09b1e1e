// What the library keeps in the schema of a module, beside the module's own tables: a monolith makes it, and whoever
// runs the module stands on it.
import { moduleEventTables } from '../events/tables.ts';
import { ladderTables } from '../ladder/tables.ts';
import { limitTables } from '../limits/tables.ts';
import { controlSchema } from '../placement/schema.ts';
import type { RoleSchema } from '../postgres/role-schema.ts';
import { sagaTables } from '../saga/tables.ts';

/** Idempotent SQL, run by the schema's owner at every start of a monolith, with the schema as the search path. */
export function libraryTables(): string {
  return `${moduleEventTables()}\n${limitTables()}\n${sagaTables()}`;
}

/** What placement and ladders keep. @param revokers as of controlSchema. */
export function controlTables(revokers?: readonly string[]): RoleSchema {
  const { ddl, ...schema } = controlSchema(revokers);
  return { ...schema, ddl: `${ddl}\n${ladderTables()}` };
}
