// Every mistake in the environment is one line that names the variable and the remedy, and leaves nothing behind.
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { readEnvironment } from '../src/banyan/config/environment.ts';
import { usageOf } from '../src/banyan/config/usage.ts';
import { shopApp } from '../src/shop.ts';

const folder = mkdtempSync(join(tmpdir(), 'banyan-environment-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const key = () => generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });

/** What a service must be told. */
const service = {
  MODULES: 'orders',
  CONTROL_URL: 'http://127.0.0.1:4000',
  SERVICE_KEY: JSON.stringify(key()),
  BROKER_URL: 'kafka://127.0.0.1:9092',
  DATABASE_URL_ORDERS: 'postgres://a:b@127.0.0.1/banyan',
};
const gateway = {
  MODULES: 'none',
  DATABASE_URL: 'postgres://a:b@127.0.0.1/banyan',
  ADMIN_TOKEN: 'a-token-of-some-length',
  ROOT_KEY: 'a root key of thirty-two characters',
};
const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
const without = (all: Readonly<Record<string, string>>, name: string) => ({ ...all, [name]: '' });

/** The variable that the line must name, and an environment with one mistake. */
const mistakes: readonly [string, Readonly<Record<string, string>>][] = [
  ['PORT', { PORT: 'http' }],
  ['PORT', { PORT: '65536' }],
  ['PORT', { PORT: '-1' }],
  ['PORT', { PORT: '30\n00' }],
  ['PORT', { PORT: '3000 ' }],
  ['INTERNAL_PORT', { INTERNAL_PORT: '4000.5' }],
  ['INTERNAL_PORT', { PORT: '4000', INTERNAL_PORT: '4000' }],
  ['ADMIN_PORT', { ADMIN_PORT: 'admin' }],
  ['ADMIN_PORT', { PORT: '4000', ADMIN_PORT: '4000' }],
  ['ADMIN_PORT', { INTERNAL_PORT: '4000', ADMIN_PORT: '4000' }],
  ['CONSOLE', { CONSOLE: 'console' }],
  ['CONSOLE', { CONSOLE: '/' }],
  ['CONSOLE', { CONSOLE: '/console/' }],
  ['CONSOLE', { CONSOLE: '/Console' }],
  ['CONSOLE', { CONSOLE: '/admin' }],
  ['CONSOLE', { CONSOLE: '/api/console' }],
  ['CONSOLE', { CONSOLE: '/a/../b' }],
  ['ADMIN_HOST', { ADMIN_HOST: 'a b' }],
  ['SECURITY_LOG', { SECURITY_LOG: 'syslog' }],
  ['SECURITY_LOG', { SECURITY_LOG: '/var/log/' }],
  ['SECURITY_LOG', { SECURITY_LOG: '/proc/security.jsonl' }],
  ['HOST', { HOST: 'a b' }],
  ['HOST', { HOST: 'http://localhost' }],
  ['MODULES', { MODULES: 'order' }],
  ['MODULES', { MODULES: 'orders,,users' }],
  ['MODULES', { MODULES: 'all,orders' }],
  ['MODULES', { MODULES: `orders,${'x'.repeat(1000)}` }],
  ['DATABASE_URL', { DATABASE_URL: 'mysql://a:b@127.0.0.1/banyan' }],
  ['DATABASE_URL', { DATABASE_URL: '127.0.0.1:5432' }],
  ['DATABASE_URL', { DATABASE_URL: 'postgres:///banyan' }],
  ['DATABASE_URL', { DATABASE_URL: 'postgres://a:50%@127.0.0.1/banyan' }],
  ['DATABASE_URL_ORDERS', { DATABASE_URL_ORDERS: 'orders' }],
  ['DATABASE_URL_ORDER', { DATABASE_URL_ORDER: 'postgres://a:b@127.0.0.1/banyan' }],
  ['BROKER_URL', { BROKER_URL: 'kafka://' }],
  ['BROKER_URL', { BROKER_URL: 'kafka://broker' }],
  ['BROKER_URL', { BROKER_URL: 'kafka://a:9092,b' }],
  ['BROKER_URL', { BROKER_URL: 'kafka://127.0.0.1:99999' }],
  ['BROKER_URL', { BROKER_URL: 'kafka://u@a:9092' }],
  ['BROKER_URL', { BROKER_URL: 'kafka://u:50%@a:9092' }],
  ['BROKER_URL', { BROKER_URL: 'kafka://a:9092/?acks=all' }],
  ['BROKER_URL', { BROKER_URL: 'kafka://a:9092/?mechanism=scram-sha-512' }],
  ['BROKER_URL', { BROKER_URL: 'kafka://u:p@a:9092/?mechanism=md5' }],
  ['BROKER_URL', { BROKER_URL: 'kafkas://a:9092/?ca=/nowhere/ca.pem' }],
  ['BROKER_URL_ORDERS', { BROKER_URL_ORDERS: 'kafka://u:p@a:9092' }],
  ['BROKER_URL_ORDERS', { ...service, BROKER_URL_ORDERS: 'kafka://u:p@a:9092' }],
  ['BROKER_URL_ORDERS', { BROKER_URL: 'kafka://b:p@a:9092', BROKER_URL_ORDERS: 'kafka://a:9092' }],
  ['BROKER_URL_ORDERS', { BROKER_URL: 'kafka://b:p@a:9092', BROKER_URL_ORDERS: 'kafka://b:q@a:9092' }],
  ['BROKER_URL_ORDERS', { BROKER_URL: 'kafka://b:p@a:9092', BROKER_URL_ORDERS: 'postgres://b:q@a/x' }],
  ['BROKER_URL_ORDER', { BROKER_URL: 'kafka://b:p@a:9092', BROKER_URL_ORDER: 'kafka://u:p@a:9092' }],
  ['BROKER_URL', { BROKER_URL: 'kafka://a:9092', BROKER_URL_ORDERS: 'kafka://u:p@a:9092' }],
  ['TRUST_PROXY', { TRUST_PROXY: 'true' }],
  ['TRUST_PROXY', { TRUST_PROXY: '10.0.0.0/33' }],
  ['TRUST_PROXY', { TRUST_PROXY: '0.0.0.0/0' }],
  ['TRUST_PROXY', { TRUST_PROXY: '10.0.0.1,' }],
  ['RATE_LIMIT', { RATE_LIMIT: '-1' }],
  ['RATE_LIMIT', { RATE_LIMIT: '300/s' }],
  ['RATE_LIMIT_EXEMPT', { RATE_LIMIT_EXEMPT: 'localhost' }],
  ['RATE_LIMIT_EXEMPT', { RATE_LIMIT_EXEMPT: '10.0.0.0/8 192.168.0.0/16' }],
  ['DATA_DIR', { DATA_DIR: '/proc/banyan' }],
  ['STORAGE_URL', { STORAGE_URL: 'file:///proc/media' }],
  ['BROKER_URL', { BROKER_URL: 'amqp://broker:5672' }],
  ['STORAGE_URL', { STORAGE_URL: 's3://bucket' }],
  ['STORAGE_URL', { STORAGE_URL: '/var/media' }],
  ['STORAGE_URL', { STORAGE_URL: 'file://media/pictures' }],
  ['SMTP_URL', { SMTP_URL: 'mail.example:25' }],
  ['ADMIN_TOKEN', { ADMIN_TOKEN: 'too-small' }],
  ['ADMIN_TOKEN', { ADMIN_TOKEN: 'a token with spaces in it' }],
  ['ADMIN_TOKEN', { ADMIN_TOKEN: 'pässword-of-some-length' }],
  ['ADMIN_TOKEN', { ADMIN_TOKEN: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.' }],
  ['ADMIN_TOKEN', { ADMIN_TOKEN: 'bop_of-some-length-here' }],
  ['INTERNAL_KEY', { INTERNAL_KEY: 'too-small' }],
  ['INTERNAL_KEY_LEGACY', { INTERNAL_KEY_LEGACY: 'yes' }],
  ['RESTORED', { RESTORED: 'yes' }],
  ['SERVICE_KEY', { ...service, SERVICE_KEY: '{"kty":"OKP"}' }],
  ['SERVICE_NETWORKS', { SERVICE_NETWORKS: '10.0.0.0/8,http://parcels' }],
  ['ROOT_KEY', { ROOT_KEY: 'thirty-one characters, which is' }],
  ['SIGNING_KEY', { SIGNING_KEY: 'secret' }],
  ['SIGNING_KEY', { SIGNING_KEY: 'null' }],
  ['SIGNING_KEY', { SIGNING_KEY: '{}' }],
  ['SIGNING_KEY', { SIGNING_KEY: JSON.stringify({ ...key(), d: undefined }) }],
  ['SIGNING_KEY', { SIGNING_KEY: JSON.stringify({ ...key(), d: 'damaged' }) }],
  ['SIGNING_KEY', { SIGNING_KEY: JSON.stringify({ ...key(), x: key().x }) }],
  ['CONTROL_URL', { CONTROL_URL: 'monolith:4000' }],
  ['CONTROL_URL', { CONTROL_URL: 'http://127.0.0.1:4000' }],
  ['CONTROL_URL', { ...gateway, CONTROL_URL: 'http://127.0.0.1:4000' }],
  ['ADVERTISE_URL', { ADVERTISE_URL: 'ws://orders:4000' }],
  ['INSTANCE_ID', { INSTANCE_ID: 'a\r\nb' }],
  ['INSTANCE_ID', { ...service, INSTANCE_ID: 'orders' }],
  ['INSTANCE_ID', { ...service, INSTANCE_ID: 'orders-0' }],
  ['INSTANCE_ID', { ...service, INSTANCE_ID: 'users-1' }],
  ['INSTANCE_ID', { ...service, INSTANCE_ID: 'users-*' }],
  ['INSTANCE_ID', { ...service, INSTANCE_ID: 'orders-1*' }],
  ['INSTANCE_ID', { INSTANCE_ID: 'monolith*' }],
  ['STORES', { STORES: 'orders' }],
  ['STORES', { STORES: 'order=own' }],
  ['STORES', { STORES: 'orders=fast' }],
  ['STORES', { STORES: 'orders=own', DATABASE_URL: 'postgres://u:p@h/banyan' }],
  ['STORE_FAST_URL', { STORE_FAST_URL: 'mysql://u:p@h/banyan' }],
  ['STORE_FAST_URL', { STORE_FAST_URL: 'postgres://u:p@h' }],
  ['STORE_OWN_URL', { STORE_OWN_URL: 'postgres://u:p@h/banyan' }],
  ['STORE_9_URL', { STORE_9_URL: 'postgres://u:p@h/banyan' }],
  ['PLACEMENTS', { PLACEMENTS: 'orders' }],
  ['PLACEMENTS', { PLACEMENTS: 'orders=remote' }],
  ['PLACEMENTS', { PLACEMENTS: 'order=service' }],
  ['PLACEMENTS', { PLACEMENTS: 'orders=service=1' }],
  ['PLACEMENTS', { PLACEMENTS: 'orders=canary' }],
  ['PLACEMENTS', { PLACEMENTS: 'orders=canary:0' }],
  ['PLACEMENTS', { PLACEMENTS: 'orders=canary:100' }],
  ['PLACEMENTS', { PLACEMENTS: 'orders=service:50' }],
  ['RELEASE', { RELEASE: 'the new one' }],
  ['RELEASE', { RELEASE: 'x'.repeat(129) }],
  ['DRAIN_DELAY_MS', { DRAIN_DELAY_MS: '5s' }],
  ['DRAIN_DELAY_MS', { DRAIN_DELAY_MS: '600001' }],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }],
  ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'grpc://collector:4317' }],
  ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'v1/metrics' }],
  ['OTEL_EXPORTER_OTLP_LOGS_ENDPOINT', { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'collector' }],
  ['OTEL_EXPORTER_OTLP_HEADERS', { OTEL_EXPORTER_OTLP_HEADERS: 'Bearer s3cret' }],
  ['OTEL_RESOURCE_ATTRIBUTES', { OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=a%' }],
  ['OTEL_TRACES_EXPORTER', { OTEL_TRACES_EXPORTER: 'jaeger' }],
  ['OTEL_LOGS_EXPORTER', { OTEL_LOGS_EXPORTER: 'otlp' }],
  ['OTEL_METRICS_EXPORTER', { ...endpoint, OTEL_METRICS_EXPORTER: 'prometheus' }],
  ['OTEL_METRIC_EXPORT_INTERVAL', { ...endpoint, OTEL_METRIC_EXPORT_INTERVAL: '60s' }],
  ...['CONTROL_URL', 'SERVICE_KEY', 'BROKER_URL', 'DATABASE_URL_ORDERS'].map(
    (name): [string, Record<string, string>] => [name, without(service, name)],
  ),
  ...['DATABASE_URL', 'ADMIN_TOKEN', 'ROOT_KEY'].map((name): [string, Record<string, string>] => [
    name,
    without(gateway, name),
  ]),
];

function complaint(env: Readonly<Record<string, string>>): string {
  try {
    readEnvironment(shopApp, {}, env);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the environment was taken as it is');
}

describe('a mistake in the environment', () => {
  it.each(mistakes)('of %s is one line: %j', (variable, env) => {
    const DATA_DIR = join(folder, 'untouched');
    const line = complaint({ DATA_DIR, ...env });
    expect(line.startsWith(`${variable} `)).toBe(true);
    // What is wrong, then what to do, in two sentences without a break; never a secret.
    expect(line).toMatch(/^[^\n\r]+[.] (Use|A service gets it|A placement is|Give it) [^\n\r]+[.}]$/);
    expect(line.length).toBeLessThan(260);
    for (const name of [
      'ADMIN_TOKEN',
      'INTERNAL_KEY',
      'ROOT_KEY',
      'SERVICE_KEY',
      'SIGNING_KEY',
      'DATABASE_URL',
      'SMTP_URL',
      'OTEL_EXPORTER_OTLP_HEADERS',
    ])
      if (env[name]) expect(line).not.toContain(env[name]);
    expect(existsSync(DATA_DIR)).toBe(false);
  });

  it('is also a DATA_DIR that holds nothing', () => {
    const file = join(folder, 'a file');
    writeFileSync(file, '');
    for (const DATA_DIR of [file, join(file, 'below'), '/dev/null'])
      expect(complaint({ DATA_DIR })).toMatch(
        /^DATA_DIR cannot hold admin-token \(E[A-Z]+\): "[^"]+"\. Use a folder /,
      );
  });

  it('is also a key in DATA_DIR that was damaged', () => {
    const DATA_DIR = join(folder, 'damaged');
    mkdirSync(DATA_DIR);
    writeFileSync(join(DATA_DIR, 'signing-key.json'), '{"kty":');
    expect(complaint({ DATA_DIR })).toMatch(/^signing-key\.json in DATA_DIR is not JSON\. /);
  });
});

