// The product over HTTP beside its limits: `node bench/http/run.ts` (`--help` names the options). Pairs in the order
// A B B A in one run; ratios by pair, median and range. Prints Markdown.
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { countOf, oneOf, readArguments } from '../../scripts/arguments.ts';
import type { Launched } from '../../stage/launch.ts';
import { cpuOf, memoryOf, startGateway, startMonolith, startScript } from './processes.ts';

const USAGE = `node bench/http/run.ts [options]
  --pairs N           of each comparison (6)
  --seconds N         of load on each side of a pair (4)
  --only PART         reads, gateway or start`;
const options = readArguments(USAGE, {
  pairs: { type: 'string', default: '6' },
  seconds: { type: 'string', default: '4' },
  only: { type: 'string' },
});
const pairs = countOf('pairs', options.pairs, USAGE);
const seconds = countOf('seconds', options.seconds, USAGE);
const parts = ['reads', 'gateway', 'start'] as const;
type Part = (typeof parts)[number];
const only = options.only === undefined ? undefined : oneOf('only', options.only, parts, USAGE);
const wants = (part: Part) => only === undefined || only === part;
const folder = mkdtempSync(join(tmpdir(), 'banyan-bench-'));
chmodSync(folder, 0o711);
const dataDir = join(folder, 'data');
const print = (...lines: string[]) => process.stdout.write(`${lines.join('\n')}\n`);

interface Load {
  readonly perSecond: number;
  /** CPU of the asked process, microseconds a request. */
  readonly cpu: number;
}

