// What the product is made of (`npm run sbom`) and whether a weakness of it is known (`npm run audit`): the list is the
// lockfile's, package by package; the audit fails on what is serious, and says so where no registry answers.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly dev?: boolean;
}
interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
}

function run(script: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  return new Promise<{ code: number; output: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      [join(root, 'scripts', script), ...args],
      { env: { ...process.env, ...env }, maxBuffer: 20_000_000 },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, output: stdout + stderr }),
    );
  });
}

const locked = Object.entries(
  (JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, Locked> })
    .packages,
).filter(([path]) => path !== '');
const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
const idOf = (name: string, version: string) => `${name}@${version}`;

test.each([
  ['what is run', [], locked.filter(([, { dev }]) => !dev)],
  ['with what tests and tools need', ['--dev'], locked],
] as const)('the bill of materials: %s', async (_, args, packages) => {
  const { code, output } = await run('sbom.mjs', args);
  expect(code, output.slice(0, 500)).toBe(0);
  const bom = JSON.parse(output);
  expect(bom).toMatchObject({
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    metadata: { component: { type: 'application', name: 'banyan', purl: 'pkg:npm/banyan@0.1.0' } },
  });
  expect(bom.serialNumber).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
  const components = bom.components as Component[];
  const wanted = new Set(packages.map(([path, { version }]) => idOf(nameOf(path), version)));
  expect(new Set(components.map(({ name, version }) => idOf(name, version)))).toEqual(wanted);
  // What npm checks on installing, in hexadecimal.
  for (const [path, { version, integrity }] of packages) {
    const one = components.find((each) => each.name === nameOf(path) && each.version === version)!;
    expect(one.purl).toBe(`pkg:npm/${one.name.replace('@', '%40')}@${version}`);
    const [alg, base64] = integrity!.split('-') as [string, string];
    expect(one.hashes).toEqual([
      { alg: alg.replace('sha', 'SHA-'), content: Buffer.from(base64, 'base64').toString('hex') },
    ]);
  }
  const known = new Set([bom.metadata.component['bom-ref'], ...components.map((one) => one['bom-ref'])]);
  expect(known.size).toBe(components.length + 1);
  const { dependencies } = bom as { dependencies: { ref: string; dependsOn: string[] }[] };
  expect(new Set(dependencies.map(({ ref }) => ref))).toEqual(known);
  expect(dependencies.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !known.has(ref))).toEqual([]);
});

test('an option that there is not is told', async () => {
  expect(await run('sbom.mjs', ['--all'])).toMatchObject({
    code: 2,
    output: expect.stringContaining('--all is no option'),
  });
});

/** A registry that knows of these, and nothing else; `undefined`: one that has no advisories. */
async function audited(advisories: object | undefined) {
  const registry = createServer((request, response) => {
    request.resume();
    const { url = '', method } = request;
    const json = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (method === 'POST') return advisories ? json(200, advisories) : json(405, {});
    const name = decodeURIComponent(url.slice(1));
    const versions = locked.filter(([path]) => nameOf(path) === name).map(([, { version }]) => version);
    if (versions.length === 0) return json(404, {});
    return json(200, {
      name,
      'dist-tags': { latest: versions[0] },
      versions: Object.fromEntries(versions.map((version) => [version, { name, version }])),
    });
  });
  registry.listen(0, '127.0.0.1');
  await once(registry, 'listening');
  // Its cache remembers advisories.
  const cache = mkdtempSync(join(tmpdir(), 'banyan-npm-'));
  const address = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`;
  try {
    return await run('audit.mjs', [], { NPM_CONFIG_REGISTRY: address, NPM_CONFIG_CACHE: cache });
  } finally {
    registry.closeAllConnections();
    registry.close();
    rmSync(cache, { recursive: true, force: true });
  }
}

const weakness = (severity: string) => ({
  kafkajs: [
    {
      id: 1,
      url: 'https://example.com/1',
      title: 'It believes everybody',
      severity,
      vulnerable_versions: '<=2.2.4',
      cwe: [],
      cvss: { score: 5, vectorString: null },
    },
  ],
});

test.each([
  [
    'a serious weakness fails and is named',
    weakness('high'),
    1,
    /^high: kafkajs .*It believes everybody.*Fix: /m,
  ],
  [
    'a small one is named',
    weakness('moderate'),
    0,
    /^moderate: kafkajs .*\n.*1 with a known weakness, 0 of them/m,
  ],
  ['none is said', {}, 0, /0 with a known weakness/],
  [
    'a registry without advisories is said',
    undefined,
    0,
    /no registry answered, so nothing was checked \(405/,
  ],
] as const)('the audit: %s', async (_, advisories, code, words) => {
  const found = await audited(advisories);
  expect(found.output).toMatch(words);
  expect(found.code).toBe(code);
});
