// The chart as Helm makes it of values, and what can be asked of the objects. It knows no rule.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import type { Values } from './matrix.ts';

export const CHART = fileURLToPath(new URL('../../deploy/helm/banyan', import.meta.url));
export const RELEASE = 'shop';
export const NAMESPACE = 'shops';

/** As the API takes it: what is looked at is looked for. */
// biome-ignore lint/suspicious/noExplicitAny: an object of Kubernetes has as many shapes as there are kinds.
export type Manifest = any;

const run = promisify(execFile);

/** The oldest that the chart is for (Chart.yaml). */
const KUBERNETES = ['--kube-version', '1.32.0'];

/** Rejects with Helm's words. */
export async function render(helm: string, values: Values, release = RELEASE): Promise<Manifest[]> {
  const words = ['template', release, CHART, '--namespace', NAMESPACE, ...KUBERNETES, '--values', '-'];
  const { stdout } = await withInput(helm, words, yamlOf(values));
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Manifest)
    .filter((object) => object !== null);
}

/** Rejects with what is wrong; a warning is, too. */
export async function lint(helm: string, values: Values): Promise<string> {
  const words = ['lint', '--strict', CHART, ...KUBERNETES, '--values', '-'];
  return (await withInput(helm, words, yamlOf(values))).stdout;
}

/** Helm reads YAML 1.1, to which `on` is a boolean. */
export const yamlOf = (values: Values) => stringify(values, { version: '1.1' });

/** Rejects with what the command says. */
export async function withInput(
  command: string,
  words: readonly string[],
  input: string,
): Promise<{ stdout: string }> {
  const running = run(command, [...words], { maxBuffer: 16 * 1024 * 1024 });
  running.child.stdin!.end(input);
  try {
    return await running;
  } catch (error) {
    const { stderr, stdout } = error as { stderr: string; stdout: string };
    throw new Error(`${stderr}${stdout}`);
  }
}

export interface PodOf {
  /** `Deployment/shop-banyan-orders`. */
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: Manifest;
}

/** Every pod that the objects make. */
export function podsOf(objects: readonly Manifest[]): PodOf[] {
  return objects.flatMap((object) => {
    const owner = nameOf(object);
    if (object.kind === 'Pod') return [{ owner, labels: object.metadata.labels, spec: object.spec }];
    const template = object.kind === 'Deployment' || object.kind === 'Job' ? object.spec.template : undefined;
    return template ? [{ owner, labels: template.metadata.labels, spec: template.spec }] : [];
  });
}

export const nameOf = ({ kind, metadata }: Manifest): string => `${kind}/${metadata.name}`;

export function isSelected(
  wanted: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}
