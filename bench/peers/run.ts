// Banyan beside Moleculer, NestJS and Platformatic on the same small work: `npm run bench:peers`. Four columns, each
// in one alternating run of all peers; ratios by round, median and range. Prints Markdown and writes
// bench/RESULTS.md, whatever it says; ends everything it started, also on Ctrl-C.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { countOf, oneOf, readArguments, refuse } from '../../scripts/arguments.ts';
import { writeSection } from '../results.ts';
import { load, type Measured, type Running } from './load.ts';
import { endAll, pin, stop } from './processes.ts';
import { openStage, startVariant } from './stage.ts';
import { type Column, columnTable, machineLines, summary } from './tables.ts';
import { type Shape, variants } from './variants.ts';

const USAGE = `npm run bench:peers -- [options]
  --rounds N      of all peers (7)
  --seconds N     of load on each (3.5)
  --only COLUMN   "in one process", "apart", "in one process, Postgres" or
                  "apart, Postgres"; the file of results is left as it is
  --pin           the peers on one core, what asks them on another`;
const options = readArguments(USAGE, {
  rounds: { type: 'string', default: '7' },
  seconds: { type: 'string', default: '3.5' },
  only: { type: 'string' },
  pin: { type: 'boolean', default: false },
});
const rounds = countOf('rounds', options.rounds, USAGE);
const seconds = Number(options.seconds);
if (!(seconds > 0)) refuse(`--seconds is a number above 0, not "${options.seconds}".`, USAGE);
const columns = ['in one process', 'apart', 'in one process, Postgres', 'apart, Postgres'] as const;
if (options.only !== undefined) oneOf('only', options.only, columns, USAGE);
// Before Postgres starts: what this process starts stays on its core.
const pinning = options.pin ? pin() : 'nothing is pinned: peers, Postgres and generator share all cores';
const loadBefore = loadavg()[0]!;
const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const say = (text: string) => process.stderr.write(text);

async function measureColumn(shape: Shape, databaseUrl: string | undefined): Promise<Column> {
  const running: Running[] = [];
  try {
    for (const variant of variants) running.push(await startVariant(variant, shape, databaseUrl));
    for (const one of running) await load(one, Math.max(2, seconds));
    const found = new Map<string, Measured[]>(running.map(({ peer }) => [peer, []]));
    for (let round = 0; round < rounds; round += 1) {
      const order = round % 2 === 0 ? running : [...running].reverse();
      for (const one of order) {
        found.get(one.peer)!.push(await load(one, seconds));
        say('.');
      }
    }
    return { shape, stored: databaseUrl !== undefined, found };
  } finally {
    await stop(running.flatMap(({ processes }) => processes));
  }
}

// Nest's decorators need a compiler; the others run as they are.
execFileSync(process.execPath, [here('../../node_modules/typescript/bin/tsc'), '-p', here('./nest')], {
  stdio: ['ignore', 2, 2],
});
const stage = await openStage();
let closing = false;
const end = async (code: number) => {
  if (closing) return;
  closing = true;
  // Before their database goes: each would say so at length.
  endAll();
  await stage.close();
  process.exit(code);
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(130));

try {
  const columns: Column[] = [];
  for (const databaseUrl of [undefined, stage.databaseUrl]) {
    for (const shape of ['in one process', 'apart'] as const) {
      if (options.only && options.only !== `${shape}${databaseUrl ? ', Postgres' : ''}`) continue;
      say(`${shape}${databaseUrl ? ', Postgres' : ''} `);
      columns.push(await measureColumn(shape, databaseUrl));
      say('\n');
    }
  }
  const versionOf = (name: string) =>
    (JSON.parse(readFileSync(here(`../node_modules/${name}/package.json`), 'utf8')) as { version: string })
      .version;
  const text = [
    ...machineLines({
      machine: `${cpus().length} x ${cpus()[0]!.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}, Node ${process.versions.node}`,
      pinning,
      load: `load average ${loadBefore.toFixed(1)} before, the own work included ${loadavg()[0]!.toFixed(1)} at the end`,
      rounds,
      seconds,
      versionOf,
    }),
    '',
    ...summary(columns),
    ...columns.flatMap((column) => ['', ...columnTable(column)]),
  ].join('\n');
  process.stdout.write(`${text}\n`);
  if (!options.only) writeSection('peers', text);
  await end(0);
} catch (error) {
  if (!closing) say(`\nbench:peers: ${(error as Error).message}\n`);
  await end(1);
}
