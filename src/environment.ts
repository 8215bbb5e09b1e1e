// The environment of a host, read and validated once: the only file that looks at process.env (the command
// line's client reads its own three). Guarantees: a mistake is one line that names the variable and the
// remedy; what is unset comes from DATA_DIR, where this file makes it once, mode 0600.
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { openDefaults } from './defaults.ts';
import type { App } from './kernel/host/app.ts';
import type { Placement } from './kernel/placement/snapshot.ts';
import type { Settings } from './settings.ts';
import {
  ConfigurationError,
  HTTP,
  POSTGRES,
  quoted,
  readBearer,
  readBroker,
  readFolder,
  readHost,
  readInteger,
  readNetworks,
  readOwn,
  readPort,
  readSecret,
  readSigningKey,
  readUrl,
} from './values.ts';

type Env = Readonly<Record<string, string | undefined>>;

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
  const signer = app.sessions?.module;
  if (role === 'service') requireOfService(env, modules, signer);
  if (role === 'gateway') requireOfGateway(env);
  if (role !== 'service') refuseOfOthers(env, role);

  return {
    app,
    allModules,
    role,
    modules,
    hostId: readHostId(env, role, modules),
    host: readHost(env.HOST ?? '127.0.0.1'),
    ...readPorts(env, role),
    dataDir,
    databaseUrl: readUrl('DATABASE_URL', env.DATABASE_URL, POSTGRES),
    moduleDatabaseUrls: readModuleUrls(env, allModules),
    brokerUrl: readBroker(env.BROKER_URL),
    own: readOwnSettings(app, env, dataDir),
    controlUrl: readUrl('CONTROL_URL', env.CONTROL_URL, HTTP),
    advertiseUrl: readUrl('ADVERTISE_URL', env.ADVERTISE_URL, HTTP),
    placements: readPlacements(env.PLACEMENTS, allModules),
    trustProxy: readProxies(env.TRUST_PROXY),
    rateLimit: readInteger('RATE_LIMIT', env.RATE_LIMIT ?? '300', 0, 1_000_000),
    rateLimitExempt: readNetworks('RATE_LIMIT_EXEMPT', env.RATE_LIMIT_EXEMPT),
    drainDelayMs: readInteger('DRAIN_DELAY_MS', env.DRAIN_DELAY_MS ?? '0', 0, 600_000),
    otlpEndpoint: readUrl('OTEL_EXPORTER_OTLP_ENDPOINT', env.OTEL_EXPORTER_OTLP_ENDPOINT, HTTP),
    codec: env.NODE_ENV === 'test',
    strict: env.NODE_ENV !== 'production',
    inherited: inherited(env),
    pretty: process.stdout.isTTY === true,
    faults: env.BANYAN_FAULTS === '1',
    ...secretsOf(env, role !== 'service' || modules.includes(signer ?? ''), dataDir),
  };
}

function readModules(text: string, all: readonly string[]): Pick<Settings, 'role' | 'modules'> {
  if (text === 'all') return { role: 'monolith', modules: all };
  if (text === 'none') return { role: 'gateway', modules: [] };
  const modules = [...new Set(text.split(',').map((name) => name.trim()))];
  for (const name of modules) {
    if (!all.includes(name)) {
      throw new ConfigurationError(
        'MODULES',
        `names ${quoted(name)}, which is no module`,
        `Use all, none, or a list of ${all.join(', ')}.`,
      );
    }
  }
  return { role: 'service', modules };
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

/** What a service cannot make for itself, because it must be the same as its monolith's. */
function requireOfService(env: Env, modules: readonly string[], signer: string | undefined): void {
  const remedy =
    'A service gets it from its monolith: start it with `npx banyan extract`, or set it by hand.';
  for (const name of ['CONTROL_URL', 'INTERNAL_KEY', 'ADMIN_TOKEN', 'BROKER_URL']) {
    if (env[name] === undefined)
      throw new ConfigurationError(name, `is not set, and MODULES=${modules.join(',')} is a service`, remedy);
  }
  for (const module of modules) {
    const name = `DATABASE_URL_${module.toUpperCase()}`;
    if (env[name] === undefined)
      throw new ConfigurationError(name, `is not set, and this service runs ${module}`, remedy);
  }
  if (signer && modules.includes(signer) && env.SIGNING_KEY === undefined) {
    throw new ConfigurationError('SIGNING_KEY', `is not set, and ${signer} signs the session tokens`, remedy);
  }
}

/** Who follows placement in the database would never look there. */
function refuseOfOthers(env: Env, role: Settings['role']): void {
  if (env.CONTROL_URL === undefined) return;
  const who = role === 'monolith' ? 'MODULES=all is a monolith' : 'MODULES=none is a gateway alone';
  const remedy = 'Use it where MODULES is a list, which makes a service, and leave it unset here.';
  throw new ConfigurationError('CONTROL_URL', `is set, and ${who}: it follows the database`, remedy);
}

/** A gateway alone has no database of its own to make: it follows the one of its monoliths. */
function requireOfGateway(env: Env): void {
  for (const name of ['DATABASE_URL', 'INTERNAL_KEY', 'ADMIN_TOKEN', 'SIGNING_KEY']) {
    if (env[name] === undefined) {
      throw new ConfigurationError(
        name,
        'is not set, and MODULES=none is a gateway alone',
        'Give it the value that its monolith has.',
      );
    }
  }
}

const passedOn = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG', 'NODE_ENV', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS'];

