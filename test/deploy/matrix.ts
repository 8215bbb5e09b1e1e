// What can be said to the chart, as a matrix: for each thing that can be chosen the values that choose it. The cases that are tried
// are made of it; what the chart refuses is beside them. It renders nothing.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { moduleNames } from '../../src/banyan/config/environment.ts';
import { shopApp } from '../../src/shop.ts';

export type Values = { readonly [name: string]: unknown };

export interface Case {
  readonly name: string;
  readonly values: Values;
}

/** A claim that is there before the release. */
export const EXISTING = 'pictures';

const modules = moduleNames(shopApp);
const chart = new URL('../../deploy/helm/banyan/', import.meta.url);

/** The values of a file of the chart. */
export const valuesOf = (file: string): Values => parse(readFileSync(new URL(file, chart), 'utf8'));

const network = { podNetwork: { cidrs: ['10.244.0.0/16'] } };
const enabled = (names: readonly string[]) => ({
  ...network,
  services: Object.fromEntries(names.map((name) => [name, { enabled: true }])),
});
const trusted = { trustProxy: ['10.244.0.0/16'] };
const prometheus = { prometheus: { url: 'http://prometheus.monitoring:9090' } };
const monitoring = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } };

/** Later ones win where two say something of the same. */
const matrix: Readonly<Record<string, Readonly<Record<string, Values>>>> = {
  services: {
    none: {},
    ...Object.fromEntries(modules.map((module) => [module, enabled([module])])),
    all: enabled(modules),
    'all, and the next release of each': {
      ...network,
      services: Object.fromEntries(
        modules.map((module) => [
          module,
          { enabled: true, next: { enabled: true, image: { tag: '9.9.9', digest: '' } } },
        ]),
      ),
    },
  },
  log: {
    postgres: {},
    kafka: { log: { kind: 'kafka' } },
    'kafka with one user': { log: { kind: 'kafka', userPerModule: false } },
    'kafka with its certificates': { log: { kind: 'kafka', ca: { existingSecret: 'ca' } } },
  },
  entrance: {
    monolith: {},
    gateway: { gateway: { enabled: true } },
    'a gateway that is not the entrance yet': { gateway: { enabled: true, entrance: false } },
    ingress: { ...trusted, ingress: { enabled: true, className: 'nginx', hosts: ['shop.example.com'] } },
    'a route': { ...trusted, httpRoute: { enabled: true, parentRefs: [{ name: 'public' }] } },
    'a load balancer': { gateway: { enabled: true }, service: { type: 'LoadBalancer', port: 8080 } },
  },
  scaling: {
    fixed: {},
    hpa: { hosts: { autoscaling: { enabled: true } } },
    'hpa by all': {
      hosts: { autoscaling: { enabled: true, eventLoopUtilization: 60 } },
      eachService: { autoscaling: { requestsInProgress: 40 } },
    },
    keda: { ...prometheus, eachService: { autoscaling: { enabled: true, by: 'keda' } } },
    'keda by all, never to zero': {
      ...prometheus,
      eachService: {
        autoscaling: {
          ...{ enabled: true, by: 'keda', requestsInProgress: 40, eventLoopUtilization: 60 },
          keda: { toZero: false },
        },
      },
    },
    'one pod of each': { hosts: { replicas: 1, podDisruptionBudget: { enabled: false } } },
  },
  policies: {
    hosts: {},
    none: { networkPolicy: { enabled: false } },
    named: { networkPolicy: { scrapers: [monitoring], clients: [monitoring], operators: [monitoring] } },
    egress: {
      networkPolicy: {
        egress: {
          enabled: true,
          rules: [{ to: [{ ipBlock: { cidr: '192.0.2.0/24' } }], ports: [{ port: 5432 }] }],
        },
      },
    },
  },
  admin: {
    'a port of its own': {},
    public: { adminPort: { enabled: false } },
    'no console': { console: 'off' },
  },
  metrics: {
    none: {},
    all: {
      metrics: { serviceMonitor: { enabled: true }, prometheusRule: { enabled: true } },
      networkPolicy: { scrapers: [monitoring] },
    },
    otlp: { telemetry: { endpoint: 'http://collector:4318', resourceAttributes: 'a=b' } },
    'otlp, traces alone': {
      telemetry: {
        endpoint: 'https://collector',
        exporters: { metrics: 'none', logs: 'none' },
        metricsSeconds: 5,
      },
    },
  },
  migrations: { 'by the monolith': {}, job: { migration: { job: { enabled: true } } } },
  network: {
    IPv4: {},
    IPv6: { podNetwork: { ipFamily: 'IPv6', cidrs: ['fd00:10::/48'] } },
  },
  stores: {
    shared: {},
    another: {
      stores: {
        servers: { 'very-fast': { existingSecret: 'fast', key: 'uri' } },
        madeAt: 'orders=very-fast',
      },
    },
  },
  mail: { smtp: {}, files: { mail: 'files' } },
  limits: {
    usual: {},
    others: {
      rateLimit: { perSecond: 0, exempt: ['192.0.2.7'] },
      placements: 'orders=canary:10',
      securityLog: 'stderr',
    },
  },
  storage: {
    claim: {},
    'of a class': { storage: { storageClassName: 'shared', size: '1Ti' } },
    existing: { storage: { existingClaim: EXISTING } },
    none: {
      storage: { enabled: false },
      monolith: { replicas: 1, autoscaling: { enabled: false } },
      services: { media: { enabled: false, next: { enabled: false } } },
    },
  },
};

