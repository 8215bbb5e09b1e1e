// Makes the database ready: schemas, roles, tables, migrations. Any number of replicas may start at once: one
// works under a lock (library-lock.ts), the others find it done. What is already as it should be is not touched, so
// an ordinary boot pays for one query.
//
// What is done is written where it was done: a schema's comment names the state it is in, so a schema that
// was dropped is made again, and a backup that is restored says itself how far it is.

import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { adminSession } from './admin-session.ts';
import { isMarked, markAway, standFor, stateWhere } from './away.ts';
import { closeServer, tellOfOpen } from './entrance.ts';
import { hold } from './library-lock.ts';
import { migrate, migrationsOf } from './migrations.ts';
import { type ChangedRole, changedRoles, toldIn } from './role-keeping.ts';
import type { RoleSchema } from './role-schema.ts';
import {
  asOwner,
  ensureRoles,
  ensureSchema,
  noTableRights,
  passwordMark,
  rolePassword,
  roleState,
  runtimeRole,
  type SchemaRoles,
} from './roles.ts';
import { atSameInstant } from './same-instant.ts';
import { checkServer, connectionsOf, readServer } from './server-check.ts';

export interface ProvisionOptions {
  /** A role that may create roles and schemas; need not be a superuser. */
  readonly adminUrl: string;
  /** A session of that role, where the host has one already; else one is opened and closed. */
  readonly session?: pg.Client | undefined;
  readonly secret: string;
  /** Passwords that were chosen (in a URL that a module was given) instead of derived, by runtime role. */
  readonly passwords?: Readonly<Record<string, string>>;
  readonly modules: readonly string[];
  /** Of these: whose store here follows another server. It gets its tables, and nobody of the module gets in. */
  readonly fenced?: readonly string[];
  /** Of these: whose store is on another server alone. Here it has its roles, by which it speaks to the log. */
  readonly elsewhere?: readonly string[];
  /** The product's folder with one folder per module, each with migrations/; undefined: none has any. */
  readonly prisma?: URL | undefined;
  /** Schemas of the library, and those that modules bring. Made before the modules' own. */
  readonly schemas: readonly RoleSchema[];
  /** The library's tables in a module's schema: repeatable SQL. */
  readonly moduleDdl: (schema: string) => string;
  /** The server is Banyan's alone: nobody but its roles enters a database of it. Default false. */
  readonly ownServer?: boolean;
  /** Hears of a role that changed its own password or settings, before they are set again. Default: a line of the log. */
  readonly onChangedRole?: (one: ChangedRole) => void;
  /** Rejects where this host may change nothing of what is there. Asked under the lock, before anything is. */
  readonly mayChange?: (client: pg.Client) => Promise<void>;
  readonly log: Logger;
}

/** Hosts of the version before take this advisory lock, and no row. */
const OLD_LOCK = 7_220_001;

/** Raise it when roles.ts gives other rights. */
const RIGHTS = 2;

export async function provision(options: ProvisionOptions): Promise<void> {
  const { adminUrl, session, modules, schemas, ownServer = false, log } = options;
  const client = session ?? (await adminSession(adminUrl, 'banyan provision'));
  let lock: pg.Client | undefined;
  try {
    const server = await readServer(client);
    checkServer(server, connectionsOf(modules.length, schemas.length));
    const wanted = plan(options);
    const changed = await changedRoles(client, rolesIn(wanted), server, adminUrl);
    const closes = ownServer && server.open.length > 0;
    if (changed.length === 0 && !closes && (await missingOf(client, wanted)).length === 0) return;
    lock = await adminSession(adminUrl, 'banyan provision');
    await lockOut(lock, log);
    await options.mayChange?.(client);
    for (const one of changed) await restore(client, wanted, one, options);
    // Roles are the whole server's, and the lock is this database's: two databases may create one role at once.
    const missing = await missingOf(client, wanted);
    // Roles of all first: one schema may grant something to the role of another.
    for (const { roles } of missing) await makeRoles(client, roles, server.user);
    for (const one of missing) await build(client, one, options);
    if (closes) await closeServer(client, server);
    else tellOfOpen(server, log);
    if (missing.length > 0)
      log.info(
        { schemas: missing.filter((one) => !one.elsewhere).map(({ roles }) => roles.schema) },
        'the database is ready',
      );
  } finally {
    // The end of a session is the end of its lock.
    await lock?.end();
    if (!session) await client.end();
  }
}

/** The roles that provisioning with these options makes. */
export function rolesOf(options: ProvisionOptions): SchemaRoles[] {
  return rolesIn(plan(options));
}

function rolesIn(wanted: readonly Planned[]): SchemaRoles[] {
  return wanted.map(({ roles }) => roles);
}

async function restore(
  client: pg.Client,
  wanted: readonly Planned[],
  one: ChangedRole,
  { log, onChangedRole = toldIn(log) }: ProvisionOptions,
): Promise<void> {
  onChangedRole(one);
  const { roles } = wanted.find(({ roles }) => roles.runtime === one.role)!;
  await atSameInstant(() => ensureRoles(client, roles, true));
}

interface Planned {
  readonly roles: SchemaRoles;
  readonly ddl: string;
  readonly module: string | undefined;
  readonly fenced: boolean;
  readonly elsewhere: boolean;
  /** What the schema's comment says, and that of its runtime role begins with, when there is nothing to do. */
  readonly state: string;
  readonly roleState: string;
}