async function load(url: string, pid: number, paths: readonly string[]): Promise<Load> {
  const before = cpuOf(pid);
  const result = await autocannon({
    url,
    connections: 32,
    duration: seconds,
    requests: paths.map((path) => ({ method: 'GET' as const, path })),
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} failed, ${result.errors} errors`);
  process.stderr.write('.');
  return {
    perSecond: result.requests.total / result.duration,
    cpu: (cpuOf(pid) - before) / result.requests.total,
  };
}

/** Both, pair by pair, in alternating order after a warm-up of each. */
async function paired<T>(a: () => Promise<T>, b: () => Promise<T>, count = pairs): Promise<[T, T][]> {
  await a();
  await b();
  const found: [T, T][] = [];
  for (let pair = 0; pair < count; pair += 1) {
    if (pair % 2 === 0) {
      const first = await a();
      found.push([first, await b()]);
    } else {
      const second = await b();
      found.push([await a(), second]);
    }
  }
  process.stderr.write('\n');
  return found;
}

function spread(values: readonly number[]): { median: number; min: number; max: number } {
  const sorted = [...values].sort((x, y) => x - y);
  const middle = sorted.length / 2;
  const median =
    sorted.length % 2 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

const words = ({ median, min, max }: ReturnType<typeof spread>, digits = 2) =>
  `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
const row = (what: string, ratio: ReturnType<typeof spread>, goal: string, met: boolean) =>
  `| ${what} | ${words(ratio)} | ${goal} | ${met ? 'met' : 'MISSED'} |`;
const ratios = <T>(found: [T, T][], of: (one: T) => number) => spread(found.map(([a, b]) => of(a) / of(b)));

async function admin(
  monolith: Launched,
  path: string,
  body: object,
): Promise<{ instances: { url: string; pid: number }[] }> {
  const token = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();
  const response = await fetch(new URL(path, monolith.url), {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as { instances: { url: string; pid: number }[] };
}

/** Shares of a core, in percent, over five seconds in which nobody asks. */
async function idleCpu(all: readonly Launched[]): Promise<number[]> {
  const ms = 5000;
  const before = all.map(({ pid }) => cpuOf(pid));
  await new Promise((resolve) => setTimeout(resolve, ms));
  return all.map(({ pid }, i) => ((cpuOf(pid) - before[i]!) / (ms * 1000)) * 100);
}

/** The superuser's URL of the embedded server, as the data folder keeps it. */
function databaseUrl(): string {
  const password = readFileSync(join(dataDir, 'postgres-password'), 'utf8').trim();
  const port = readFileSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[3];
  return `postgres://postgres:${password}@127.0.0.1:${port}/banyan`;
}

async function products(monolith: Launched): Promise<string[]> {
  const list = (await (await fetch(`${monolith.url}/api/catalog/products?limit=100`)).json()) as {
    items: { id: string }[];
  };
  return list.items.map(({ id }) => `/api/catalog/products/${id}`);
}

type Pairs = [Load, Load][];
const per = (found: Pairs, side: 0 | 1) => words(spread(found.map((pair) => pair[side].perSecond)), 0);
const used = (found: Pairs, side: 0 | 1) => words(spread(found.map((pair) => pair[side].cpu)), 0);
const line = (what: string, found: Pairs, side: 0 | 1, atRest?: number) =>
  `| ${what} | ${per(found, side)} | ${used(found, side)} | ${atRest === undefined ? '' : `${atRest.toFixed(1)} %`} |`;
const variants = ['| variant | requests/s | its CPU, us a request | idle |', '|---|---|---|---|'];
const judged = ['', '| ratio | median (range over pairs) | goal | |', '|---|---|---|---|'];

/** The monolith answers by itself. */
async function measureReads(): Promise<string[]> {
  const monolith = await startMonolith(dataDir);
  const paths = await products(monolith);
  const raw = await startScript('./raw-server.ts', [databaseUrl()]);
  const found = await paired(
    () => load(monolith.url, monolith.pid, paths),
    () => load(raw.url, raw.pid, paths),
  );
  await raw.end();
  await monolith.end();
  const rate = ratios(found, (one) => one.perSecond);
  return [
    ...variants,
    line('product by id, in the monolith', found, 0),
    line('the same SQL by pg behind node:http', found, 1),
    ...judged,
    row('requests/s of the monolith beside raw pg', rate, 'at least 0.6x', rate.median >= 0.6),
  ];
}

/** catalog answers in a process of its own, behind three gateways. */
async function measureGateway(): Promise<string[]> {
  const monolith = await startMonolith(dataDir);
  const paths = await products(monolith);
  await admin(monolith, '/admin/services/catalog', { instances: 1 });
  const entry = await admin(monolith, '/admin/placements/catalog', { placement: 'service' });
  const rootKey = readFileSync(join(dataDir, 'root-key'), 'utf8').trim();
  const proxy = await startScript('./bare-proxy.ts', [entry.instances[0]!.url, databaseUrl(), rootKey]);
  const bare = () => load(proxy.url, proxy.pid, paths);
  const far = await paired(() => load(monolith.url, monolith.pid, paths), bare);
  const gateway = await startGateway(dataDir, databaseUrl());
  const alone = await paired(() => load(gateway.url, gateway.pid, paths), bare);
  const idle = await idleCpu([monolith, gateway, proxy]);
  // Else each start that is measured afterwards would start catalog's process as well.
  await admin(monolith, '/admin/placements/catalog', { placement: 'in-process' });
  await admin(monolith, '/admin/services/catalog', { instances: 0 });
  await gateway.end();
  await proxy.end();
  await monolith.end();
  const cpu = ratios(far, (one) => one.cpu);
  const cpuAlone = ratios(alone, (one) => one.cpu);
  const goal = 'at most 1.15x';
  return [
    'CPU is of the process that is asked, background work included; idle is its share of a core when nobody asks.',
    '',
    ...variants,
    line('product by id, extracted, through the monolith as gateway', far, 0, idle[0]),
    line('the same through a gateway alone (`MODULES=none`)', alone, 0, idle[1]),
    line('the same service behind a bare @fastify/http-proxy', far, 1, idle[2]),
    ...judged,
    row('CPU a request of the monolith as gateway beside a bare proxy', cpu, goal, cpu.median <= 1.15),
    row('CPU a request of a gateway alone beside a bare proxy', cpuAlone, goal, cpuAlone.median <= 1.15),
  ];
}

interface Idle {
  readonly readyMs: number;
  /** Milliseconds of CPU until ready. */
  readonly cpu: number;
  readonly memory: number;
}

/** Each start is of an installation that was started before; the bare one has the compile cache, as ours has. */
async function measureStart(): Promise<string[]> {
  const bareDir = join(folder, 'bare');
  const idle = async (start: () => Promise<Launched>): Promise<Idle> => {
    const one = await start();
    const cpu = cpuOf(one.pid) / 1000;
    // Idle: what start-up left to be collected is gone once the first timers have run.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const memory = memoryOf(one.pid);
    await one.end();
    process.stderr.write('.');
    return { readyMs: one.readyMs, cpu, memory };
  };
  const ours = () => idle(() => startMonolith(dataDir));
  const cached = await paired(ours, () => idle(() => startScript('./bare-start.ts', [bareDir], 'cached')));
  const plain = await paired(ours, () => idle(() => startScript('./bare-start.ts', [bareDir])));
  const of = (found: [Idle, Idle][], side: 0 | 1, pick: (one: Idle) => number) =>
    words(spread(found.map((pair) => pick(pair[side]))), 0);
  const started = (what: string, found: [Idle, Idle][], side: 0 | 1) =>
    `| ${what} | ${of(found, side, (one) => one.readyMs)} | ${of(found, side, (one) => one.cpu)} | ${of(found, side, (one) => one.memory)} |`;
  const compared = (what: string, found: [Idle, Idle][], pick: (one: Idle) => number) => {
    const ratio = ratios(found, pick);
    return row(what, ratio, 'at most 1.3x', ratio.median <= 1.3);
  };
  return [
    'Installed and started before. Both sides start the same embedded server; the bare one has one Prisma client and',
    'one route, and is measured with the compile cache that `npm start` has, and as `node bare-start.ts` without it.',
    '',
    '| variant | ready after, ms | CPU until then, ms | memory when idle, MB |',
    '|---|---|---|---|',
    started('npm start', cached, 0),
    started('bare Fastify, Prisma, embedded server, with the compile cache', cached, 1),
    started('the same without it', plain, 1),
    ...judged,
    compared('time to ready, both with the compile cache', cached, (one) => one.readyMs),
    compared('time to ready, the bare one without it', plain, (one) => one.readyMs),
    compared('idle memory, both with the compile cache', cached, (one) => one.memory),
    compared('idle memory, the bare one without it', plain, (one) => one.memory),
  ];
}

try {
  print(
    `Machine: ${cpus().length} x ${cpus()[0]!.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}, Node ${process.versions.node}.`,
    `${new Date().toISOString().slice(0, 10)}, ${pairs} pairs of ${seconds} s, order A B B A, 32 connections, generator and servers on the same cores.`,
    '',
    ...(wants('reads') ? ['### One product over HTTP', ...(await measureReads()), ''] : []),
    ...(wants('gateway') ? ['### One product through a gateway', ...(await measureGateway()), ''] : []),
    ...(wants('start') ? ['### Starting', ...(await measureStart()), ''] : []),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