const files: readonly Case[] = ['minimal', 'services', 'everything'].map((name) => ({
  name: `ci/${name}-values.yaml`,
  values: valuesOf(`ci/${name}-values.yaml`),
}));
const least = files[0]!.values;

type Choice = readonly [thing: string, value: string];

/** In the order of the matrix. */
function caseOf(choices: readonly Choice[]): Case {
  const chosen = Object.keys(matrix).flatMap((thing) => choices.filter(([one]) => one === thing));
  return {
    name: chosen.map(([thing, value]) => `${thing}: ${value}`).join(', '),
    values: chosen.reduce<Values>((all, [thing, value]) => merged(all, matrix[thing]![value]!), least),
  };
}

/** The files of ci/, and each value of the matrix: those of services alone, all others beside every module as a service. */
export function eachValue(): Case[] {
  const alone = (one: Choice): readonly Choice[] => [one];
  const beside = (one: Choice): readonly Choice[] => [one, ['services', 'all']];
  const choices = allChoices();
  return [...files, ...choices.map((one) => caseOf(one[0] === 'services' ? alone(one) : beside(one)))];
}

/** Every two values of the matrix beside each other in one case or more, in as few cases as a greedy choice needs. */
export function eachPair(): Case[] {
  const left = new Map<string, readonly [Choice, Choice]>();
  const key = (a: Choice, b: Choice) => [a.join('='), b.join('=')].sort().join(' & ');
  const pairsOf = (choices: readonly Choice[]) =>
    choices.flatMap((a, at) =>
      choices.slice(at + 1).flatMap((b) => (a[0] === b[0] ? [] : [[a, b] as const])),
    );
  for (const [a, b] of pairsOf(allChoices())) left.set(key(a, b), [a, b]);
  const cases: Case[] = [];
  for (let first = left.values().next().value; first; first = left.values().next().value) {
    const chosen: Choice[] = [...first];
    for (const thing of Object.keys(matrix).filter((one) => chosen.every(([taken]) => taken !== one))) {
      const gain = (one: Choice) => chosen.filter((other) => left.has(key(one, other))).length;
      const options = Object.keys(matrix[thing]!).map((value): Choice => [thing, value]);
      chosen.push(options.reduce((best, one) => (gain(one) > gain(best) ? one : best)));
    }
    for (const [a, b] of pairsOf(chosen)) left.delete(key(a, b));
    cases.push(caseOf(chosen));
  }
  return cases;
}

