// `npm run bench:abuse` (`-- --help` names the options): what strangers may try, against this checkout and, with
// --before, against another one in the same run, in alternating order. Prints Markdown; --write puts it into
// bench/RESULTS.md. It only measures: what must hold whatever the machine is a test's to say.
import { cpus, release, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { countOf, oneOf, readArguments } from '../../scripts/arguments.ts';
import { writeSection } from '../results.ts';
import type { Figure } from './figure.ts';
import { abuseByImages } from './images.ts';
import { abuseByJson } from './json.ts';
import { abuseByOneClient } from './one-client.ts';
import { abuseByOverload } from './overload.ts';
import { abuseByReaders } from './readers.ts';
import { type Outcome, rowsOf } from './rounds.ts';
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

const USAGE = `npm run bench:abuse -- [options]
  --before FOLDER   another checkout, installed, measured in the same run
  --only NAME       ${names.join(', ')}
  --rounds N        of each (3)
  --write           puts the results into bench/RESULTS.md`;
const options = readArguments(USAGE, {
  before: { type: 'string' },
  only: { type: 'string' },
  rounds: { type: 'string', default: '3' },
  write: { type: 'boolean', default: false },
});
const rounds = countOf('rounds', options.rounds, USAGE);
const chosen = options.only === undefined ? names : [oneOf('only', options.only, names, USAGE)];
const now = resolve(import.meta.dirname, '../..');
const sides = options.before === undefined ? [now] : [resolve(options.before), now];

const found = new Map<Name, Outcome[]>();
const say = (line: string) => process.stderr.write(`${line}\n`);

for (const name of chosen) {
  const outcomes: Outcome[] = [];
  found.set(name, outcomes);
  for (let round = 0; round < rounds; round += 1) {
    for (const folder of round % 2 === 0 ? sides : sides.toReversed()) {
      const side = folder === now ? 'now' : 'before';
      say(`${name}, round ${round + 1} of ${rounds}, ${side}`);
      const product = await startProduct(folder);
      const figures = await attempt(name, product).finally(() => product.stop());
      outcomes.push({ round: round + 1, side, figures });
    }
  }
}
const printed = report();
process.stdout.write(`${printed}\n`);
if (options.write) writeSection('abuse', printed);

/** Figures, or undefined of a product that gave way: a finding, and no reason to leave the others unasked. */
async function attempt(name: Name, product: Product): Promise<Figure[] | undefined> {
  try {
    return await abuses[name](product, (line) => say(`  ${line}`));
  } catch (error) {
    say(`  it gave way: ${(error as Error).message}`);
    return undefined;
  }
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
    ...[...found].flatMap(([name, outcomes]) => rowsOf(name, outcomes)),
  ].join('\n');
}
