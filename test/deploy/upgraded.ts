// A release that Helm itself upgrades on a real API, from each value that can be chosen to the next. Guarantees: what it finds is a line;
// no upgrade is refused, and none takes pods away from a host whose number is an autoscaler's. Hooks are left out: they wait for
// pods that run.
import { Api } from './api.ts';
import type { Found } from './checked.ts';
import { type Case, merged } from './matrix.ts';
import { CHART, type Manifest, nameOf, RELEASE, render, withInput, yamlOf } from './rendered.ts';

/** A claim's class and size are those of its first day. */
const asAtFirst = { storage: { storageClassName: '', size: '10Gi' } };

/** One after the other, in `namespace`, which is there. */
export async function upgradeThrough(
  url: string,
  helm: string,
  namespace: string,
  cases: readonly Case[],
  onFound: (found: Found) => void,
): Promise<void> {
  const api = new Api(url);
  const words = ['upgrade', '--install', RELEASE, CHART, '--namespace', namespace, '--no-hooks'];
  const numberOf = async (deployment: Manifest): Promise<number | undefined> =>
    (await api.read({ ...deployment, metadata: { ...deployment.metadata, namespace } })).spec?.replicas;
  for (const { name, values } of cases) {
    const told = merged(values, asAtFirst);
    const objects = await render(helm, told);
    const scaled = objects.filter(({ kind, spec }) => kind === 'Deployment' && spec.replicas === undefined);
    const before = await Promise.all(scaled.map(numberOf));
    const refused = await withInput(
      helm,
      [...words, '--kube-apiserver', url, '--values', '-'],
      yamlOf(told),
    ).then(
      () => [],
      (error: Error) => [`Helm: ${error.message}`],
    );
    const after = await Promise.all(scaled.map(numberOf));
    const fewer = scaled.flatMap((one, at) =>
      (after[at] ?? 0) < (before[at] ?? 0)
        ? [`${nameOf(one)}: of ${before[at]} pods ${after[at]} are left`]
        : [],
    );
    onFound({ name: `by Helm, ${name}`, objects: objects.length, wrong: [...refused, ...fewer] });
  }
}
