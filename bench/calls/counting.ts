// What it costs to count a near call: `node bench/calls/counting.ts` (`--help` names the options). The same ref without a
// counter, with one, and with every call watched to its end; each in processes of its own, side by side in pairs. By CPU,
// which a busy machine changes least.
// Prints Markdown; `--write` puts it into RESULTS.md.
import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { countOf, readArguments } from '../../scripts/arguments.ts';
import { writeSection } from '../results.ts';

const USAGE = `node bench/calls/counting.ts [options]
  --pairs N   of each (15)
  --write     puts the result into bench/RESULTS.md`;
const options = readArguments(USAGE, {
  pairs: { type: 'string', default: '15' },
  write: { type: 'boolean', default: false },
});
const pairs = countOf('pairs', options.pairs, USAGE);
const near = fileURLToPath(new URL('./near.ts', import.meta.url));
const run = promisify(execFile);
const GOAL_NS = 10;

async function nsOf(variant: string): Promise<number> {
  const { stdout } = await run(process.execPath, [near, variant]);
  process.stderr.write('.');
  return (JSON.parse(stdout) as { cpuNs: number }).cpuNs;
}

const variants = ['ref', 'ref, counted', 'ref, every call watched'] as const;
const found = new Map<string, number[]>(variants.map((variant) => [variant, []]));
for (let pair = 0; pair < pairs; pair += 1)
  for (const variant of pair % 2 === 0 ? variants : variants.toReversed())
    found.get(variant)!.push(await nsOf(variant));
process.stderr.write('\n');

function spread(all: readonly number[], digits = 0): string {
  const sorted = all.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index]!.toFixed(digits);
  return `${at(Math.floor(sorted.length / 2))} (${at(0)} to ${at(sorted.length - 1)})`;
}

const of = (variant: (typeof variants)[number]) => found.get(variant)!;
const median = (all: readonly number[]) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]!;
const [plain, counted, watched] = [of('ref'), of('ref, counted'), of('ref, every call watched')];
const more = (with_: readonly number[]) => with_.map((ns, index) => ns - plain[index]!);
const ratio = (with_: readonly number[]) => with_.map((ns, index) => ns / plain[index]!);
const cost = median(more(counted));
const text = [
  `\`node bench/calls/counting.ts\``,
  '',
  `Machine: ${cpus().length} x ${cpus()[0]!.model.trim()}, Node ${process.versions.node}. ${new Date().toISOString().slice(0, 10)}, ${pairs} pairs; median (min to max).`,
  '',
  '| variant | CPU, ns a call | ns more, by pair | ratio, by pair |',
  '|---|---|---|---|',
  `| ref | ${spread(plain)} | | |`,
  `| ref, counted, one in 16 watched | ${spread(counted)} | ${spread(more(counted))} | ${spread(ratio(counted), 2)} |`,
  `| ref, every call watched | ${spread(watched)} | ${spread(more(watched))} | ${spread(ratio(watched), 2)} |`,
  '',
  `Counting costs ${cost.toFixed(0)} ns a call; wanted: at most ${GOAL_NS}: ${cost <= GOAL_NS ? 'met' : 'MISSED'}.`,
].join('\n');
process.stdout.write(`${text}\n`);
if (options.write) writeSection('counting', text);