function inherited(env: Env): Record<string, string> {
  return Object.fromEntries(passedOn.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** `<module>-<n>`: the name of the module is what tokens for this service are made for. */
function readHostId(env: Env, role: Settings['role'], modules: readonly string[]): string {
  const service = role === 'service';
  const id = env.INSTANCE_ID ?? (service ? `${modules[0]}-1` : 'monolith');
  const fits = service
    ? modules.some(
        (module) => /^[1-9]\d{0,3}$/.test(id.slice(module.length + 1)) && id.startsWith(`${module}-`),
      )
    : /^[a-z][a-z0-9-]{0,62}$/.test(id);
  if (fits) return id;
  throw new ConfigurationError(
    'INSTANCE_ID',
    `is ${quoted(id)}`,
    service
      ? `Use the module and a number from 1, such as ${modules[0]}-1.`
      : 'Use lower-case letters, digits and dashes, such as monolith.',
  );
}

/** 0 is a free one, so two of those are two ports. A service has no public one. */
function readPorts(env: Env, role: Settings['role']): Pick<Settings, 'port' | 'internalPort'> {
  const port = readPort('PORT', env.PORT ?? '3000');
  const internalPort = readPort('INTERNAL_PORT', env.INTERNAL_PORT ?? '0');
  if (role !== 'service' && port !== 0 && port === internalPort) {
    const remedy = 'Use another one, or leave it unset.';
    throw new ConfigurationError('INTERNAL_PORT', `is ${port}, as PORT is`, remedy);
  }
  return { port, internalPort };
}

function readModuleUrls(env: Env, all: readonly string[]): Record<string, string> {
  const urls: Record<string, string> = {};
  const prefix = 'DATABASE_URL_';
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(prefix) || value === undefined) continue;
    const module = name.slice(prefix.length).toLowerCase();
    const schema = module.replaceAll('_', '-');
    if (!all.includes(module) && !all.some((one) => schema.startsWith(`${one}-`))) {
      throw new ConfigurationError(
        name,
        'names no module',
        `Use DATABASE_URL_ and one of ${all.map((one) => one.toUpperCase()).join(', ')}.`,
      );
    }
    urls[module] = readUrl(name, value, POSTGRES)!;
  }
  return urls;
}

function readPlacements(text: string | undefined, all: readonly string[]): Record<string, Placement> {
  const placements: Record<string, Placement> = {};
  for (const part of (text ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)) {
    const [module, placement, ...rest] = part.split('=');
    if (!module || !all.includes(module) || rest.length > 0) {
      throw new ConfigurationError(
        'PLACEMENTS',
        `has ${quoted(part)}`,
        `Use module=service or module=in-process, with a module of ${all.join(', ')}.`,
      );
    }
    if (placement !== 'service' && placement !== 'in-process') {
      throw new ConfigurationError(
        'PLACEMENTS',
        `has ${quoted(part)}`,
        'A placement is service or in-process.',
      );
    }
    placements[module] = placement;
  }
  return placements;
}

/** What is missing is made and kept, once all that was given is known to be right. @param signs it needs the private key. */
function secretsOf(
  env: Env,
  signs: boolean,
  dataDir: string,
): Pick<Settings, 'adminToken' | 'internalKey' | 'signingKey'> {
  const adminToken = readBearer('ADMIN_TOKEN', env.ADMIN_TOKEN);
  const internalKey = readSecret('INTERNAL_KEY', env.INTERNAL_KEY);
  const signingKey =
    env.SIGNING_KEY === undefined ? undefined : readSigningKey('SIGNING_KEY', env.SIGNING_KEY);
  const defaults = openDefaults(dataDir);
  return {
    adminToken: adminToken ?? defaults.adminToken(),
    internalKey: internalKey ?? defaults.internalKey(),
    signingKey: signingKey ?? (signs ? defaults.signingKey() : undefined),
  };
}
