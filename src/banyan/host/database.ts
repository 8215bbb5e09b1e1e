// Where a host's data is: the embedded server or the one that it was told, made ready by whoever may do so, and
// the connection URL of every role. A service was told its own URLs and can reach nothing else.
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.ts';
import { POSTGRES_LOG } from '../config/values.ts';
import { LOG_ROLE, logSchema } from '../log/postgres-schema.ts';
import { SHARED } from '../placement/store-places.ts';
import { createClient } from '../postgres/connections.ts';
import { hold } from '../postgres/library-lock.ts';
import type { ChangedRole } from '../postgres/role-keeping.ts';
import type { RoleSchema } from '../postgres/role-schema.ts';
import { roleUrl, runtimeRole } from '../postgres/roles.ts';
import { urlAt } from '../postgres/server-address.ts';
import type { Placements, StorePlace } from '../routing/snapshot.ts';
import type { SecurityLog } from '../telemetry/security-log.ts';
import { controlTables, libraryTables } from './library-tables.ts';
import type { Module } from './module.ts';
import { createRoleUpkeep, type RoleUpkeep } from './role-upkeep.ts';
import { refuseOtherRoot, roleSecretOf } from './root.ts';
import type { HeldServer } from './server.ts';
import { makeReady, provisionAt, provisioningAt } from './store-places.ts';
import { StoreServers } from './store-servers.ts';
import type { Undo } from './undo.ts';

export interface Database {
  /** The URL of a module's runtime role where its store is now. */
  moduleUrl(module: string): string;
  /** The same on the shared server, where the log in PostgreSQL stays whatever moves. */
  sharedUrl(module: string): string;
  /** From now on stores are where this says, once it says anything. */
  follow(placements: Pick<Placements, 'current'>): void;
  /** The URL of an extra schema that a module brought. */
  schemaUrl(module: string, schema: string): string;
  /** The URL of the log's own role; undefined on a service that was not told it. */
  readonly logUrl: string | undefined;
  /** The log is the one in PostgreSQL, and each module speaks to it under its own role. */
  readonly logByModules: boolean;
  /** Undefined on a service, which follows placement over HTTP. */
  readonly controlUrl: string | undefined;
  /** The servers that stores can be on, and what makes one ready; undefined on a service. */
  readonly servers: (StoreServers & { provision(module: string, server: string): Promise<void> }) | undefined;
  /** Of the roles, by whoever may; undefined on a service. */
  readonly upkeep: RoleUpkeep | undefined;
  /** How often each embedded server was killed, and started again by this host: by the name of the server or its module. */
  restarts(): readonly (readonly [server: string, restarts: number])[];
  /** Runs the work while no other replica runs the same. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

/** As the shared one has (server.ts). */
const SERVERS_MS = 20_000;

/** @param opening the embedded server; undefined where DATABASE_URL names one. */
export async function openDatabase(
  settings: Settings,
  opening: Promise<HeldServer> | undefined,
  modules: readonly Module[],
  log: Logger,
  security: SecurityLog,
  undo: Undo,
): Promise<Database> {
  return settings.role === 'service'
    ? toldDatabase(settings)
    : ownDatabase(settings, opening, modules, log, security, undo);
}

type Begun = Pick<StorePlace, 'server' | 'address'>;

/** Where stores are: as a start found it, until there is a picture. */
class Places {
  #begun: Readonly<Record<string, Begun>> = {};
  #placements: Pick<Placements, 'current'> | undefined;

  begin(begun: readonly (Begun & { readonly module: string })[]): void {
    this.#begun = Object.fromEntries(begun.map((one) => [one.module, one]));
  }

  follow(placements: Pick<Placements, 'current'>): void {
    this.#placements = placements;
  }

