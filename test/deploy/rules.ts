// What must hold of the objects of one release, whatever it was told: they fit one another, pods are restricted, and each host is told
// what it reads. Answers each breach as a line that names the object.
import { EXISTING } from './matrix.ts';
import { isSelected, type Manifest, nameOf, type PodOf, podsOf } from './rendered.ts';
import { unrestricted } from './restricted.ts';
import { settingsOf, unread } from './told.ts';

/** @param dataDir a folder that is not there, for what a host would keep. */
export function breachesOf(objects: readonly Manifest[], dataDir: string): string[] {
  const pods = podsOf(objects);
  return [
    ...named(objects),
    ...pods.flatMap(unrestricted),
    ...pods.flatMap((pod) => told(pod, dataDir)),
    ...pods.flatMap((pod) => mounted(pod)),
    ...objects.flatMap((object) => fitting(object, objects, pods)),
  ];
}

function named(objects: readonly Manifest[]): string[] {
  const names = objects.map(nameOf);
  const twice = names
    .filter((name, at) => names.indexOf(name) !== at)
    .map((name) => `${name} is there twice`);
  const long = objects
    .filter(({ metadata }) => metadata.name.length > 63)
    .map((one) => `${nameOf(one)}: its name is too long`);
  const labelled = [
    ...objects,
    ...podsOf(objects).map(({ owner, labels }) => ({ kind: owner, metadata: { name: 'pod', labels } })),
  ];
  const unlabelled = labelled
    .filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/instance'] === undefined)
    .map((one) => `${nameOf(one)} is labelled as nobody's`);
  const longLabels = labelled.flatMap((one) =>
    Object.entries<string>(one.metadata.labels ?? {})
      .filter(([, value]) => typeof value !== 'string' || value.length > 63)
      .map(([name]) => `${nameOf(one)}: the label ${name} is no text of at most 63`),
  );
  return [...twice, ...long, ...unlabelled, ...longLabels];
}

const isHost = ({ owner }: PodOf) => owner.startsWith('Deployment/');

function told(pod: PodOf, dataDir: string): string[] {
  const { owner, spec } = pod;
  const env: readonly Manifest[] = spec.containers[0].env ?? [];
  const ours = env.filter(({ name }) => name !== 'NODE_OPTIONS');
  const said = unread(ours.map(({ name }) => name)).map(
    (name) => `${owner} is told ${name}, which nobody reads`,
  );
  const secret = env
    .filter(({ name, value }) => value !== undefined && /KEY|TOKEN|PASSWORD|SECRET|HEADERS/.test(name))
    .map(({ name }) => `${owner} is told ${name} in clear`);
  if (!isHost(pod)) return [...said, ...secret];
  try {
    const settings = settingsOf(pod, dataDir);
    const open = settings.advertiseUrl !== undefined && settings.internalPort !== 0;
    return [...said, ...secret, ...(open ? [] : [`${owner} is not reached by other hosts`])];
  } catch (error) {
    return [...said, ...secret, `${owner}: ${(error as Error).message}`];
  }
}

function mounted({ owner, spec }: PodOf): string[] {
  const volumes = new Set((spec.volumes ?? []).map(({ name }: Manifest) => name));
  return spec.containers.flatMap(({ volumeMounts = [] }: Manifest) => {
    const paths = volumeMounts.map(({ mountPath }: Manifest) => mountPath);
    return [
      ...volumeMounts
        .filter(({ name }: Manifest) => !volumes.has(name))
        .map(({ name }: Manifest) => `${owner} mounts ${name}, which is no volume`),
      ...(new Set(paths).size === paths.length ? [] : [`${owner} mounts a path twice`]),
    ];
  });
}

/** What an object names of others is there. */
function fitting(object: Manifest, objects: readonly Manifest[], pods: readonly PodOf[]): string[] {
  const here = nameOf(object);
  const has = (kind: string, name: string) =>
    objects.some((one) => one.kind === kind && one.metadata.name === name)
      ? []
      : [`${here}: there is no ${kind}/${name}`];
  const { spec } = object;
  switch (object.kind) {
    case 'Service':
      return selecting(
        here,
        spec.selector,
        pods,
        spec.ports.map(({ targetPort }: Manifest) => targetPort),
      );
    case 'PodDisruptionBudget':
      return selecting(here, spec.selector.matchLabels, pods, []);
    case 'NetworkPolicy':
      return selecting(
        here,
        spec.podSelector.matchLabels,
        pods,
        spec.ingress.flatMap(({ ports }: Manifest) => ports.map(({ port }: Manifest) => port)),
      );
    case 'Deployment':
      return [
        ...(isSelected(spec.selector.matchLabels, spec.template.metadata.labels)
          ? []
          : [`${here} selects other pods than its own`]),
        // One that exists already is named so in the matrix.
        ...claimed(object).flatMap((name) => (name === EXISTING ? [] : has('PersistentVolumeClaim', name))),
        ...(spec.replicas === undefined ? scaled(object, objects) : []),
      ];
    case 'HorizontalPodAutoscaler':
    case 'ScaledObject':
      return has('Deployment', spec.scaleTargetRef.name);
    case 'Ingress':
      return spec.rules.flatMap(({ http }: Manifest) =>
        http.paths.flatMap(({ backend }: Manifest) => has('Service', backend.service.name)),
      );
    case 'HTTPRoute':
      return spec.rules.flatMap(({ backendRefs }: Manifest) =>
        backendRefs.flatMap(({ name }: Manifest) => has('Service', name)),
      );
    case 'ServiceMonitor': {
      const services = objects.filter(
        (one) => one.kind === 'Service' && isSelected(spec.selector.matchLabels, one.metadata.labels),
      );
      return services.length === 1
        ? []
        : [`${here} selects ${services.length} Services: targets would be none, or there twice`];
    }
    default:
      return [];
  }
}

function selecting(
  here: string,
  labels: Readonly<Record<string, string>>,
  pods: readonly PodOf[],
  ports: readonly string[],
): string[] {
  const found = pods.filter((pod) => isSelected(labels, pod.labels));
  if (found.length === 0) return [`${here} selects nothing`];
  const open = new Set(
    found.flatMap(({ spec }) => (spec.containers[0].ports ?? []).map(({ name }: Manifest) => name)),
  );
  return ports.filter((port) => !open.has(port)).map((port) => `${here}: no pod of its has the port ${port}`);
}

const claimed = ({ spec }: Manifest): string[] =>
  spec.template.spec.volumes.flatMap(({ persistentVolumeClaim: claim }: Manifest) =>
    claim ? [claim.claimName] : [],
  );

/** Without a number of its own, exactly one says it. */
function scaled({ metadata }: Manifest, objects: readonly Manifest[]): string[] {
  const by = objects.filter(
    ({ kind, spec }) =>
      (kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject') &&
      spec.scaleTargetRef.name === metadata.name,
  );
  return by.length === 1 ? [] : [`Deployment/${metadata.name} is scaled by ${by.length}`];
}
