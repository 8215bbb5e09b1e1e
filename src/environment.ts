// The environment of a host, read and validated once: the only file that looks at process.env (the command
// line's client reads its own three). Guarantees: a mistake is one line that names the variable and the
// remedy; what is unset comes from DATA_DIR, where this file makes it once, mode 0600.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { JWK } from 'jose';
import { type Defaults, openDefaults } from './defaults.ts';
import type { Placement } from './kernel/placement/snapshot.ts';
import type { Settings } from './settings.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A mistake in the environment. `message` is the one line to show. */
export class ConfigurationError extends Error {
  constructor(variable: string, wrong: string, remedy: string) {
    super(`${variable} ${wrong}. ${remedy}`);
    this.name = 'ConfigurationError';
  }
}

/** The modules are the folders of src/modules. */
export function moduleNames(): string[] {
  const folder = fileURLToPath(new URL('./modules/', import.meta.url));
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Reads and validates; throws a ConfigurationError. @param overrides what the caller knows better. */
export async function readEnvironment(overrides: Env = {}, given: Env = process.env): Promise<Settings> {
  // An empty variable is an unset one: compose files and shells pass those.
  const env: Env = Object.fromEntries(
    Object.entries({ ...given, ...overrides }).filter(([, value]) => value !== ''),
  );
  const allModules = moduleNames();
  const { role, modules } = readModules(env.MODULES ?? 'all', allModules);
  const dataDir = resolve(env.DATA_DIR ?? '.banyan');
  if (role === 'service') requireOfService(env, modules);
  if (role === 'gateway') requireOfGateway(env);
  const defaults = openDefaults(dataDir);

  return {
    allModules,
    role,
    modules,
    hostId: readHostId(env, role, modules),
    host: readHost(env.HOST ?? '127.0.0.1'),
    port: readPort('PORT', env.PORT ?? '3000'),
    internalPort: readPort('INTERNAL_PORT', env.INTERNAL_PORT ?? '0'),
    dataDir,
    databaseUrl: readUrl('DATABASE_URL', env.DATABASE_URL, POSTGRES),
    moduleDatabaseUrls: readModuleUrls(env, allModules),
    brokerUrl: readBroker(env.BROKER_URL),
    storageUrl:
      readUrl('STORAGE_URL', env.STORAGE_URL, {
        protocols: ['file:'],
        example: 'file:///var/lib/banyan/media',
      }) ?? pathToFileURL(join(dataDir, 'media')).href,
    smtpUrl: readUrl('SMTP_URL', env.SMTP_URL, {
      protocols: ['smtp:', 'smtps:'],
      example: 'smtp://user:pass@mail.example:587',
    }),
    adminToken: readSecret('ADMIN_TOKEN', env.ADMIN_TOKEN) ?? defaults.adminToken(),
    internalKey: readSecret('INTERNAL_KEY', env.INTERNAL_KEY) ?? defaults.internalKey(),
    signingKey: await signingKey(env, role, modules, defaults),
    controlUrl: readUrl('CONTROL_URL', env.CONTROL_URL, HTTP),
    advertiseUrl: readUrl('ADVERTISE_URL', env.ADVERTISE_URL, HTTP),
    placements: readPlacements(env.PLACEMENTS, allModules),
    drainDelayMs: readInteger('DRAIN_DELAY_MS', env.DRAIN_DELAY_MS ?? '0', 0, 600_000),
    otlpEndpoint: readUrl('OTEL_EXPORTER_OTLP_ENDPOINT', env.OTEL_EXPORTER_OTLP_ENDPOINT, HTTP),
    codec: env.NODE_ENV === 'test',
    strict: env.NODE_ENV !== 'production',
    inherited: inherited(env),
    pretty: process.stdout.isTTY === true,
    faults: env.BANYAN_FAULTS === '1',
  };
}

const POSTGRES = { protocols: ['postgres:', 'postgresql:'], example: 'postgres://user:pass@db:5432/banyan' };
const HTTP = { protocols: ['http:', 'https:'], example: 'http://127.0.0.1:4000' };

function readModules(text: string, all: readonly string[]): Pick<Settings, 'role' | 'modules'> {
  if (text === 'all') return { role: 'monolith', modules: all };
  if (text === 'none') return { role: 'gateway', modules: [] };
  const modules = [...new Set(text.split(',').map((name) => name.trim()))];
  for (const name of modules) {
    if (!all.includes(name)) {
      throw new ConfigurationError(
        'MODULES',
        `names "${name}", which is no module`,
        `Use all, none, or a list of ${all.join(', ')}.`,
      );
    }
  }
  return { role: 'service', modules };
}

/** What a service cannot make for itself, because it must be the same as its monolith's. */
function requireOfService(env: Env, modules: readonly string[]): void {
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
  if (modules.includes('users') && env.SIGNING_KEY === undefined) {
    throw new ConfigurationError('SIGNING_KEY', 'is not set, and users signs the session tokens', remedy);
  }
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

function readHostId(env: Env, role: Settings['role'], modules: readonly string[]): string {
  if (role !== 'service') return env.INSTANCE_ID ?? 'monolith';
  const id = env.INSTANCE_ID ?? `${modules[0]}-1`;
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(id)) {
    throw new ConfigurationError(
      'INSTANCE_ID',
      `is "${id}"`,
      'Use lower-case letters, digits and dashes, for example orders-1.',
    );
  }
  return id;
}

function readHost(text: string): string {
  if (!/^[A-Za-z0-9.:_-]+$/.test(text))
    throw new ConfigurationError('HOST', `is "${text}"`, 'Use an address such as 127.0.0.1 or 0.0.0.0.');
  return text;
}

function readInteger(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new ConfigurationError(name, `is "${text}"`, `Use a whole number from ${least} to ${most}.`);
  }
  return value;
}

