// The tables that a module's sagas live in, inside the module's own schema: a saga commits together with what it is
// about. Idempotent, like the events' tables beside them: run by the schema's owner at every boot. A schema may
// have had them before the engine owned them, made by a migration of its module: there they are found with their rows.
import { readSql } from '../postgres/sql-file.ts';

const ddl = readSql(
  import.meta.url,
  ...['sagas', 'steps', 'style', 'acts'].map((one) => `./tables/${one}.sql`),
);

/** Not the business of a module's Prisma schema. */
export const sagaTableNames = ['sagas', 'saga_steps', 'saga_style', 'saga_act'] as const;

/** To be run with the module's schema as the search path. */
export function sagaTables(): string {
  return ddl;
}
