// Calls, measured beside their peers: `node bench/calls/run.ts` (`--help` names the options).
// Every variant of every repeat runs in processes of its own, in an order that turns from repeat to repeat, so
// that neither what one variant taught the compiler nor what else the machine does favours another. Ratios are
// of medians of one run. Prints Markdown.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { countOf, oneOf, readArguments } from '../../scripts/arguments.ts';

const USAGE = `node bench/calls/run.ts [options]
  --repeats N       of every variant (7)
  --only near|far   calls in one process alone, or to another one`;
const options = readArguments(USAGE, {
  repeats: { type: 'string', default: '7' },
  only: { type: 'string' },
});
const repeats = countOf('repeats', options.repeats, USAGE);
if (options.only !== undefined) oneOf('only', options.only, ['near', 'far'], USAGE);
const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const run = promisify(execFile);

type Numbers = Record<string, number>;

async function near(variant: string): Promise<Numbers> {
  const { stdout } = await run(process.execPath, [here('./near.ts'), variant]);
  return JSON.parse(stdout) as Numbers;
}

// Left to itself the library sometimes puts both ends on one core (a third of the latency) and sometimes not:
// each is given its own.
const pinned = cpus().length > 1 && spawnSync('taskset', ['-p', String(process.pid)]).status === 0;
const on = (core: number, args: readonly string[]): [string, string[]] =>
  pinned ? ['taskset', ['-c', String(core), process.execPath, ...args]] : [process.execPath, [...args]];

async function far(variant: string): Promise<Numbers> {
  const server = spawn(...on(1, [here('./far-server.ts'), variant]), {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  try {
    const [port] = (await once(server.stdout!, 'data')) as [Buffer];
    const args = [here('./far.ts'), variant, port.toString().trim(), String(server.pid)];
    const { stdout } = await run(...on(0, args));
    return JSON.parse(stdout) as Numbers;
  } finally {
    server.kill('SIGKILL');
  }
}

/** All measurements of all variants, by variant. */
async function rounds(
  variants: readonly string[],
  one: (variant: string) => Promise<Numbers>,
): Promise<Map<string, Numbers[]>> {
  const found = new Map<string, Numbers[]>(variants.map((variant) => [variant, []]));
  for (let round = 0; round < repeats; round += 1) {
    const turned = variants.map((_, i) => variants[(i + round) % variants.length]!);
    for (const variant of round % 2 === 0 ? turned : turned.reverse()) {
      found.get(variant)!.push(await one(variant));
      process.stderr.write('.');
    }
  }
  process.stderr.write('\n');
  return found;
}

function spread(found: Map<string, Numbers[]>, variant: string, field: string) {
  const all = found
    .get(variant)!
    .map((numbers) => numbers[field]!)
    .sort((a, b) => a - b);
  return { min: all[0]!, median: all[Math.floor(all.length / 2)]!, max: all.at(-1)! };
}

function row(found: Map<string, Numbers[]>, variant: string, fields: readonly string[], digits = 0): string {
  const cells = fields.map((field) => {
    const { min, median, max } = spread(found, variant, field);
    return `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
  });
  return `| ${[variant, ...cells].join(' | ')} |`;
}

const print = (...lines: string[]) => process.stdout.write(`${lines.join('\n')}\n`);
const version = (path: string) =>
  existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
    : 'not installed';
const installed = (name: string) => version(here(`../../node_modules/${name}/package.json`));

print(
  `Machine: ${cpus().length} x ${cpus()[0]!.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}.`,
  `Versions: Node ${process.versions.node}, ws ${installed('ws')}, undici ${installed('undici')}, fastify ${installed('fastify')}, ` +
    `moleculer ${version(here('../node_modules/moleculer/package.json'))}.`,
  `Two processes ${pinned ? 'pinned to a core each' : 'on whatever core the library gives them'}.`,
  `${new Date().toISOString().slice(0, 10)}, ${repeats} repeats in alternating order; median (min to max).`,
  '',
);

if (options.only !== 'far') {
  const variants = [
    'direct',
    'fork',
    'ref',
    'ref in a flow',
    'ref with deadline and trace',
    'moleculer local',
  ];
  const found = await rounds(variants, near);
  const ns = (variant: string) => spread(found, variant, 'ns').median;
  const goal = (what: string, variant: string, most: number) => {
    const more = ns(variant) - ns('direct');
    return `| ${what} | ${more.toFixed(0)} ns more than direct | at most ${most} | ${more <= most ? 'met' : 'MISSED'} |`;
  };
  print(
    '### In one process, nanoseconds per awaited call',
    '| variant | ns |',
    '|---|---|',
    ...variants.map((variant) => row(found, variant, ['ns'])),
    '',
    '| goal | seen | wanted | |',
    '|---|---|---|---|',
    goal('the fork alone', 'fork', 60),
    goal('a ref: authorised, validated', 'ref', 250),
    goal('a ref with deadline and trace', 'ref with deadline and trace', 600),
    `| ahead of Moleculer | ${(ns('ref with deadline and trace') / ns('moleculer local')).toFixed(2)}x its time | below 1 | ${ns('ref with deadline and trace') < ns('moleculer local') ? 'met' : 'MISSED'} |`,
    '',
  );
}

if (options.only !== 'near') {
  const variants = ['tcp echo', 'banyan', 'bare ws', 'moleculer tcp', 'undici to fastify'];
  const found = await rounds(variants, far);
  const of = (variant: string, field: string) => spread(found, variant, field).median;
  const ratio = (field: string, beside: string) => of('banyan', field) / of(beside, field);
  const verdict = (met: boolean) => (met ? 'met' : 'MISSED');
  const latency = ratio('p50', 'tcp echo');
  const rate = ratio('perSecond', 'undici to fastify');
  print(
    '### Between two processes',
    '| variant | one at a time, p50 us | p99 us | 64 at once, calls/s | caller CPU us/call | callee CPU us/call |',
    '|---|---|---|---|---|---|',
    ...variants.map((variant) => {
      const [first, last] = [
        row(found, variant, ['p50', 'p99', 'perSecond']),
        row(found, variant, ['clientCpu', 'serverCpu'], 1),
      ];
      return `${first.slice(0, -2)} |${last.slice(last.indexOf('|', 1) + 1)}`;
    }),
    '',
    '| goal | seen | wanted | |',
    '|---|---|---|---|',
    `| p50 beside a TCP echo | ${latency.toFixed(2)}x | at most 2x | ${verdict(latency <= 2)} |`,
    `| p50 beside Moleculer TCP | ${ratio('p50', 'moleculer tcp').toFixed(2)}x | below 1 | ${verdict(ratio('p50', 'moleculer tcp') < 1)} |`,
    `| calls/s beside undici to Fastify | ${rate.toFixed(2)}x | at least 2.5x | ${verdict(rate >= 2.5)} |`,
    `| calls/s beside Moleculer TCP | ${ratio('perSecond', 'moleculer tcp').toFixed(2)}x | above 1 | ${verdict(ratio('perSecond', 'moleculer tcp') > 1)} |`,
  );
}
