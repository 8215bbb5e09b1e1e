// Where a host's data is: the embedded server or the one that it was told, made ready by whoever may do so, and
// the connection URL of every role. A service was told its own URLs and can reach nothing else.
import pg from 'pg';
import type { Logger } from 'pino';
import { logSchema } from '../kernel/events/log/postgres-schema.ts';
import { moduleEventTables } from '../kernel/events/tables.ts';
import type { Module } from '../kernel/module.ts';
import { controlSchema } from '../kernel/placement/schema.ts';
import { type EmbeddedServer, openEmbedded } from '../kernel/store/embedded.ts';
import { provision } from '../kernel/store/provision.ts';
import { roleUrl, runtimeRole } from '../kernel/store/roles.ts';
import type { KernelSchema } from '../kernel/store/store.ts';
import type { Settings } from '../settings.ts';

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
  /** The embedded server, which this host stops last. */
  readonly embedded: EmbeddedServer | undefined;
  close(): Promise<void>;
}

/** The modules whose runtime role may end sessions. */
const REVOKERS = ['users'];

const SEED_LOCK = 7_220_002;
const OWNER_LOCK = 7_220_003;

export async function openDatabase(
  settings: Settings,
  modules: readonly Module[],
  log: Logger,
): Promise<Database> {
  return settings.role === 'service' ? toldDatabase(settings) : ownDatabase(settings, modules, log);
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
    embedded: undefined,
    close: async () => {},
  };
}

async function ownDatabase(settings: Settings, modules: readonly Module[], log: Logger): Promise<Database> {
  const { databaseUrl, dataDir, allModules, moduleDatabaseUrls } = settings;
  const embedded = databaseUrl === undefined ? await openEmbedded({ dataDir, log }) : undefined;
  const adminUrl = databaseUrl ?? embedded!.url;
  // Whoever holds the folder ends its server; who does not get it leaves it to the other.
  const held = embedded ? await holdAlone(adminUrl, dataDir) : undefined;
  const close = async () => {
    await held?.end().catch(() => {});
    await embedded?.stop();
  };
  const secret = `${new URL(adminUrl).password}|${settings.signingKey!.d}`;
  const extra = modules.flatMap((module) =>
    (module.schemas ?? []).map((schema) => [module.contract.module, schema] as const),
  );
  const schemas: KernelSchema[] = [controlSchema(REVOKERS), logSchema, ...extra.map(([, schema]) => schema)];
  if (settings.role === 'monolith') {
    const passwords = chosenPasswords(moduleDatabaseUrls);
    const wanted = {
      adminUrl,
      secret,
      passwords,
      modules: allModules,
      schemas,
      moduleDdl: moduleEventTables,
    };
    try {
      await provision({ ...wanted, log });
    } catch (error) {
      await close();
      throw error;
    }
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
    alone: (work) => underLock(adminUrl, work),
    embedded,
    close,
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

async function underLock<T>(url: string, work: () => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'banyan seed' });
  // Its loss frees the lock; without a listener it would end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [SEED_LOCK]);
    return await work();
  } finally {
    await client.end();
  }
}

/** One monolith per DATA_DIR: the lock is a session's, so a killed process holds it no longer. */
async function holdAlone(url: string, dataDir: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'banyan monolith' });
  client.on('error', () => {});
  await client.connect();
  // The server notices a killed client within moments, not at once.
  const deadline = Date.now() + 3000;
  for (;;) {
    const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [
      OWNER_LOCK,
    ]);
    if (rows[0]!.held) return client;
    if (Date.now() > deadline) {
      await client.end();
      throw new Error(
        `DATA_DIR ${dataDir} is in use by a Banyan that is running. Stop that one, or set DATA_DIR to another folder.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
