// Where a host's data is: the embedded server or the one that it was told, made ready by whoever may do so, and
// the connection URL of every role. A service was told its own URLs and can reach nothing else.
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.ts';
import { createRootKey } from '../identity/root-key.ts';
import { logSchema } from '../log/postgres-schema.ts';
import { controlSchema } from '../placement/schema.ts';
import { createClient } from '../postgres/connections.ts';
import type { KernelSchema } from '../postgres/kernel-schema.ts';
import { provision } from '../postgres/provision.ts';
import { roleUrl, runtimeRole } from '../postgres/roles.ts';
import { kernelTables } from './kernel-tables.ts';
import type { Module } from './module.ts';
import type { HeldServer } from './server.ts';

export interface Database {
  /** The URL of a module's runtime role. */
  moduleUrl(module: string): string;
  /** The URL of an extra schema that a module brought. */
  schemaUrl(module: string, schema: string): string;
  readonly logUrl: string;
  /** Undefined on a service, which follows placement over HTTP. */
  readonly controlUrl: string | undefined;
  /** Runs the work while no other replica runs the same. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

const SEED_LOCK = 7_220_002;

/** @param opening the embedded server; undefined where DATABASE_URL names one. */
export async function openDatabase(
  settings: Settings,
  opening: Promise<HeldServer> | undefined,
  modules: readonly Module[],
  log: Logger,
): Promise<Database> {
  return settings.role === 'service' ? toldDatabase(settings) : ownDatabase(settings, opening, modules, log);
}

function toldDatabase({ moduleDatabaseUrls, brokerUrl }: Settings): Database {
  const told = (name: string) => {
    const url = moduleDatabaseUrls[name];
    if (!url)
      throw new Error(`DATABASE_URL_${name.toUpperCase()} is not set. A service gets it from its monolith.`);
    return url;
  };
  return {
    moduleUrl: told,
    schemaUrl: (module, schema) => told(`${module}_${schema}`),
    logUrl: brokerUrl!,
    controlUrl: undefined,
    alone: (work) => work(),
  };
}

async function ownDatabase(
  settings: Settings,
  opening: Promise<HeldServer> | undefined,
  modules: readonly Module[],
  log: Logger,
): Promise<Database> {
  const { app, allModules, moduleDatabaseUrls } = settings;
  // Its runtime role may end sessions.
  const revokers = app.sessions ? [app.sessions.module] : [];
  const server = await opening;
  const adminUrl = settings.databaseUrl ?? server!.url;
  const secret = createRootKey(settings.rootKey!).roleSecret;
  const extra = modules.flatMap((module) =>
    (module.schemas ?? []).map((schema) => [module.contract.module, schema] as const),
  );
  const schemas: KernelSchema[] = [controlSchema(revokers), logSchema, ...extra.map(([, schema]) => schema)];
  if (settings.role === 'monolith') {
    const passwords = chosenPasswords(moduleDatabaseUrls);
    await provision({
      adminUrl,
      session: server?.session,
      secret,
      passwords,
      modules: allModules,
      prisma: app.prisma,
      schemas,
      moduleDdl: kernelTables,
      log,
    });
  }
  return {
    moduleUrl: (module) => moduleDatabaseUrls[module] ?? roleUrl(adminUrl, secret, runtimeRole(module)),
    schemaUrl: (module, schema) => {
      const role = extra.find(([owner, one]) => owner === module && one.schema === schema)?.[1].role;
      if (!role)
        throw new Error(`${module} asks for the schema ${schema}; name it in "schemas" of its module.ts`);
      return moduleDatabaseUrls[`${module}_${schema}`] ?? roleUrl(adminUrl, secret, role);
    },
    logUrl: roleUrl(adminUrl, secret, logSchema.role),
    controlUrl: roleUrl(adminUrl, secret, 'banyan_control'),
    alone: (work) => underLock(adminUrl, server?.session, work),
  };
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
    await client.query('SELECT pg_advisory_lock($1)', [SEED_LOCK]);
    return await work();
  } finally {
    if (session) await session.query('SELECT pg_advisory_unlock($1)', [SEED_LOCK]);
    else await client.end();
  }
}

async function connect(url: string, name: string): Promise<pg.Client> {
  const client = createClient({ connectionString: url, application_name: name });
  await client.connect();
  return client;
}