function plan(options: ProvisionOptions): Planned[] {
  const { modules, prisma, schemas, moduleDdl, secret, passwords = {} } = options;
  const isOne = (module: string | undefined, of: readonly string[] = []) =>
    module !== undefined && of.includes(module);
  const one = (schema: string, runtime: string, ddl: string, module?: string): Planned => {
    const password = passwords[runtime] ?? rolePassword(secret, runtime);
    const plans = module ? ('generic' as const) : ('auto' as const);
    const mark = passwordMark(secret, runtime, password);
    const roles = { schema, runtime, owner: `${runtime}_owner`, password, passwordMark: mark, plans };
    const migrations = module ? migrationsOf(prisma, module).migrationDirectories : [];
    const state = createHash('sha256')
      .update(JSON.stringify([RIGHTS, schema, runtime, ddl, migrations]))
      .digest('hex');
    const [fenced, elsewhere] = [isOne(module, options.fenced), isOne(module, options.elsewhere)];
    return {
      ...{ roles, ddl, module, fenced, elsewhere },
      ...{ state: `banyan ${state}`, roleState: roleState(roles) },
    };
  };
  return [
    ...schemas.map(({ schema, role, ddl }) => one(schema, role, ddl)),
    ...modules.map((module) => one(module, runtimeRole(module), moduleDdl(module), module)),
  ];
}

async function missingOf(client: pg.Client, wanted: readonly Planned[]): Promise<Planned[]> {
  const { rows } = await client.query<{ kind: string; name: string; state: string | null }>(
    `SELECT 'schema' AS kind, nspname AS name, obj_description(oid, 'pg_namespace') AS state FROM pg_namespace WHERE nspname = ANY($1)
     UNION ALL
     SELECT 'role', rolname, shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = ANY($2)`,
    [wanted.map(({ roles }) => roles.schema), wanted.map(({ roles }) => roles.runtime)],
  );
  const found = new Map(rows.map(({ kind, name, state }) => [`${kind} ${name}`, state]));
  return wanted.filter(
    (one) =>
      !isAsItShould(one, found.get(`schema ${one.roles.schema}`)) ||
      !found.get(`role ${one.roles.runtime}`)?.startsWith(one.roleState),
  );
}

function isAsItShould({ elsewhere, fenced, state }: Planned, comment: string | null = null): boolean {
  return elsewhere ? isMarked(comment) : comment === stateWhere(state, fenced);
}

async function build(client: pg.Client, one: Planned, options: ProvisionOptions): Promise<void> {
  if (one.elsewhere) return standFor(client, one.roles);
  await markAway(client, one.roles, false);
  await make(client, one, options);
  if (one.fenced) await markAway(client, one.roles, true);
}

async function make(
  client: pg.Client,
  one: Planned,
  { adminUrl, prisma, log }: ProvisionOptions,
): Promise<void> {
  const { roles, ddl, module, state, fenced } = one;
  const { schema, owner, runtime } = roles;
  await ensureSchema(client, roles, fenced);
  if (module) {
    const { applied, ahead } = await migrate(client, { module, prisma, adminUrl, owner, runtime, ddl });
    if (applied.length > 0) log.debug({ module, migrations: applied }, 'migrations applied');
    if (ahead.length > 0) {
      // A newer host was here: its tables are newer than our idea of them, so ours is not put over them.
      log.warn({ module, migrations: ahead }, 'the store is newer than this host');
      return;
    }
  }
  try {
    const fence = fenced ? `${noTableRights(roles)};` : '';
    const comment = `COMMENT ON SCHEMA ${pg.escapeIdentifier(schema)} IS ${pg.escapeLiteral(state)}`;
    await asOwner(client, { schema, owner }, `SET LOCAL lock_timeout = '30s';\n${ddl}\n;${fence}${comment}`);
  } catch (error) {
    throw new Error(`The tables of ${schema} could not be made: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Waits until no other host prepares this database. */
async function lockOut(client: pg.Client, log: Logger): Promise<void> {
  const told = () => log.info('another host is preparing the database; waiting for it');
  await hold(client, 'provision', told);
  // One of the version before has the old lock. Anybody who may log in could take that: only our own user's counts.
  for (let waited = 0; ; waited += 1) {
    const { rows } = await client.query<{ older: boolean }>(
      `SELECT NOT pg_try_advisory_lock($1::bigint) AND EXISTS (
         SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.objid::bigint = $1::bigint
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND a.usename = current_user) AS older`,
      [OLD_LOCK],
    );
    if (!rows[0]!.older) return;
    if (waited === 0) told();
    await pause(100);
  }
}

async function makeRoles(client: pg.Client, roles: SchemaRoles, user: string): Promise<void> {
  try {
    await atSameInstant(() => ensureRoles(client, roles));
  } catch (error) {
    if ((error as { code?: string }).code !== '42501') throw error;
    throw new Error(
      `DATABASE_URL: ${user} may not manage the role ${roles.runtime} or ${roles.owner}, which somebody else made. ` +
        `As a superuser run: GRANT "${roles.runtime}", "${roles.owner}" TO "${user}" WITH ADMIN OPTION`,
      { cause: error },
    );
  }
}