  urlOf(module: string, sharedUrl: string): string {
    return urlAt(sharedUrl, this.#now[module]?.address);
  }

  get away(): { readonly module: string; readonly server: string }[] {
    return Object.entries(this.#now)
      .map(([module, { server }]) => ({ module, server }))
      .filter(({ server }) => server !== SHARED);
  }

  get #now(): Readonly<Record<string, Begun>> {
    return this.#placements?.current.stores ?? this.#begun;
  }
}

function toldDatabase({ moduleDatabaseUrls, brokerUrl }: Settings): Database {
  const told = (name: string) => {
    const url = moduleDatabaseUrls[name];
    if (!url)
      throw new Error(`DATABASE_URL_${name.toUpperCase()} is not set. A service gets it from its monolith.`);
    return url;
  };
  const places = new Places();
  return {
    moduleUrl: (module) => places.urlOf(module, told(module)),
    sharedUrl: told,
    follow: (placements) => places.follow(placements),
    servers: undefined,
    schemaUrl: (module, schema) => told(`${module}_${schema}`),
    // As services of the version before were told.
    logUrl: /^postgres(ql)?:/.test(brokerUrl ?? '') ? brokerUrl : undefined,
    logByModules: brokerUrl === POSTGRES_LOG,
    controlUrl: undefined,
    upkeep: undefined,
    restarts: () => [],
    alone: (work) => work(),
  };
}

async function ownDatabase(
  settings: Settings,
  opening: Promise<HeldServer> | undefined,
  modules: readonly Module[],
  log: Logger,
  security: SecurityLog,
  undo: Undo,
): Promise<Database> {
  const { app, allModules, moduleDatabaseUrls } = settings;
  // Its runtime role may end sessions.
  const revokers = app.sessions ? [app.sessions.module] : [];
  const server = await opening;
  const adminUrl = settings.databaseUrl ?? server!.url;
  const secret = roleSecretOf(settings, adminUrl);
  const extra = modules.flatMap((module) =>
    (module.schemas ?? []).map((schema) => [module.contract.module, schema] as const),
  );
  const schemas: RoleSchema[] = [
    controlTables(revokers),
    logSchema(allModules),
    ...extra.map(([, schema]) => schema),
  ];
  const options = {
    adminUrl,
    session: server?.session,
    secret,
    passwords: chosenPasswords(moduleDatabaseUrls),
    modules: allModules,
    prisma: app.prisma,
    schemas,
    moduleDdl: libraryTables,
    mayChange: (client: pg.Client) => refuseOtherRoot(client, settings),
    ownServer: server !== undefined,
    onChangedRole: tellOf(security),
    log,
  };
  const holdsShared = server !== undefined;
  const servers = new StoreServers({ settings, sharedUrl: adminUrl, holdsShared, secret, log });
  // Before anything uses them: it is undone after that.
  undo.push('servers of stores', (ms) => servers.close(ms), SERVERS_MS);
  const placing = { provisioning: options, servers, wanted: settings.stores, log };
  const places = new Places();
  const rolesOfSchemas = Map.groupBy(extra, ([module]) => module);
  const upkeep = createRoleUpkeep({
    ...options,
    sessions: app.sessions?.module,
    others: () => Promise.all(places.away.flatMap((one) => provisioningAt(placing, one))),
    extra: new Map([...rolesOfSchemas].map(([module, some]) => [module, some.map(([, { role }]) => role)])),
  });
  if (settings.role === 'monolith') {
    places.begin(await makeReady(placing));
    await upkeep.begin();
  }
  const sharedUrl = (module: string) =>
    moduleDatabaseUrls[module] ?? roleUrl(adminUrl, secret, runtimeRole(module));
  return {
    upkeep,
    servers: Object.assign(servers, {
      provision: (module: string, name: string) => provisionAt(placing, module, name, true),
    }),
    sharedUrl,
    moduleUrl: (module) => places.urlOf(module, sharedUrl(module)),
    follow: (placements) => places.follow(placements),
    schemaUrl: (module, schema) => {
      const role = extra.find(([owner, one]) => owner === module && one.schema === schema)?.[1].role;
      if (!role)
        throw new Error(`${module} asks for the schema ${schema}; name it in "schemas" of its module.ts`);
      return moduleDatabaseUrls[`${module}_${schema}`] ?? roleUrl(adminUrl, secret, role);
    },
    logUrl: roleUrl(adminUrl, secret, LOG_ROLE),
    logByModules: false,
    controlUrl: roleUrl(adminUrl, secret, 'banyan_control'),
    restarts: () => [...(server ? [[SHARED, server.restarts()] as const] : []), ...servers.restarts()],
    alone: (work) => underLock(adminUrl, server?.session, work),
  };
}

/** Nobody but who has its password, or who began with it, changes a role. */
function tellOf(security: SecurityLog): (one: ChangedRole) => void {
  return ({ role, changed }) =>
    security.write({
      event: 'database.role',
      outcome: 'refused',
      actor: { kind: 'module', name: role },
      target: role,
      reason: `the role changed its own ${changed.join(' and ')}; set again`,
    });
}

/** A URL that a module was given names its role and the password that it shall have: provisioning sets it. */
function chosenPasswords(urls: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.values(urls).map((text) => {
      const { username, password } = new URL(text);
      return [decodeURIComponent(username), decodeURIComponent(password)];
    }),
  );
}

async function underLock<T>(url: string, session: pg.Client | undefined, work: () => Promise<T>): Promise<T> {
  const client = session ?? (await connect(url, 'banyan seed'));
  try {
    const release = await hold(client, 'seed');
    try {
      return await work();
    } finally {
      await release();
    }
  } finally {
    if (!session) await client.end();
  }
}

async function connect(url: string, name: string): Promise<pg.Client> {
  const client = createClient({ connectionString: url, application_name: name });
  await client.connect();
  return client;
}
