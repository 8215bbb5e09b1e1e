// The chart's releases on a real Kubernetes API: each as a first installation and as an upgrade of the least one; its pods where Pod
// Security "restricted" is enforced; and once more, which has to change nothing. Guarantees: what is made is in namespaces that go
// again, but for definitions and classes that were missing. Nothing runs there: that takes nodes.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { Api } from './api.ts';
import { type Found, ofAll } from './checked.ts';
import { type Case, eachValue, valuesOf } from './matrix.ts';
import { type Manifest, nameOf, podsOf, render } from './rendered.ts';
import type { Tools } from './tools.ts';
import { upgradeThrough } from './upgraded.ts';

/** A controller may write between a look and the next: what changes each time is changed by us. */
const LOOKS = 3;

/** Its version. @param url an API that is nobody's: `kubectl proxy` opens it. Rejects where none answers. */
export async function tryAll(
  url: string,
  { helm, definitions }: Required<Tools>,
  cases: readonly Case[],
  onFound: (found: Found) => void,
): Promise<string> {
  const api = new Api(url);
  const version = await api.version();
  await define(api, definitions);
  const run = `chart-${process.pid}`;
  const least = await render(helm, valuesOf('ci/minimal-values.yaml'));
  await inNamespace(api, `${run}-least`, async (installed) => {
    for (const object of least) await installed.takes(object);
    const numbered = cases.map((one, at) => ({ ...one, namespace: `${run}-${at}` }));
    await ofAll(numbered, (one) => tried(api, helm, one, installed), onFound);
  });
  const chain = `${run}-helm`;
  await inNamespace(api, chain, () => upgradeThrough(url, helm, chain, eachValue(), onFound));
  return version;
}

async function tried(
  api: Api,
  helm: string,
  { name, values, namespace }: Case & { readonly namespace: string },
  installed: Place,
): Promise<Found> {
  const objects = await render(helm, values);
  for (const priority of prioritiesOf(objects)) await expectTaken(api, priority);
  const wrong = await inNamespace(api, namespace, async (here) => {
    return [
      ...(await each(objects, (one) => here.takes(one))),
      ...(await each(objects, (one) => here.keeps(one))),
      ...(await each(podsAlone(objects), (one) => here.wouldTake(one))),
    ];
  });
  const upgraded = await each(objects.filter(isChangeable), (one) => installed.wouldTake(one));
  return {
    name,
    objects: objects.length,
    wrong: [...wrong, ...upgraded.map((line) => `as an upgrade, ${line}`)],
  };
}

/** A namespace, and what it says to an object: each mistake as a line. */
class Place {
  readonly #api: Api;
  readonly #namespace: string;

  constructor(api: Api, namespace: string) {
    this.#api = api;
    this.#namespace = namespace;
  }

  /** It is there from now on. */
  async takes(object: Manifest): Promise<string[]> {
    const { object: there, said } = await this.#api.apply(this.#here(object));
    const otherwise = there ? differing(object, there).map((path) => `${path} stands there otherwise`) : [];
    return [...said, ...otherwise].map((line) => `${nameOf(object)}: ${line}`);
  }

  async wouldTake(object: Manifest): Promise<string[]> {
    const { said } = await this.#api.apply(this.#here(object), { dryRun: true });
    return said.map((line) => `${nameOf(object)}: ${line}`);
  }

  /** It was taken before, and to be taken again changes nothing. */
  async keeps(object: Manifest): Promise<string[]> {
    for (let look = 1; look <= LOOKS; look++) {
      const before = await this.#api.read(this.#here(object));
      const { object: after } = await this.#api.apply(this.#here(object));
      if (after?.metadata.resourceVersion === before.metadata?.resourceVersion) return [];
    }
    return [`${nameOf(object)}: to be applied once more changes it`];
  }

  #here(object: Manifest): Manifest {
    return { ...object, metadata: { ...object.metadata, namespace: this.#namespace } };
  }
}

async function inNamespace<T>(api: Api, name: string, work: (here: Place) => Promise<T>): Promise<T> {
  const security = 'pod-security.kubernetes.io';
  const labels = { [`${security}/enforce`]: 'restricted', [`${security}/warn`]: 'restricted' };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
  await expectTaken(api, namespace);
  try {
    const here = new Place(api, name);
    // A controller would make it, a moment later; pods of hooks are in its name.
    await here.takes({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } });
    return await work(here);
  } finally {
    await api.remove(namespace);
  }
}

/** The definitions of custom resources, as the chart is checked with them. */
async function define(api: Api, folder: string): Promise<void> {
  for (const file of readdirSync(folder)) {
    const definition = parse(readFileSync(join(folder, file), 'utf8'));
    await expectTaken(api, definition);
    const { group, names, versions } = definition.spec;
    for (const { name, served } of versions) if (served) await api.served(`${group}/${name}`, names.kind);
  }
}

async function expectTaken(api: Api, object: Manifest): Promise<void> {
  const { object: there, said } = await api.apply(object);
  if (!there) throw new Error(`${nameOf(object)} was not taken: ${said.join('; ')}`);
}

async function each(
  objects: readonly Manifest[],
  ask: (object: Manifest) => Promise<string[]>,
): Promise<string[]> {
  const said: string[] = [];
  for (const object of objects) said.push(...(await ask(object)));
  return said;
}

/** Pod Security refuses pods, and only warns of what would make them. */
const podsAlone = (objects: readonly Manifest[]): Manifest[] =>
  podsOf(objects).map(({ owner, labels, spec }) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: owner.toLowerCase().replace('/', '-'), labels },
    spec,
  }));

const prioritiesOf = (objects: readonly Manifest[]): Manifest[] =>
  [...new Set(podsOf(objects).flatMap(({ spec }) => spec.priorityClassName ?? []))].map((name) => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value: 0,
  }));

/** Not a claim, whose class and size are those of its first day; nor a hook, which Helm takes away before. */
const isChangeable = ({ kind, metadata }: Manifest) =>
  kind !== 'PersistentVolumeClaim' && metadata.annotations?.['helm.sh/hook'] === undefined;

/** The paths of what was said and is not there, or as something else. */
function differing(said: Manifest, there: Manifest, path = ''): string[] {
  if (typeof said !== 'object' || said === null) return said === there ? [] : [path];
  return Object.keys(said).flatMap((key) => differing(said[key], there?.[key], `${path}/${key}`));
}