function readPort(name: string, text: string): number {
  return readInteger(name, text, 0, 65_535);
}

function readUrl(
  name: string,
  text: string | undefined,
  kind: { protocols: readonly string[]; example: string },
): string | undefined {
  if (text === undefined) return undefined;
  if (!URL.canParse(text) || !kind.protocols.includes(new URL(text).protocol)) {
    throw new ConfigurationError(
      name,
      `is not a ${kind.protocols[0]!.slice(0, -1)} URL`,
      `Use a form such as ${kind.example}.`,
    );
  }
  return text;
}

/** kafka[s]://[user:pass@]h1:9092,h2:9092; or the Postgres log of a monolith, which its services are told. */
function readBroker(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const kafka = /^kafkas?:\/\/(?:[^@/\s]+@)?[^@/\s,:]+:\d{1,5}(?:,[^@/\s,:]+:\d{1,5})*\/?$/;
  if (kafka.test(text) || (/^postgres(ql)?:/.test(text) && URL.canParse(text))) return text;
  throw new ConfigurationError(
    'BROKER_URL',
    'is not a broker list',
    'Use a form such as kafka://127.0.0.1:9092 or kafkas://user:pass@h1:9092,h2:9092.',
  );
}

function readSecret(name: string, text: string | undefined): string | undefined {
  if (text !== undefined && text.length < 16)
    throw new ConfigurationError(name, 'is shorter than 16 characters', 'Use a long random text.');
  return text;
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
        `has "${part}"`,
        `Use module=service or module=in-process, with a module of ${all.join(', ')}.`,
      );
    }
    if (placement !== 'service' && placement !== 'in-process') {
      throw new ConfigurationError('PLACEMENTS', `has "${part}"`, 'A placement is service or in-process.');
    }
    placements[module] = placement;
  }
  return placements;
}

async function signingKey(
  env: Env,
  role: Settings['role'],
  modules: readonly string[],
  defaults: Defaults,
): Promise<JWK | undefined> {
  if (env.SIGNING_KEY !== undefined) {
    const remedy = 'Use a private Ed25519 key as JWK: {"kty":"OKP","crv":"Ed25519","d":"…","x":"…"}.';
    let key: JWK;
    try {
      key = JSON.parse(env.SIGNING_KEY) as JWK;
    } catch {
      throw new ConfigurationError('SIGNING_KEY', 'is not JSON', remedy);
    }
    if (
      key.kty !== 'OKP' ||
      key.crv !== 'Ed25519' ||
      typeof key.d !== 'string' ||
      typeof key.x !== 'string'
    ) {
      throw new ConfigurationError('SIGNING_KEY', 'is not a private Ed25519 key', remedy);
    }
    return key;
  }
  return role === 'service' && !modules.includes('users') ? undefined : defaults.signingKey();
}
