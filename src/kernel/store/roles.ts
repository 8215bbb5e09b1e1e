// Who may do what in the database. Every schema has an owner, who makes its tables and cannot log in, and a
// runtime role with rights on that schema alone. Passwords are derived, so that every replica of a monolith
// and every service it starts agree without keeping them anywhere.
import { createHmac } from 'node:crypto';
import type { Client } from 'pg';

export interface SchemaRoles {
  readonly schema: string;
  readonly owner: string;
  readonly runtime: string;
  readonly password: string;
}

/** The runtime role of a module is `banyan_<module>`, its owner `banyan_<module>_owner`. */
export function runtimeRole(module: string): string {
  return `banyan_${module.replaceAll('-', '_')}`;
}

/** HMAC-SHA256 of the role's name: the same on every host that knows the secret. */
export function rolePassword(secret: string, role: string): string {
  return createHmac('sha256', secret).update(`role ${role}`).digest('base64url');
}

/** The same server and database under another role. */
export function roleUrl(adminUrl: string, secret: string, role: string): string {
  const url = new URL(adminUrl);
  url.username = role;
  url.password = rolePassword(secret, role);
  return url.href;
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
const text = (value: string) => `'${value.replaceAll("'", "''")}'`;

/** Creates what is missing of the schema and its two roles, and sets rights and password. Repeatable. */
export async function ensureRoles(
  client: Client,
  { schema, owner, runtime, password }: SchemaRoles,
): Promise<void> {
  const [s, o, r] = [quoted(schema), quoted(owner), quoted(runtime)];
  await createRole(client, owner, 'NOLOGIN');
  await createRole(client, runtime, 'LOGIN');
  await client.query(`ALTER ROLE ${r} LOGIN PASSWORD ${text(password)}`);
  await client.query(`ALTER ROLE ${r} SET search_path = ${s}`);
  // From PostgreSQL 16 on, whoever creates a role has to grant it to itself before it may act as it.
  await client.query(`GRANT ${o} TO CURRENT_USER`);
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${s} AUTHORIZATION ${o}`);
  await client.query(`SET ROLE ${o}`);
  try {
    await client.query(`
      REVOKE ALL ON SCHEMA ${s} FROM PUBLIC;
      GRANT USAGE ON SCHEMA ${s} TO ${r};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${s} TO ${r};
      GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA ${s} TO ${r};
      ALTER DEFAULT PRIVILEGES IN SCHEMA ${s} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${r};
      ALTER DEFAULT PRIVILEGES IN SCHEMA ${s} GRANT USAGE, SELECT ON SEQUENCES TO ${r};
      ALTER DEFAULT PRIVILEGES IN SCHEMA ${s} GRANT EXECUTE ON FUNCTIONS TO ${r};`);
  } finally {
    await client.query('RESET ROLE');
  }
}

async function createRole(client: Client, role: string, options: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
  if (rowCount === 0) await client.query(`CREATE ROLE ${quoted(role)} ${options}`);
}
