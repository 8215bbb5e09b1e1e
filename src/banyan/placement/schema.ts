// The tables of placement control (control.sql, key.sql, operator.sql, transfer.sql, act.sql), in a PostgreSQL schema and a role of their own.
// One row of `state` carries the version; whoever changes a placement or the registry locks that row first,
// so versions are given out in the order of commits and a reader never sees a gap fill up behind it.
// It knows no module: who may revoke sessions is told from outside.
import { limitTables } from '../limits/tables.ts';
import type { RoleSchema } from '../postgres/role-schema.ts';
import { readSql } from '../postgres/sql-file.ts';

/** The channel of LISTEN/NOTIFY. The payload is a hint only: followers read the tables. */
export const CONTROL_CHANNEL = 'banyan_control';

/** A host that was silent for this long is not live. Hosts beat every 0.5 s, services at least every 1 s. */
export const LIVE_MS = 3000;

/** The same of a row of `host`, by the database's clock. */
export const SILENT_SQL = `heartbeat_at < now() - interval '${LIVE_MS} ms'`;

/**
 * @param revokers modules whose runtime role may call `banyan_control.revoke(user_id uuid, epoch int)`:
 * sessions of that user below that epoch end on every host; and `banyan_control.revoke_sessions(names text[], until
 * timestamptz)`: those sessions alone. They get no other right here. For services of the version before, in whose
 * transactions it was called; what they do now is session-ends.ts.
 */
export function controlSchema(revokers: readonly string[] = []): RoleSchema {
  const sessions = readSql(import.meta.url, 'revoked-sessions.sql');
  const ddl = `${TABLES}\n${sessions}\n${limitTables()}\n${revokers.map(grant).join('')}`;
  return { schema: 'banyan_control', role: 'banyan_control', ddl };
}

const TABLES = readSql(import.meta.url, 'control.sql', 'key.sql', 'operator.sql', 'transfer.sql', 'act.sql');

// Roles are made before the library's tables; a schema provisioned without that module grants nothing.
const grant = (module: string) => `
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'banyan_${module}') THEN
    GRANT USAGE ON SCHEMA banyan_control TO banyan_${module};
    GRANT EXECUTE ON FUNCTION banyan_control.revoke(uuid, int) TO banyan_${module};
    GRANT EXECUTE ON FUNCTION banyan_control.revoke_sessions(text[], timestamptz) TO banyan_${module};
  END IF;
END $$;
`;
