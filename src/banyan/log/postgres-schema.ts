// The schema of the Postgres log: of its own and with a role of its own, so that no module can write another's topic by
// SQL. The roles of modules may call the functions of postgres-log-doors.sql and nothing else; each of those asks for the
// right of the role that logged in. It knows no module: which there are is told from outside.
import type { RoleSchema } from '../postgres/role-schema.ts';
import { runtimeRole } from '../postgres/roles.ts';
import { readSql } from '../postgres/sql-file.ts';

const tables = readSql(
  import.meta.url,
  './postgres-log.sql',
  './postgres-log-rights.sql',
  './postgres-log-doors.sql',
);

export const LOG_ROLE = 'banyan_log';

/** @param modules whose runtime roles may use the log. */
export function logSchema(modules: readonly string[] = []): RoleSchema {
  const grants = modules.length > 0 ? `\n${grantTo(modules.map(runtimeRole))}` : '';
  return { schema: 'banyan_log', role: LOG_ROLE, ddl: `${tables}${grants}` };
}

// Roles are made before the tables; a schema provisioned without a module grants nothing.
const grantTo = (roles: readonly string[]) => `
DO $$
DECLARE
  module name;
  door regprocedure;
BEGIN
  FOR module IN SELECT rolname FROM pg_roles WHERE rolname IN (${roles.map((one) => `'${one}'`).join(', ')}) LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA banyan_log TO %I', module);
    FOR door IN SELECT oid FROM pg_proc WHERE pronamespace = 'banyan_log'::regnamespace AND prosecdef LOOP
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', door, module);
    END LOOP;
  END LOOP;
END $$;
`;
