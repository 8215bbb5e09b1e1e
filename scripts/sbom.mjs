// `npm run --silent sbom > sbom.json`: what the product consists of, as CycloneDX in JSON, from the lockfile alone: every
// package with its version, the hash that npm checks on installing it, its licence, and who needs whom. It asks no
// registry. Packages for other platforms are in it with the scope "optional", as they are in the lockfile.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm, root } from './npm.mjs';

const USAGE = `npm run --silent sbom [-- --dev]
  --dev   also what only tests and tools need`;

const args = process.argv.slice(2);
if (args.includes('--help')) {
  console.log(USAGE);
  process.exit(0);
}
const unknown = args.find((one) => one !== '--dev');
if (unknown !== undefined) {
  console.error(`${unknown} is no option.\n\n${USAGE}`);
  process.exit(2);
}
const { code, output, errors } = await npm(
  ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'],
  60_000,
);
if (code !== 0) {
  console.error(`npm sbom ended with ${code}: ${errors.trim()}\nIt needs npm 10 or newer.`);
  process.exit(1);
}
const bom = JSON.parse(output);
// npm takes the name of the folder.
bom.metadata.component.name = read('package.json').name;
if (!args.includes('--dev')) leaveOutTools(bom);
console.log(JSON.stringify(bom, null, 2));

/**
 * npm's own `--omit=dev` leaves out whatever any tool needs, also where the product needs it as well: `ws`, for example.
 * The lockfile marks what tools alone need.
 */
function leaveOutTools(bom) {
  const run = new Set(
    Object.entries(read('package-lock.json').packages)
      .filter(([path, { dev }]) => path !== '' && !dev)
      .map(([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 13)}@${version}`),
  );
  const kept = (ref) => ref === bom.metadata.component['bom-ref'] || run.has(ref);
  bom.components = bom.components.filter((one) => kept(one['bom-ref']));
  bom.dependencies = bom.dependencies
    .filter(({ ref }) => kept(ref))
    .map((one) => ({ ...one, dependsOn: one.dependsOn.filter(kept) }));
}

function read(name) {
  return JSON.parse(readFileSync(join(root, name), 'utf8'));
}
