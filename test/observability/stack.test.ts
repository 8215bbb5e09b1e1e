// The stack that watches, read: compose's services are pinned and open to this machine alone, what they mount is there, the token
// lies where Prometheus looks for it, and what is told to one part is what another has.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { fitsCompose } from '../compose-schema.ts';

const root = new URL('../../', import.meta.url);
const folder = new URL('deploy/observability/', root);
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8');

interface Service {
  readonly image: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly profiles?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly { readonly source: string; readonly target: string }[];
  readonly extends?: { readonly file: string; readonly service: string };
}
const stack = parse(read('compose.yml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
};
const product = parse(readFileSync(new URL('docker-compose.yml', root), 'utf8'), { merge: true });
const services = Object.entries(stack.services);

test('compose.yml fits the schema of the compose specification', () => {
  expect(fitsCompose(stack)).toEqual([]);
});

describe.each(services)('%s', (name, { image, ports = [], volumes = [] }) => {
  test('is of one version', () => {
    expect(image).toMatch(/:v?\d+\.\d+\.\d+$/);
  });

  test('is open to this machine alone', () => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  test('mounts what is there, and reads it only', () => {
    const own = volumes.filter((one) => one.startsWith('.'));
    for (const one of own) {
      expect(one).toMatch(/:ro$/);
      expect(existsSync(new URL(one.split(':')[0]!, folder)), one).toBe(true);
    }
  });

  test('is a service of docker-compose.yml, of the profile', () => {
    expect(product.services[name]).toMatchObject({
      profiles: ['observability'],
      extends: { file: 'deploy/observability/compose.yml', service: name },
    });
  });
});

test('nothing else of docker-compose.yml comes with the profile', () => {
  const ours = Object.entries(product.services as Record<string, Service>)
    .filter(([, { profiles = [] }]) => profiles.includes('observability'))
    .map(([name]) => name);
  expect(ours.sort()).toEqual(services.map(([name]) => name).sort());
});

test('all hosts are told where the collector is, and that Prometheus takes the numbers, by one variable', () => {
  const hosts = Object.values(product.services as Record<string, Service>).filter(
    ({ environment }) => environment !== undefined && 'ADVERTISE_URL' in environment,
  );
  expect(hosts.length).toBeGreaterThan(1);
  for (const { environment } of hosts)
    expect(environment).toMatchObject({
      OTEL_EXPORTER_OTLP_ENDPOINT: `\${OTEL_EXPORTER_OTLP_ENDPOINT:-\${SCRAPE_TOKEN:+http://collector:4318}}`,
      OTEL_METRICS_EXPORTER: `\${OTEL_METRICS_EXPORTER:-\${SCRAPE_TOKEN:+none}}`,
    });
});

test('the token lies where Prometheus looks for it, and comes of the environment', () => {
  const [secret] = (product.services.prometheus as Service).secrets!;
  expect(product.secrets[secret!.source]).toEqual({ environment: 'SCRAPE_TOKEN' });
  const { scrape_configs } = parse(read('prometheus/prometheus.yml'));
  const [found] = scrape_configs.find(
    ({ job_name }: { job_name: string }) => job_name === 'banyan',
  ).http_sd_configs;
  expect(found.authorization.credentials_file).toBe(secret!.target);
  const { hostname, port } = new URL(found.url);
  expect(product.services[hostname].environment.ADVERTISE_URL).toBeDefined();
  expect(port).toBe('3000');
});

test('without scrapes the same rules hold', () => {
  const scraped = parse(read('prometheus/prometheus.yml'));
  const pushed = parse(read('pushed/prometheus.yml'));
  expect(pushed.rule_files).toEqual([...scraped.rule_files, '/etc/pushed/up.yml']);
  expect(pushed.alerting).toEqual(scraped.alerting);
});

test('parts find each other: every address is a service of the stack', () => {
  const texts = [
    'collector/collector.yaml',
    'grafana/provisioning/datasources/banyan.yaml',
    'elasticsearch/set-up.sh',
  ];
  for (const file of texts) {
    const named = [...read(file).matchAll(/(?:http:\/\/|:-)([a-z]+):(\d+)/g)].filter(
      ([, host]) => host !== 'localhost',
    );
    expect(named.length, file).toBeGreaterThan(0);
    for (const [, host] of named) expect(Object.keys(stack.services), file).toContain(host);
  }
});

test('what Elasticsearch and Kibana are told is JSON, and of one data stream', () => {
  const told = readdirSync(new URL('elasticsearch/', folder)).filter((name) => name.endsWith('.json'));
  const script = read('elasticsearch/set-up.sh');
  for (const name of told) {
    expect(() => JSON.parse(read(`elasticsearch/${name}`))).not.toThrow();
    expect(script).toContain(name);
  }
  const { lifecycle } = JSON.parse(read('elasticsearch/logs.json')).template.settings.index;
  expect(script).toContain(`_ilm/policy/${lifecycle.name}"`);
  const { processors } = parse(read('collector/collector.yaml'));
  const [{ value: dataset }] = processors['resource/stream'].attributes;
  const { title, id } = JSON.parse(read('elasticsearch/data-view.json')).data_view;
  expect(title).toBe(`logs-${dataset}.otel-*`);
  const { datasources } = parse(read('grafana/provisioning/datasources/banyan.yaml'));
  const source = datasources.find(({ type }: { type: string }) => type === 'elasticsearch');
  expect(source.jsonData.index).toBe(title);
  for (const { url } of source.jsonData.dataLinks.slice(1)) expect(url).toContain(`dataViewId:${id}`);
});