describe('an environment without mistakes', () => {
  it('may be empty: secrets are made once, and for nobody else to read', () => {
    const DATA_DIR = join(folder, 'defaults');
    const first = readEnvironment(shopApp, {}, { DATA_DIR });
    expect(first).toMatchObject({ role: 'monolith', host: '127.0.0.1', port: 3000, internalPort: 0 });
    expect(readEnvironment(shopApp, {}, { DATA_DIR })).toEqual(first);
    const kept = readdirSync(DATA_DIR).sort();
    expect(kept).toEqual(['admin-token', 'root-key']);
    for (const name of kept) expect(statSync(join(DATA_DIR, name)).mode & 0o777).toBe(0o600);
  });

  it('may have empty variables, which are unset ones', () => {
    const DATA_DIR = join(folder, 'defaults');
    const empty = Object.fromEntries(mistakes.map(([name]) => [name, '']));
    expect(readEnvironment(shopApp, {}, { ...empty, DATA_DIR })).toEqual(
      readEnvironment(shopApp, {}, { DATA_DIR }),
    );
  });

  it('keeps pictures under any DATA_DIR', () => {
    for (const name of ['with space', 'with#hash', 'with%41percent', 'with?mark', 'ünïcode']) {
      const DATA_DIR = join(folder, name);
      const { own } = readEnvironment(shopApp, {}, { ...gateway, DATA_DIR });
      expect(own.storageUrl).toBe(pathToFileURL(join(DATA_DIR, 'media')).href);
      expect(existsSync(DATA_DIR)).toBe(false);
    }
  });

  it.each([
    [/^orders-[1-9]\d{0,3}$/, { ...service, INSTANCE_ID: 'orders-*' }],
    [/^edge-[1-9]\d{0,3}$/, { ...gateway, INSTANCE_ID: 'edge-*' }],
  ])('may leave the number of a host to chance: %s', (form, env) => {
    const id = () => readEnvironment(shopApp, {}, { ...env, DATA_DIR: join(folder, 'chance') }).hostId;
    const ids = Array.from({ length: 50 }, id);
    for (const one of ids) expect(one).toMatch(form);
    expect(new Set(ids).size).toBeGreaterThan(1);
  });

  it('writes nothing where everything is said', () => {
    const DATA_DIR = join(folder, 'said');
    expect(readEnvironment(shopApp, {}, { ...service, DATA_DIR })).toMatchObject({
      role: 'service',
      hostId: 'orders-1',
    });
    expect(readEnvironment(shopApp, {}, { ...gateway, DATA_DIR })).toMatchObject({
      role: 'gateway',
      modules: [],
    });
    expect(existsSync(DATA_DIR)).toBe(false);
  });
});

