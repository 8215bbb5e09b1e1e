// `npm run bench:abuse` (`-- --help` names the options): what strangers may try, against this checkout and, with
// --before, against another one in the same run, in alternating order. Prints Markdown; --write puts it into
// bench/RESULTS.md. It only measures: what must hold whatever the machine is a test's to say.
import { cpus, release, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { countOf, oneOf, readArguments } from '../../scripts/arguments.ts';
import { writeSection } from '../results.ts';
import { type Figure, medianOf, spreadOf } from './figure.ts';
import { abuseByImages } from './images.ts';
import { abuseByJson } from './json.ts';
import { abuseByOneClient } from './one-client.ts';
import { abuseByOverload } from './overload.ts';
import { abuseByReaders } from './readers.ts';
import { abuseBySignIns } from './sign-ins.ts';
import { type Product, startProduct } from './stage.ts';
import { usualWork } from './usual.ts';

const abuses = {
  json: abuseByJson,
  images: abuseByImages,
  'sign-ins': abuseBySignIns,
  overload: abuseByOverload,
  readers: abuseByReaders,
  'one-client': abuseByOneClient,
  usual: usualWork,
} as const;
type Name = keyof typeof abuses;
const names = Object.keys(abuses) as Name[];

const usage = `npm run bench:abuse -- [options]
  --before FOLDER   another checkout, installed, measured in the same run
  --only NAME       ${names.join(', ')}
  --rounds N        of each (3)
  --write           puts the results into bench/RESULTS.md`;
const options = readArguments(usage, {
  before: { type: 'string' },
  only: { type: 'string' },
  rounds: { type: 'string', default: '3' },
  write: { type: 'boolean', default: false },
});
const rounds = countOf('rounds', options.rounds, usage);
const chosen = options.only === undefined ? names : [oneOf('only', options.only, names, usage)];
const now = resolve(import.meta.dirname, '../..');
const sides = options.before === undefined ? [now] : [resolve(options.before), now];

/** Nearly as much as before: less than this is a loss that somebody would notice. */
const LEAST = 0.95;

/** By abuse and figure, what each side came to in every round that counts. */
const found = new Map<string, { figure: Figure; values: Map<string, number[]> }>();
const say = (line: string) => process.stderr.write(`${line}\n`);

for (const name of chosen) {
  for (let round = 0; round < rounds; round += 1) {
    for (const folder of round % 2 === 0 ? sides : sides.toReversed()) {
      const side = folder === now ? 'now' : 'before';
      say(`${name}, round ${round + 1} of ${rounds}, ${side}`);
      const product = await startProduct(folder);
      const hit = await attempt(name, product).finally(() => product.stop());
      for (const figure of hit) note(`${name}/${figure.what}`, figure, side);
    }
  }
}
const printed = report();
process.stdout.write(`${printed}\n`);
if (options.write) writeSection('abuse', printed);

/** A product that gives way under the abuse is a finding and no reason to leave the others unasked. */
async function attempt(name: Name, product: Product): Promise<Figure[]> {
  try {
    return await abuses[name](product, (line) => say(`  ${line}`));
  } catch (error) {
    say(`  it gave way: ${(error as Error).message}`);
    return [];
  }
}

function note(key: string, figure: Figure, side: string): void {
  const entry = found.get(key) ?? { figure, values: new Map<string, number[]>() };
  found.set(key, entry);
  entry.values.set(side, [...(entry.values.get(side) ?? []), figure.value]);
}

function report(): string {
  const machine = `${cpus().length} x ${cpus()[0]!.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}, Node ${process.versions.node}`;
  return [
    '`npm run bench:abuse`',
    '',
    `Machine: ${machine}.`,
    `${new Date().toISOString().slice(0, 10)}, ${rounds} rounds in alternating order, a new product for each; median and range. The abuser runs on the same cores.`,
    '',
    '| abuse | before | now | goal | |',
    '|---|---:|---:|---|---|',
    ...[...found.values()].flatMap((entry) => [rowOf(entry), ...ratioOf(entry)]),
  ].join('\n');
}

/** Round by round, since both sides of a round met the same machine. */
function ratioOf({ figure, values }: { figure: Figure; values: Map<string, number[]> }): string[] {
  const [before, after] = [values.get('before'), values.get('now')];
  if (!figure.asBefore || !before || !after) return [];
  const ratios = after.flatMap((value, round) => (before[round] ? [value / before[round]] : []));
  const verdict = medianOf(ratios) >= LEAST ? 'met' : 'MISSED';
  return [`| … beside before | | ${spreadOf(ratios, 'x')} | at least ${LEAST}x | ${verdict} |`];
}

function rowOf({ figure, values }: { figure: Figure; values: Map<string, number[]> }): string {
  const { what, unit, goal } = figure;
  const cell = (side: string) => spreadOf(values.get(side) ?? [], unit) || 'n/a';
  if (!goal || !values.has('now')) return `| ${what} | ${cell('before')} | ${cell('now')} | | |`;
  const median = medianOf(values.get('now')!);
  const met = goal.at === 'most' ? median <= goal.value : median >= goal.value;
  const wanted = `at ${goal.at} ${goal.value}${unit === 'x' ? 'x' : ` ${unit}`}`;
  return `| ${what} | ${cell('before')} | ${cell('now')} | ${wanted} | ${met ? 'met' : 'MISSED'} |`;
}
