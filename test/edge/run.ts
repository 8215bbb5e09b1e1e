// `npm run test:edge`: thousands of request lines and every trick of headers and framing over raw sockets, to a shop
// whose modules are in the process and then again with each in a process of its own. Progress goes to stderr, what
// differs to stdout; exit 1 when anything does.
import { countOf, readArguments } from '../../scripts/arguments.ts';
import { moduleNames } from '../../src/banyan/config/environment.ts';
import { shopApp } from '../../src/shop.ts';
import { paths } from './paths.ts';
import { startEdgeShop } from './shop.ts';
import { headersAndFraming } from './tricks.ts';
import { aims } from './variant.ts';
import { differences, verdicts } from './verdict.ts';

const usage = `npm run test:edge -- [options]
  --paths N   how many request lines (12000)
  --seed N    of the request lines (a random one; it is printed)`;

const given = readArguments(usage, {
  paths: { type: 'string', default: '12000' },
  seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 1_000_000)) },
});
const count = countOf('paths', given.paths, usage);
const seed = countOf('seed', given.seed, usage);
const say = (line: string) => process.stderr.write(`${line}\n`);
const short = (text: string) => (text.length > 300 ? `${text.slice(0, 300)}…` : text);
/** In lines of 80 columns, behind an indent. */
const folded = (text: string) =>
  (short(JSON.stringify(text).slice(1, -1)).match(/.{1,72}/gu) ?? []).join('\n        ');

const shop = await startEdgeShop();
let failed = true;
try {
  const all = await aims();
  const variants = [...paths(all, seed, count, shop.adminToken), ...headersAndFraming(all)];
  say(`${variants.length} exchanges, ${count} of them request lines by seed ${seed}`);
  const near = await verdicts(shop.url, variants, (done) => say(`  in the process: ${done}`));
  for (const module of moduleNames(shopApp)) await shop.extract(module);
  const far = await verdicts(shop.url, variants, (done) => say(`  extracted: ${done}`));
  const found = differences(variants, near, far);
  for (const { name, near: one, far: other } of found) {
    console.log(`${folded(name)}\n  near: ${folded(one)}\n  far:  ${folded(other)}`);
  }
  console.log(`${variants.length} exchanges near and far, seed ${seed}: ${found.length} differ`);
  failed = found.length > 0;
} finally {
  await shop.stop();
}
process.exitCode = failed ? 1 : 0;
