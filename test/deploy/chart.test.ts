// The chart beside the code that it starts: its variables, modules, ports, probes and times are those of the code. By its texts alone,
// without Helm; what it makes of them is chart.long.test.ts.
import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { moduleNames, readEnvironment } from '../../src/banyan/config/environment.ts';
import { TIMEOUT_MS as LOOK_MS } from '../../src/banyan/host/health.ts';
import { loadModule } from '../../src/banyan/host/load.ts';
import { needsOf } from '../../src/banyan/host/role-upkeep.ts';
import { DRAIN_MS, TELL_MS } from '../../src/banyan/host/stopping.ts';
import { START_MS } from '../../src/banyan/placement/http-follower.ts';
import { shopApp } from '../../src/shop.ts';
import { eachPair } from './matrix.ts';
import { unread } from './told.ts';

const chart = new URL('../../deploy/helm/banyan/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, chart), 'utf8');
const repository = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const modules = moduleNames(shopApp);
const values = parse(read('values.yaml'));
const schema = JSON.parse(read('values.schema.json'));
const templates = readdirSync(new URL('templates/', chart), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(yaml|tpl|txt)$/.test(name))
  .map((name) => read(`templates/${name}`))
  .join('\n');

/** What a helper of the templates says, where that is a text. */
function said(name: string): string {
  const [, text] = new RegExp(`define "banyan\\.${name}" -}}([^{]+){{- end -}}`).exec(templates) ?? [];
  expect(text, name).toBeDefined();
  return text!;
}

const gateway = {
  MODULES: 'none',
  DATABASE_URL: 'postgres://a:b@127.0.0.1/banyan',
  ADMIN_TOKEN: 'a-token-of-some-length',
  ROOT_KEY: 'a root key of thirty-two characters',
};

/** The schemas that a module brings besides its own, as values name them. */
async function schemasOf(module: string): Promise<string[]> {
  const settings = readEnvironment(shopApp, {}, { ...gateway, DATA_DIR: '/nowhere' });
  return ((await loadModule(module, settings)).schemas ?? []).map((one) => one.schema.replaceAll('_', '-'));
}

describe('the chart', () => {
  test('sets no variable that the environment does not read', () => {
    const named = [...templates.matchAll(/^\s*- name: ([A-Z][A-Z_]+)$/gm)].map(([, name]) => name!);
    const made = [...templates.matchAll(/"name" "([A-Z][A-Z_]+)"/g)].map(([, name]) => name!);
    const listed = [...templates.matchAll(/range \$name := list ((?:"[A-Z_]+" ?)+)/g)].flatMap(
      ([, all]) => all!.match(/[A-Z_]+/g)!,
    );
    const formed = [...templates.matchAll(/printf "([A-Z_]+%s[A-Z_]*)"/g)].map(([, form]) =>
      form!.replace('%s', 'ORDERS'),
    );
    const signals = formed.flatMap((name) =>
      name === 'OTEL_ORDERS_EXPORTER'
        ? Object.keys(values.telemetry.exporters).map((one) => `OTEL_${one.toUpperCase()}_EXPORTER`)
        : [name],
    );
    expect(named).toContain('ADVERTISE_URL');
    expect(made).toContain('SERVICE_KEY');
    expect(listed).toContain('ROOT_KEY');
    expect(signals).toContain('DATABASE_URL_ORDERS');
    expect(unread([...named, ...made, ...listed, ...signals, ...Object.keys(values.secrets)])).toEqual([]);
    expect(unread(['DATABASE_PASSWORD'])).toEqual(['DATABASE_PASSWORD']);
  });

  test('has an entry for every module and for nothing else, each off until it is wanted', () => {
    const add = 'add the module to services in values.yaml and values.schema.json of the chart';
    expect(Object.keys(values.services).sort(), add).toEqual(modules);
    expect(Object.keys(schema.properties.services.properties).sort(), add).toEqual(modules);
    for (const module of modules) expect(values.services[module].enabled, module).toBe(false);
  });

  test.each(modules)('names the schemas that %s brings', async (module) => {
    expect(values.services[module].schemas ?? []).toEqual(await schemasOf(module));
  });

  test('is of the version of the code, and so is the image', () => {
    const { version } = JSON.parse(repository('package.json'));
    const { appVersion, apiVersion } = parse(read('Chart.yaml'));
    expect({ appVersion, apiVersion }).toEqual({ appVersion: version, apiVersion: 'v2' });
  });

  test('opens the ports that the image opens, and asks for the health that there is', () => {
    const dockerfile = repository('Dockerfile');
    expect(dockerfile).toContain(`PORT=${said('port.public')} `);
    expect(dockerfile).toContain(`INTERNAL_PORT=${said('port.internal')}\n`);
    expect(dockerfile).toContain(`DATA_DIR=${/name: DATA_DIR\n {2}value: (\S+)/.exec(templates)![1]}`);
    const routes = [...repository('src/banyan/host/health.ts').matchAll(/app\.get\('([^']+)'/g)].map(
      ([, path]) => path,
    );
    const asked = [...templates.matchAll(/httpGet: { path: (\S+), port: internal }/g)].map(
      ([, path]) => path,
    );
    expect(asked).toEqual(['/health/live', '/health/ready', '/health/live']);
    expect(routes).toEqual(expect.arrayContaining(asked));
  });

  test('starts files that the image has, by the words of the image', () => {
    const [, command] = /^CMD (.+)$/m.exec(repository('Dockerfile'))!;
    const [node, ...words] = JSON.parse(command!) as string[];
    const pod = read('templates/_pod.tpl');
    for (const word of [node!, ...words]) expect(pod).toContain(word);
    expect(repository('Dockerfile')).toMatch(/^COPY extracted \.\/extracted$/m);
    expect(repository('Dockerfile')).toMatch(/^USER node$/m);
    expect(values.podSecurityContext.runAsUser).toBe(1000);
  });

  test('gives a stop the time that it takes, and a start that of its monolith', () => {
    expect(Number(said('stopSeconds')) * 1000).toBe(DRAIN_MS + TELL_MS);
    const { startup, readiness, liveness } = values.hosts.probes;
    expect(readiness.timeoutSeconds * 1000).toBeGreaterThan(LOOK_MS);
    expect(startup.periodSeconds * startup.failureThreshold * 1000).toBeGreaterThan(START_MS);
    expect(liveness.periodSeconds * liveness.failureThreshold).toBeGreaterThanOrEqual(60);
  });

  test('counts the connections of a host as the code does', async () => {
    const schemas = await Promise.all(modules.map(schemasOf));
    const extra = new Map(modules.map((module, at) => [module, schemas[at]!.map((one) => `role of ${one}`)]));
    const counts = { monoliths: 0, gateways: 0, services: {}, elsewhere: {} };
    const sum = (of: object) =>
      Object.values(needsOf({ ...counts, ...of }, modules, extra, shopApp.sessions!.module)).reduce(
        (a, b) => a + b,
      );
    // As banyan.connections of the chart adds them up.
    const brought = schemas.flat().length;
    const [, each, sessions, schema, rest] = /add \(mul (\d+) \$modules\) (\d+) \(mul (\d+) \$schemas\) (\d+)/
      .exec(templates)!
      .map(Number) as [number, number, number, number, number];
    expect(each * modules.length + sessions + schema * brought + rest).toBe(sum({ monoliths: 1 }));
    expect(rest).toBe(sum({ gateways: 1 }));
    const [, own, brings] = /add (\d+) \(mul (\d+) \(len \(default list \.host\.of\.schemas/
      .exec(templates)!
      .map(Number);
    for (const [at, module] of modules.entries())
      expect(own! + brings! * schemas[at]!.length, module).toBe(sum({ services: { [module]: 1 } }));
  });

  test('asks for numbers that there are, in its alarms and where it scales', () => {
    const page = repository('docs/observability.md');
    const listed = new Set([...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name]) => name!));
    const rules = readdirSync(new URL('rules/', chart)).map((name) => read(`rules/${name}`));
    const asked = [...rules, templates]
      .join('\n')
      .match(/\b(?:banyan|notifications|media|payments|http_server|rpc_client)_[a-z_]*[a-z]\b/g)!;
    const adapter = readFileSync(new URL('../examples/prometheus-adapter.yaml', chart), 'utf8');
    const base = (name: string) => name.replace(/_(count|sum|bucket)$/, '');
    const missing = [...new Set(asked)].filter((name) => !listed.has(name) && !listed.has(base(name)));
    // Made by the adapter of the example.
    expect(missing).toEqual(['banyan_event_loop_utilization']);
    expect(adapter).toContain('banyan_event_loop_active_seconds_total{');
    expect(adapter).toMatch(/as: "\$\{1\}_utilization"/);
  });
});

describe('the values', () => {
  const fits = new Ajv({
    allErrors: true,
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
  }).compile(schema);
  const told = ['values.yaml', ...readdirSync(new URL('ci/', chart)).map((name) => `ci/${name}`)];

  test.each(told)('of %s fit the schema', (name) => {
    fits(parse(read(name)));
    expect(fits.errors ?? []).toEqual([]);
  });

  test('have no word that the schema does not know, and none of the schema is without a default', () => {
    for (const name of Object.keys(values)) expect(Object.keys(schema.properties)).toContain(name);
    for (const name of Object.keys(schema.properties))
      if (name !== 'global') expect(Object.keys(values)).toContain(name);
    fits({ ...values, adminToken: 'a token in clear' });
    expect(fits.errors).toMatchObject([
      { keyword: 'additionalProperties', params: { additionalProperty: 'adminToken' } },
    ]);
  });

  test('have no secret: what is one is named by its Secret', () => {
    for (const [name, from] of Object.entries(values.secrets))
      expect(from, name).toEqual({ existingSecret: '', key: name });
    expect(values.existingSecret).toBe('');
  });
});

test('every two values of the matrix are tried together by npm run chart:check', () => {
  const names = eachPair().map(({ name }) => name);
  for (const two of [
    ['log: kafka,', 'storage: none'],
    ['services: media,', 'scaling: keda,'],
    ['network: IPv6', 'migrations: job'],
  ])
    expect(names.some((name) => two.every((one) => name.includes(one)))).toBe(true);
  expect(new Set(names).size).toBe(names.length);
});