function allChoices(): Choice[] {
  return Object.entries(matrix).flatMap(([thing, values]) =>
    Object.keys(values).map((value): Choice => [thing, value]),
  );
}

/** Maps are merged, all else is replaced. */
export function merged(under: Values, over: Values): Values {
  const all: Record<string, unknown> = { ...under };
  for (const [name, value] of Object.entries(over))
    all[name] = isMap(value) && isMap(all[name]) ? merged(all[name], value) : value;
  return all;
}

function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is refused, and the words by which; on the least that is taken. */
export const refused: readonly (readonly [words: RegExp, values: Values])[] = [
  [/image\.repository is not set: no image is published\. Build one/, { image: { repository: '' } }],
  [/ROOT_KEY has no Secret: name one/, { existingSecret: '' }],
  [/DATABASE_URL has no Secret: name one/, { existingSecret: '' }],
  [/SMTP_URL has no Secret: name one/, { existingSecret: '' }],
  [/BROKER_URL has no Secret/, { existingSecret: '', log: { kind: 'kafka' } }],
  [/stores\.servers\.fast has no Secret/, { existingSecret: '', stores: { servers: { fast: {} } } }],
  [/podNetwork\.cidrs is empty, and orders would register/, { services: { orders: { enabled: true } } }],
  [
    /services\.orders\.next is enabled, and services\.orders is not/,
    { services: { orders: { next: { enabled: true } } } },
  ],
  [/trustProxy is empty/, { ingress: { enabled: true, hosts: ['a.example'] } }],
  [/ingress\.hosts is empty/, { ...trusted, ingress: { enabled: true } }],
  [/httpRoute\.parentRefs is empty/, { ...trusted, httpRoute: { enabled: true } }],
  [/use one of them/, { ...trusted, ingress: { enabled: true }, httpRoute: { enabled: true } }],
  [
    /gateway\.autoscaling\.by is keda/,
    { gateway: { enabled: true, autoscaling: { enabled: true, by: 'keda' } } },
  ],
  [
    /prometheus\.url is empty, and KEDA asks it how orders does/,
    merged(enabled(['orders']), { eachService: { autoscaling: { enabled: true, by: 'keda' } } }),
  ],
  [/minReplicas is 9, and maxReplicas 6/, { monolith: { autoscaling: { enabled: true, minReplicas: 9 } } }],
  [/counts what other hosts ask/, { monolith: { autoscaling: { enabled: true, requestsInProgress: 9 } } }],
  [/enabled by nothing/, { monolith: { autoscaling: { enabled: true, cpuUtilization: 0 } } }],
  [
    /resources\.requests\.cpu, which is not set/,
    { monolith: { autoscaling: { enabled: true }, resources: { requests: { cpu: null } } } },
  ],
  [/gateway: extraEnv has HOST, which is said/, { gateway: { enabled: true, extraEnv: [{ name: 'HOST' }] } }],
  [
    /monolith: extraEnv has A, which is said already/,
    { monolith: { extraEnv: [{ name: 'A' }, { name: 'A' }] } },
  ],
  [/no ReadWriteMany, and up to 2 pods share/, { storage: { accessModes: ['ReadWriteOnce'] } }],
  [/would each have pictures of their own/, { storage: { enabled: false } }],
  // By the schema.
  [/additional properties? 'replica'/i, { monolith: { replica: 3 } }],
  [/\/log\/kind|log\.kind/, { log: { kind: 'nats' } }],
  [/ROOT_KEY/, { secrets: { ROOT_KEY: 'the key itself' } }],
  [/trustProxy/, { trustProxy: ['0.0.0.0/0'] }],
  [/services/, { services: { order: { enabled: true } } }],
];
