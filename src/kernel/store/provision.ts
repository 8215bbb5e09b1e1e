// Makes the database ready: schemas, roles, tables, migrations. Any number of replicas may start at once: one
// works under an advisory lock, the others find it done. What is already as it should be is not touched, so
// an ordinary boot pays one query.
import { createHash } from 'node:crypto';
import pg from 'pg';
import type { Logger } from 'pino';
import { migrate, migrationsOf } from './migrations.ts';
import { ensureRoles, rolePassword, runtimeRole, type SchemaRoles } from './roles.ts';
import type { KernelSchema } from './store.ts';

export interface ProvisionOptions {
  /** A role that may create roles and schemas; need not be a superuser. */
  readonly adminUrl: string;
  readonly secret: string;
  readonly modules: readonly string[];
  /** Schemas of the kernel, and those that modules bring. Made before the modules' own. */
  readonly schemas: readonly KernelSchema[];
  /** The events' tables of a module's schema: repeatable SQL. */
  readonly moduleDdl: (schema: string) => string;
  readonly log: Logger;
}

const LOCK = 7_220_001;

export async function provision(options: ProvisionOptions): Promise<void> {
  const { adminUrl, log } = options;
  const client = new pg.Client({ connectionString: adminUrl, application_name: 'banyan provision' });
  try {
    await client.connect();
  } catch (error) {
    throw new Error(
      `DATABASE_URL: the server does not let us in (${(error as Error).message}). Check host, user and password.`,
      { cause: error },
    );
  }
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
    await checkRights(client);
    await client.query('CREATE SCHEMA IF NOT EXISTS banyan_provision');
    await client.query(
      'CREATE TABLE IF NOT EXISTS banyan_provision.done (schema text PRIMARY KEY, state text NOT NULL, at timestamptz NOT NULL DEFAULT now())',
    );
    const { rows } = await client.query<{ schema: string; state: string }>(
      'SELECT schema, state FROM banyan_provision.done',
    );
    const done = new Map(rows.map(({ schema, state }) => [schema, state]));
    const wanted = plan(options);
    // Roles of all first: one schema may grant something to the role of another.
    const missing = wanted.filter(({ roles, state }) => done.get(roles.schema) !== state);
    for (const { roles } of missing) await ensureRoles(client, roles);
    for (const one of missing) await build(client, one, options);
    if (missing.length > 0)
      log.info({ schemas: missing.map(({ roles }) => roles.schema) }, 'the database is ready');
  } finally {
    // Ends the session and with it the lock.
    await client.end();
  }
}

interface Planned {
  readonly roles: SchemaRoles;
  readonly ddl: string;
  readonly module: string | undefined;
  /** Names the wanted state: the same text means there is nothing to do. */
  readonly state: string;
}

function plan({ modules, schemas, moduleDdl, secret }: ProvisionOptions): Planned[] {
  const one = (schema: string, runtime: string, ddl: string, module?: string): Planned => {
    const roles = { schema, runtime, owner: `${runtime}_owner`, password: rolePassword(secret, runtime) };
    const migrations = module ? migrationsOf(module).migrationDirectories.map(({ path }) => path) : [];
    const state = createHash('sha256')
      .update(JSON.stringify([4, roles, ddl, migrations]))
      .digest('hex');
    return { roles, ddl, module, state };
  };
  return [
    ...schemas.map(({ schema, role, ddl }) => one(schema, role, ddl)),
    ...modules.map((module) => one(module, runtimeRole(module), moduleDdl(module), module)),
  ];
}

async function build(
  client: pg.Client,
  { roles, ddl, module, state }: Planned,
  { adminUrl }: ProvisionOptions,
): Promise<void> {
  if (module) await migrate(client, module, adminUrl, roles.owner);
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL ROLE "${roles.owner}"`);
    await client.query(`SET LOCAL search_path = "${roles.schema}"`);
    await client.query(ddl);
    await client.query('RESET ROLE');
    await client.query(
      'INSERT INTO banyan_provision.done (schema, state) VALUES ($1, $2) ON CONFLICT (schema) DO UPDATE SET state = excluded.state, at = now()',
      [roles.schema, state],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw new Error(`The tables of ${roles.schema} could not be made: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function checkRights(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{
    name: string;
    roles: boolean;
    schemas: boolean;
    most: number;
    version: number;
  }>(`
    SELECT current_user AS name, rolcreaterole OR rolsuper AS roles, has_database_privilege(current_database(), 'CREATE') AS schemas,
      current_setting('max_connections')::int AS most, current_setting('server_version_num')::int / 10000 AS version
    FROM pg_roles WHERE rolname = current_user`);
  const { name, roles, schemas, most, version } = rows[0]!;
  if (version < 16)
    throw new Error(`DATABASE_URL: the server is PostgreSQL ${version}. Banyan needs 16 or newer.`);
  if (!roles)
    throw new Error(
      `DATABASE_URL: the role ${name} may not create roles. Run: ALTER ROLE ${name} CREATEROLE`,
    );
  if (!schemas) {
    throw new Error(
      `DATABASE_URL: the role ${name} may not create schemas. Run: GRANT CREATE ON DATABASE … TO ${name}`,
    );
  }
  if (most < CONNECTIONS_OF_A_MONOLITH) {
    throw new Error(
      `DATABASE_URL: the server takes ${most} connections and a monolith may use ${CONNECTIONS_OF_A_MONOLITH}. Raise max_connections.`,
    );
  }
}

/** Six modules with pools of 5, the sandbox, control, the log, and one that listens for each. */
const CONNECTIONS_OF_A_MONOLITH = 60;