describe('telemetry by OTLP', () => {
  const otlp = (env: Record<string, string>) =>
    readEnvironment(shopApp, {}, { ...gateway, DATA_DIR: join(folder, 'otlp'), ...env }).otlp;

  it('goes nowhere without an endpoint, nor where each signal is switched off', () => {
    expect(otlp({ OTEL_RESOURCE_ATTRIBUTES: 'a=b' })).toBeUndefined();
    const none = { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' };
    expect(otlp({ ...endpoint, ...none })).toBeUndefined();
  });

  it('goes to one endpoint, or each signal to its own, with headers and attributes', () => {
    expect(otlp({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' })?.endpoints).toEqual({
      traces: 'http://collector:4318/v1/traces',
      metrics: 'http://collector:4318/v1/metrics',
      logs: 'http://collector:4318/v1/logs',
    });
    const variables = {
      ...endpoint,
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'https://logs.example/in',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc, x-tenant = shop',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=staging',
      OTEL_METRIC_EXPORT_INTERVAL: '5000',
    };
    expect(otlp({ ...variables, OTEL_SERVICE_NAME: 'not ours' })).toEqual({
      endpoints: { traces: 'http://collector:4318/v1/traces', logs: 'https://logs.example/in' },
      headers: { authorization: 'Bearer abc', 'x-tenant': 'shop' },
      attributes: { 'deployment.environment.name': 'staging' },
      intervalMs: 5000,
      variables,
    });
  });
});

describe('the settings of a product', () => {
  const settings = {
    keepDays: { of: ['orders'], variable: 'KEEP_DAYS', least: 1, most: 90, default: 30 },
    carrierKey: {
      of: ['orders'],
      variable: 'CARRIER_KEY',
      shortest: 8,
      example: 'live_…',
      unset: 'a sandbox',
    },
  };
  const own = (env: Record<string, string>) =>
    readEnvironment({ ...shopApp, settings }, {}, { ...gateway, DATA_DIR: join(folder, 'own'), ...env }).own;

  it('are numbers and texts in their bounds, and what holds where none is given', () => {
    expect(own({})).toEqual({ keepDays: 30, carrierKey: undefined });
    expect(own({ KEEP_DAYS: '7', CARRIER_KEY: 'live_123456' })).toEqual({
      keepDays: 7,
      carrierKey: 'live_123456',
    });
  });

  it('are refused in one line that names the variable, and never tells what may be a secret', () => {
    expect(() => own({ KEEP_DAYS: '91' })).toThrow(/^KEEP_DAYS is "91". Use a whole number from 1 to 90\.$/);
    expect(() => own({ KEEP_DAYS: '1.5' })).toThrow(/^KEEP_DAYS/);
    expect(() => own({ CARRIER_KEY: 'abc' })).toThrow(
      /^CARRIER_KEY is shorter than 8 characters\. (?!.*abc)/,
    );
  });

  it('are in the help', () => {
    const usage = usageOf({ ...shopApp, settings });
    expect(usage).toMatch(/^ {2}KEEP_DAYS +30 +1 to 90$/m);
    expect(usage).toMatch(/^ {2}CARRIER_KEY +a sandbox +live_…$/m);
  });
});

describe('the usage', () => {
  it('fits 80 columns and names every variable', () => {
    for (const line of usageOf(shopApp).split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    for (const [name] of mistakes)
      expect(usageOf(shopApp)).toContain(
        name
          .replace(/^(DATABASE|BROKER)_URL_.*/, '$1_URL_<MODULE>')
          .replace(/^STORE_.*_URL/, 'STORE_<NAME>_URL'),
      );
    expect(usageOf(shopApp)).toContain('DATA_DIR');
  });
});
