// The environment of a host, read and validated once: the only file that looks at process.env (the command
// line's client reads its own three). Guarantees: a mistake is one line that names the variable and the
// remedy; what is unset comes from DATA_DIR, where this file makes it once, mode 0600.
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { App } from './app.ts';
import { openDefaults } from './defaults.ts';
import { readModuleBrokers } from './module-brokers.ts';
import { readHostId, readModules, readModuleUrls, readPlacements } from './module-values.ts';
import { readOtlp } from './otlp.ts';
import { checkRole } from './required.ts';
import type { Settings } from './settings.ts';
import { readStores } from './stores.ts';
import {
  ConfigurationError,
  type Env,
  http,
  postgres,
  quoted,
  readBearer,
  readBroker,
  readConsole,
  readFolder,
  readHost,
  readInteger,
  readNetworks,
  readOwn,
  readPlaces,
  readPort,
  readRelease,
  readSecret,
  readSecurityLog,
  readServiceKey,
  readSigningKey,
  readSwitch,
  readUrl,
} from './values.ts';

/** The modules of a product are the folders of its folder: no list is kept anywhere. */
export function moduleNames({ modules }: Pick<App, 'modules'>): string[] {
  return readdirSync(modules, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Reads and validates; throws a ConfigurationError. @param overrides what the caller knows better. */
export function readEnvironment(app: App, overrides: Env = {}, given: Env = process.env): Settings {
  // An empty variable is an unset one: compose files and shells pass those.
  const env: Env = Object.fromEntries(
    Object.entries({ ...given, ...overrides }).filter(([, value]) => value !== ''),
  );
  const allModules = moduleNames(app);
  const { role, modules } = readModules(env.MODULES ?? 'all', allModules);
  const dataDir = readFolder('DATA_DIR', resolve(env.DATA_DIR ?? '.banyan'));
  checkRole(env, { role, modules });

  return {
    app,
    allModules,
    role,
    modules,
    hostId: readHostId(env, role, modules),
    release: readRelease('RELEASE', env.RELEASE ?? app.version),
    host: readHost('HOST', env.HOST ?? '127.0.0.1'),
    adminHost: readHost('ADMIN_HOST', env.ADMIN_HOST ?? '127.0.0.1'),
    ...readPorts(env, role),
    console: readConsole(env.CONSOLE ?? '/console'),
    dataDir,
    databaseUrl: readUrl('DATABASE_URL', env.DATABASE_URL, postgres),
    moduleDatabaseUrls: readModuleUrls(env, allModules),
    ...readStores(env, allModules, role),
    brokerUrl: readBroker('BROKER_URL', env.BROKER_URL),
    moduleBrokerUrls: readModuleBrokers(env, allModules, role),
    own: readOwnSettings(app, env, dataDir),
    controlUrl: readUrl('CONTROL_URL', env.CONTROL_URL, http),
    advertiseUrl: readUrl('ADVERTISE_URL', env.ADVERTISE_URL, http),
    placements: readPlacements(env.PLACEMENTS, allModules),
    serviceNetworks: readPlaces('SERVICE_NETWORKS', env.SERVICE_NETWORKS),
    trustProxy: readProxies(env.TRUST_PROXY),
    rateLimit: readInteger('RATE_LIMIT', env.RATE_LIMIT ?? '300', 0, 1_000_000),
    rateLimitExempt: readNetworks('RATE_LIMIT_EXEMPT', env.RATE_LIMIT_EXEMPT),
    drainDelayMs: readInteger('DRAIN_DELAY_MS', env.DRAIN_DELAY_MS ?? '0', 0, 600_000),
    restored: readSwitch('RESTORED', env.RESTORED),
    otlp: readOtlp(env),
    notifyUrl: readUrl('NOTIFY_URL', env.NOTIFY_URL, http),
    securityLog: readSecurityLog(env.SECURITY_LOG, dataDir),
    codec: env.NODE_ENV === 'test',
    strict: env.NODE_ENV !== 'production',
    inherited: inherited(env),
    pretty: process.stdout.isTTY === true,
    faults: env.BANYAN_FAULTS === '1',
    ...secretsOf(env, role, dataDir),
  };
}

/** A client could choose its own address where everybody is believed. */
function readProxies(text: string | undefined): string[] {
  const networks = readNetworks('TRUST_PROXY', text);
  const all = networks.find((one) => one.endsWith('/0'));
  if (all === undefined) return networks;
  const remedy = 'Use the addresses of your own proxies, such as 10.0.0.0/8.';
  throw new ConfigurationError('TRUST_PROXY', `has ${quoted(all)}, which is everybody`, remedy);
}

function readOwnSettings({ settings = {} }: App, env: Env, dataDir: string): Settings['own'] {
  return Object.fromEntries(
    Object.entries(settings).map(([name, one]) => [name, readOwn(one, env[one.variable], dataDir)]),
  );
}

const passedOn = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG', 'NODE_ENV', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS'];

function inherited(env: Env): Record<string, string> {
  return Object.fromEntries(passedOn.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** 0 is a free one, so two of those are two ports. A service has no public one, and none of /admin. */
function readPorts(env: Env, role: Settings['role']): Pick<Settings, 'port' | 'internalPort' | 'adminPort'> {
  const port = readPort('PORT', env.PORT ?? '3000');
  const internalPort = readPort('INTERNAL_PORT', env.INTERNAL_PORT ?? '0');
  if (role !== 'service' && port !== 0 && port === internalPort) {
    const remedy = 'Use another one, or leave it unset.';
    throw new ConfigurationError('INTERNAL_PORT', `is ${port}, as PORT is`, remedy);
  }
  const adminPort = env.ADMIN_PORT === undefined ? undefined : readPort('ADMIN_PORT', env.ADMIN_PORT);
  if (adminPort && (adminPort === port || adminPort === internalPort)) {
    const other = adminPort === port ? 'PORT' : 'INTERNAL_PORT';
    throw new ConfigurationError('ADMIN_PORT', `is ${adminPort}, as ${other} is`, 'Use another one.');
  }
  return { port, internalPort, adminPort };
}

/** What is missing is made and kept, once all that was given is known to be right. */
function secretsOf(
  env: Env,
  role: Settings['role'],
  dataDir: string,
): Pick<Settings, 'adminToken' | 'internalKey' | 'madeHere' | 'rootKey' | 'serviceKey' | 'signingKey'> {
  const adminToken = readBearer('ADMIN_TOKEN', env.ADMIN_TOKEN);
  const internalKey = readSecret('INTERNAL_KEY', env.INTERNAL_KEY);
  const legacy = readSwitch('INTERNAL_KEY_LEGACY', env.INTERNAL_KEY_LEGACY);
  const rootKey = readSecret('ROOT_KEY', env.ROOT_KEY, 32);
  const signingKey =
    env.SIGNING_KEY === undefined ? undefined : readSigningKey('SIGNING_KEY', env.SIGNING_KEY);
  const defaults = openDefaults(dataDir);
  const service = role === 'service';
  return {
    // A service knows it by its hash, from its monolith.
    adminToken: adminToken ?? (service ? undefined : defaults.adminToken()),
    internalKey: legacy ? (internalKey ?? defaults.internalKey()) : undefined,
    serviceKey: service ? readServiceKey('SERVICE_KEY', env.SERVICE_KEY!) : undefined,
    rootKey: service ? undefined : (rootKey ?? defaults.rootKey()),
    madeHere: service
      ? []
      : [
          ...(adminToken === undefined ? ['ADMIN_TOKEN'] : []),
          ...(rootKey === undefined ? ['ROOT_KEY'] : []),
        ],
    signingKey: signingKey ?? (service ? undefined : defaults.signingKey()),
  };
}
