// Who may do what in the database. Every schema has an owner, who makes its tables and cannot log in, and a
// runtime role with rights on that schema alone. Passwords are derived, so that every replica of a monolith
// and every service it starts agree without keeping them anywhere.
import { createHash, createHmac } from 'node:crypto';
import pg from 'pg';
import { readRoles } from './role-changes.ts';
import { scramVerifier } from './scram-verifier.ts';

export interface SchemaRoles {
  readonly schema: string;
  readonly owner: string;
  readonly runtime: string;
  readonly password: string;
  /** What the role's comment says of its password; everybody on the server can read it. */
  readonly passwordMark: string;
  /**
   * `generic`: prepared statements are planned once, without their values. A statement with a LIMIT or an array among
   * its parameters is otherwise planned anew each time, which costs the server more than running it. `auto`:
   * PostgreSQL's own choice, where values decide which index is right.
   */
  readonly plans: 'generic' | 'auto';
}

/** The runtime role of a module is `banyan_<module>`, its owner `banyan_<module>_owner`. */
export function runtimeRole(module: string): string {
  return `banyan_${module.replaceAll('-', '_')}`;
}

/** HMAC-SHA256 of the role's name: the same on every host that knows the secret. */
export function rolePassword(secret: string, role: string): string {
  return createHmac('sha256', secret).update(`role ${role}`).digest('base64url');
}

/**
 * By what a comment knows a password. Everybody who is on the server reads comments, and a password may have been chosen
 * by a person: without the secret nobody can try words by it.
 */
export function passwordMark(secret: string, role: string, password: string): string {
  return createHmac('sha256', secret).update(`mark ${role} ${password}`).digest('base64url');
}

/** The same server and database under another role. */
export function roleUrl(adminUrl: string, secret: string, role: string): string {
  const url = new URL(adminUrl);
  url.username = role;
  url.password = rolePassword(secret, role);
  return url.href;
}

/**
 * How a runtime role's comment begins when the role is as it should be: with a digest of the mark of its
 * password and of its settings. After it come digests of what the server has written of both
 * (role-changes.ts), and the database that it was made for: roles belong to the whole server, unlike schemas.
 */
export function roleState(roles: SchemaRoles): string {
  const wanted = JSON.stringify([4, roles.schema, roles.passwordMark, settingsOf(roles)]);
  return `banyan ${createHash('sha256').update(wanted).digest('hex').slice(0, 32)}.`;
}

/** What a session of the role begins with. The times are against accidents: who needs another says so in its session. */
function settingsOf({ schema, plans }: SchemaRoles): Record<string, string> {
  return {
    search_path: quoted(schema),
    plan_cache_mode: plans === 'generic' ? 'force_generic_plan' : 'auto',
    statement_timeout: `'60s'`,
    lock_timeout: `'30s'`,
    idle_in_transaction_session_timeout: `'60s'`,
    // A host that was cut off comes back with new sessions: those that it had would count against its limit for two hours.
    tcp_keepalives_idle: `'15s'`,
    tcp_keepalives_interval: `'5s'`,
    tcp_keepalives_count: '3',
  };
}

const { escapeIdentifier: quoted, escapeLiteral: text } = pg;

/** Creates what is missing of a schema's two roles, and sets the password. Repeatable. @param changed by itself, as is known. */
export async function ensureRoles(client: pg.Client, roles: SchemaRoles, changed = false): Promise<void> {
  const { owner, runtime, password } = roles;
  const [o, r] = [quoted(owner), quoted(runtime)];
  const { rows } = await client.query<{ database: string; superuser: boolean; comment: string | null }>(
    `SELECT current_database() AS database, rolsuper AS superuser,
       (SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = $1) AS comment
     FROM pg_roles WHERE rolname = current_user`,
    [runtime],
  );
  const { database, superuser, comment } = rows[0]!;
  const ready = !changed && comment?.startsWith(roleState(roles)) === true;
  if (!ready) await refuseForeign(client, runtime, comment, database);
  await createRole(client, owner, 'NOLOGIN');
  await createRole(client, runtime, 'LOGIN NOINHERIT');
  // From PostgreSQL 16 on, whoever creates a role has to grant it to itself before it may act as it.
  if (!superuser) await client.query(`GRANT ${o} TO CURRENT_USER WITH INHERIT TRUE, SET TRUE`);
  await letConnect(client, runtime, database);
  if (ready) return;
  await client.query(`ALTER ROLE ${r} LOGIN PASSWORD ${text(scramVerifier(password))}`);
  await client.query(`ALTER ROLE ${r} RESET ALL; ALTER ROLE ${r} IN DATABASE ${quoted(database)} RESET ALL`);
  for (const [name, value] of Object.entries(settingsOf(roles)))
    await client.query(`ALTER ROLE ${r} SET ${name} = ${value}`);
  const asSet = (await readRoles(client, [runtime], superuser))[0]!;
  await client.query(
    `COMMENT ON ROLE ${r} IS ${text(`${roleState(roles)}${asSet.settings}.${asSet.password} ${database}`)}`,
  );
}

