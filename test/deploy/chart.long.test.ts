// The chart as Helm makes it: each value that can be chosen, alone and beside every module as a service, fits the published schemas,
// is restricted, and tells each host what it reads; what does not fit together is refused in words. Every two of them: npm run
// chart:check, which also gets what this needs. Where Helm is not there it is skipped.
import { describe, expect, test } from 'vitest';
import { checkAll } from './checked.ts';
import { eachValue, merged, refused, type Values, valuesOf } from './matrix.ts';
import { lint, type Manifest, podsOf, render } from './rendered.ts';
import { breachesOf } from './rules.ts';
import { openSchemas } from './schemas.ts';
import { findTools } from './tools.ts';

const tools = findTools();
const { helm = '' } = tools;
if (!helm)
  process.stderr.write('The chart is not rendered: Helm is not there; npm run chart:check gets it.\n');
const minimal = valuesOf('ci/minimal-values.yaml');
const everything = valuesOf('ci/everything-values.yaml');

describe.skipIf(!helm)('the chart', () => {
  test('holds for each value that can be chosen, at the first and the newest Kubernetes', async () => {
    const schemas = openSchemas(tools);
    const found = await checkAll(
      helm,
      eachValue(),
      schemas.length > 2 ? [schemas[0]!, schemas.at(-1)!] : schemas,
    );
    expect(found.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
    for (const { name, objects } of found) expect(objects, name).toBeGreaterThan(5);
  });

  test('is liked by helm lint', async () => {
    for (const name of ['minimal', 'services', 'everything'])
      expect(await lint(helm, valuesOf(`ci/${name}-values.yaml`)), name).toMatch(/0 chart\(s\) failed/);
  });

  test('refuses what does not fit, all of it at once, in words', async () => {
    for (const [words, values] of refused)
      await expect(render(helm, merged(minimal, values)), String(words)).rejects.toThrow(words);
    const named = render(helm, minimal, '4shop');
    await expect(named).rejects.toThrow(/named 4shop, and a Service's name begins with a letter/);
    const nothing = await render(helm, {}).catch((error: Error) => error.message);
    for (const [words] of refused.slice(0, 4)) expect(nothing).toMatch(words);
  });

  test('lets a host have no word of another: what is said of one wins over what is said of all', async () => {
    const objects = await render(helm, everything);
    const scaledBy = (name: string) =>
      objects.flatMap(({ kind, spec }) => (spec?.scaleTargetRef?.name === `shop-${name}` ? [kind] : []));
    expect(scaledBy('catalog')).toEqual(['ScaledObject']);
    expect(scaledBy('orders')).toEqual(['HorizontalPodAutoscaler']);
    expect(scaledBy('notifications')).toEqual([]);
    const [users, catalog] = ['users', 'catalog'].map((name) =>
      objects.find(({ kind, metadata }) => kind === 'ScaledObject' && metadata.name === `shop-${name}`),
    );
    expect([users.spec.minReplicaCount, catalog.spec.minReplicaCount]).toEqual([2, 0]);
    const payments = podsOf(objects).find(({ owner }) => owner === 'Deployment/shop-payments')!;
    expect(payments.spec.containers[0].image).toBe('registry.example/banyan-payments:0.1.0');
  });

  test('has the next release of a service as a host beside it, which is the same service of another tag', async () => {
    const service = { enabled: true, replicas: 3, next: { enabled: true, image: { tag: '1.5.0' } } };
    const objects = await render(
      helm,
      merged(minimal, {
        podNetwork: { cidrs: ['10.244.0.0/16'] },
        image: { tag: '1.4.0' },
        services: { orders: service },
        hosts: { autoscaling: { enabled: true } },
      }),
    );
    const of = (name: string) => {
      const { spec } = objects.find(
        ({ kind, metadata }) => kind === 'Deployment' && metadata.name === `shop-banyan-${name}`,
      )!;
      const [{ image, env }] = spec.template.spec.containers;
      const told = (variable: string) => env.find((one: Manifest) => one.name === variable);
      return [
        image.split(':').at(-1),
        spec.replicas,
        told('RELEASE').value,
        told('INSTANCE_ID').value,
      ].concat(told('SERVICE_KEY').valueFrom.secretKeyRef.name);
    };
    expect(of('orders')).toEqual(['1.4.0', undefined, '1.4.0', 'orders-*', 'shop-banyan-orders']);
    expect(of('orders-next')).toEqual(['1.5.0', 1, '1.5.0', 'orders-*', 'shop-banyan-orders']);
    const scaled = objects.flatMap(({ spec }) => spec?.scaleTargetRef?.name ?? []);
    expect(scaled).toContain('shop-banyan-orders');
    expect(scaled).not.toContain('shop-banyan-orders-next');
  });

  test('gives each service the Secret of its module, the public its own, and nobody the root key who needs it not', async () => {
    const objects = await render(helm, everything);
    for (const { owner, spec } of podsOf(objects).filter((one) => one.owner.startsWith('Deployment/'))) {
      const secrets = (spec.containers[0].env as Manifest[])
        .flatMap(({ name, valueFrom }) =>
          valueFrom?.secretKeyRef ? [[name, valueFrom.secretKeyRef.name]] : [],
        )
        .filter(([name]) => !String(name).startsWith('OTEL'));
      const names = secrets.map(([name]) => name);
      const module = owner.replace('Deployment/shop-', '');
      if (module === 'monolith' || module === 'gateway') {
        expect(names).toEqual(expect.arrayContaining(['ROOT_KEY', 'ADMIN_TOKEN', 'DATABASE_URL']));
        expect(names).not.toContain('SERVICE_KEY');
        continue;
      }
      const own = module === 'orders' ? 'banyan-orders' : `shop-${module}`;
      for (const [name, secret] of secrets)
        expect([name, secret]).toEqual([name, name === 'SMTP_URL' ? 'banyan' : own]);
      expect(names).not.toContain('ROOT_KEY');
    }
  });

  test('lets nobody to an internal port but hosts and named scrapers, nor to /admin but who is named', async () => {
    const ingress = async (values: Values) =>
      (await render(helm, merged(minimal, values)))
        .filter(({ kind }) => kind === 'NetworkPolicy')
        .flatMap(({ spec }) => spec.ingress as Manifest[]);
    const to = (rules: Manifest[], port: string) =>
      rules.filter(({ ports }) => ports.some((one: Manifest) => one.port === port));
    const closed = await ingress({});
    expect(to(closed, 'internal')).toMatchObject([
      {
        from: [
          { podSelector: { matchLabels: { 'banyan/host': 'true', 'app.kubernetes.io/instance': 'shop' } } },
        ],
      },
    ]);
    expect(to(closed, 'internal')[0].from).toHaveLength(1);
    expect(to(closed, 'admin')).toEqual([]);
    expect(to(closed, 'http')).toEqual([{ ports: [{ port: 'http', protocol: 'TCP' }] }]);
    const peer = { ipBlock: { cidr: '192.0.2.0/24' } };
    const named = await ingress({ networkPolicy: { scrapers: [peer], operators: [peer] } });
    expect(to(named, 'internal')[0].from).toEqual([expect.anything(), peer]);
    expect(to(named, 'admin')).toMatchObject([{ from: [peer] }]);
  });

  test('has a gateway before it is the entrance, and then gives it the public port', async () => {
    const behind = async (entrance: boolean) =>
      (await render(helm, merged(minimal, { gateway: { enabled: true, entrance } })))
        .filter(({ kind }) => kind === 'Service')
        .map(({ metadata, spec }) => [metadata.name, spec.selector['app.kubernetes.io/component']]);
    expect(await behind(false)).toContainEqual(['shop-banyan', 'monolith']);
    expect(await behind(true)).toContainEqual(['shop-banyan', 'gateway']);
  });

  test('gives every pod longer to stop than its host takes', async () => {
    const values = {
      monolith: { preStopSeconds: 5, drainDelaySeconds: 10 },
      gateway: { enabled: true, drainDelaySeconds: 10 },
    };
    const objects = await render(helm, merged(minimal, values));
    const grace = (name: string) =>
      podsOf(objects).find(({ owner }) => owner === `Deployment/shop-banyan-${name}`)!.spec
        .terminationGracePeriodSeconds;
    expect(grace('monolith')).toBeGreaterThan(5 + 2 * 10 + 22);
    expect(grace('gateway')).toBeGreaterThan(2 + 10 + 22);
  });

  test('is looked at by rules that can fail', async () => {
    const broken = await render(helm, everything);
    const orders = broken.find(
      ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'shop-orders',
    )!;
    const [container] = orders.spec.template.spec.containers;
    container.securityContext.readOnlyRootFilesystem = false;
    container.env.push({ name: 'DATABASE_PASSWORD', value: 'secret' });
    container.env = container.env.filter(({ name }: Manifest) => name !== 'CONTROL_URL');
    container.ports = [];
    broken.find(({ kind }) => kind === 'Ingress' || kind === 'HTTPRoute').spec.rules[0].backendRefs[0].name =
      'nobody';
    const wrong = breachesOf(broken, '/nowhere').join('\n');
    for (const words of [
      'its file system can be written',
      'is told DATABASE_PASSWORD, which nobody reads',
      'is told DATABASE_PASSWORD in clear',
      'CONTROL_URL is not set',
      'there is no Service/nobody',
    ])
      expect(wrong).toContain(words);
    const [schemas] = openSchemas(tools);
    if (schemas) {
      orders.spec.template.spec.containers[0].port = 4000;
      orders.spec.template.spec.containers[0].env.push({ name: 'DATABASE_PASSWORD', value: 'another' });
      const complaints = schemas.complaints(orders).join('\n');
      expect(complaints).toMatch(/containers\/0.*port/s);
      expect(complaints).toContain('containers/0/env has two entries of one key');
      const rules = broken.find(({ kind }) => kind === 'PrometheusRule');
      rules.spec.groups.push(rules.spec.groups[0]);
      expect(schemas.complaints(rules).join('\n')).toContain('/spec/groups has two entries of one key');
    }
  });
});