/** By a right of its own: that of everybody is taken away on a server that is Banyan's alone. */
export async function letConnect(client: pg.Client, role: string, database: string): Promise<void> {
  const { rows } = await client.query<{ may: boolean; needs: boolean }>(
    `SELECT has_database_privilege($1, 'CONNECT WITH GRANT OPTION') AS may, NOT has_database_privilege($2, $1, 'CONNECT') AS needs`,
    [database, role],
  );
  const grant = `GRANT CONNECT ON DATABASE ${quoted(database)} TO ${quoted(role)}`;
  if (rows[0]!.may) await client.query(grant);
  else if (rows[0]!.needs)
    throw new Error(
      `DATABASE_URL: ${role} may not connect to the database. As its owner or a superuser run: ${grant}`,
    );
}

/**
 * Makes the schema if it is missing, and sets who may do what in it. The roles exist. Repeatable.
 * @param fenced the runtime role gets no right to any table, those that are made later included.
 */
export async function ensureSchema(
  client: pg.Client,
  { schema, owner, runtime }: SchemaRoles,
  fenced = false,
): Promise<void> {
  const [s, o, r] = [quoted(schema), quoted(owner), quoted(runtime)];
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${s} AUTHORIZATION ${o}`);
  const { rows } = await client.query<{ database: string; owner: string }>(
    'SELECT current_database() AS database, nspowner::regrole::text AS owner FROM pg_namespace WHERE nspname = $1',
    [schema],
  );
  if (rows[0]!.owner !== owner) {
    throw new Error(
      `The database ${rows[0]!.database} has a schema ${schema} that is not Banyan's (it belongs to ${rows[0]!.owner}). Use another database.`,
    );
  }
  await asOwner(
    client,
    { schema, owner },
    `
    REVOKE ALL ON SCHEMA ${s} FROM PUBLIC;
    GRANT USAGE ON SCHEMA ${s} TO ${r};
    ${fenced ? noTableRights({ schema, runtime }) : tableRights({ schema, runtime })};
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA ${s} TO ${r};
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${s} TO ${r};
    ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
    ALTER DEFAULT PRIVILEGES IN SCHEMA ${s} ${
      fenced ? `REVOKE ALL ON TABLES FROM ${r}` : `GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${r}`
    };
    ALTER DEFAULT PRIVILEGES IN SCHEMA ${s} GRANT USAGE, SELECT ON SEQUENCES TO ${r};
    ALTER DEFAULT PRIVILEGES IN SCHEMA ${s} GRANT EXECUTE ON FUNCTIONS TO ${r};`,
  );
}

/** What a runtime role may do with the tables that there are: said here once, since it may be taken away and given back. */
export function tableRights({ schema, runtime }: Pick<SchemaRoles, 'schema' | 'runtime'>): string {
  return `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${quoted(schema)} TO ${quoted(runtime)}`;
}

/** The fence before a store whose owner is another server. */
export function noTableRights({ schema, runtime }: Pick<SchemaRoles, 'schema' | 'runtime'>): string {
  return `REVOKE ALL ON ALL TABLES IN SCHEMA ${quoted(schema)} FROM ${quoted(runtime)}`;
}

/** Runs a script as the schema's owner, with the schema as the only one in the search path, in one transaction. */
export async function asOwner(
  client: pg.Client,
  { schema, owner }: Pick<SchemaRoles, 'schema' | 'owner'>,
  script: string,
): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL ROLE ${quoted(owner)}`);
    await client.query(`SET LOCAL search_path = ${quoted(schema)}`);
    await client.query(script);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

/** Two Banyans with different secrets on one server would change each other's passwords without end. */
async function refuseForeign(
  client: pg.Client,
  role: string,
  comment: string | null,
  database: string,
): Promise<void> {
  const other = /^banyan \S+ (.*)$/s.exec(comment ?? '')?.[1];
  if (!other || other === database) return;
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [other]);
  if (rowCount === 0) return;
  throw new Error(
    `The role ${role} belongs to the Banyan in the database ${other} of the same server. Give this one a server of its own, or drop that database.`,
  );
}

async function createRole(client: pg.Client, role: string, options: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
  if (rowCount === 0) await client.query(`CREATE ROLE ${quoted(role)} ${options}`);
}
