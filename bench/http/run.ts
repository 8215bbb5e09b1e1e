// The product over HTTP beside its limits: `node bench/http/run.ts [--pairs N] [--seconds N]`. Pairs in the order
// A B B A in one run; ratios by pair, median and range. Prints Markdown.
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import {
  cpuOf,
  memoryOf,
  type Started,
  startGateway,
  startMonolith,
  startScript,
  stop,
} from './processes.ts';

const { values: options } = parseArgs({
  options: { pairs: { type: 'string', default: '6' }, seconds: { type: 'string', default: '4' } },
});
const pairs = Number(options.pairs);
const seconds = Number(options.seconds);
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
  monolith: Started,
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
async function idleCpu(all: readonly Started[]): Promise<number[]> {
  const ms = 5000;
  const before = all.map(({ child }) => cpuOf(child.pid!));
  await new Promise((resolve) => setTimeout(resolve, ms));
  return all.map(({ child }, i) => ((cpuOf(child.pid!) - before[i]!) / (ms * 1000)) * 100);
}

/** The superuser's URL of the embedded server, as the data folder keeps it. */
function databaseUrl(): string {
  const password = readFileSync(join(dataDir, 'postgres-password'), 'utf8').trim();
  const port = readFileSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[3];
  return `postgres://postgres:${password}@127.0.0.1:${port}/banyan`;
}

async function products(monolith: Started): Promise<string[]> {
  const list = (await (await fetch(`${monolith.url}/api/catalog/products?limit=100`)).json()) as {
    items: { id: string }[];
  };
  return list.items.map(({ id }) => `/api/catalog/products/${id}`);
}

async function measureReads(): Promise<string[]> {
  const monolith = await startMonolith(dataDir);
  const paths = await products(monolith);
  const raw = await startScript('./raw-server.ts', [databaseUrl()]);
  const local = await paired(
    () => load(monolith.url, monolith.child.pid!, paths),
    () => load(raw.url, raw.child.pid!, paths),
  );
  await stop(raw);
  await admin(monolith, '/admin/services/catalog', { instances: 1 });
  const entry = await admin(monolith, '/admin/placements/catalog', { placement: 'service' });
  const key = readFileSync(join(dataDir, 'internal-key'), 'utf8').trim();
  const proxy = await startScript('./bare-proxy.ts', [entry.instances[0]!.url, key]);
  const bare = () => load(proxy.url, proxy.child.pid!, paths);
  const far = await paired(() => load(monolith.url, monolith.child.pid!, paths), bare);
  const gateway = await startGateway(dataDir, databaseUrl());
  const alone = await paired(() => load(gateway.url, gateway.child.pid!, paths), bare);
  const idle = await idleCpu([monolith, gateway, proxy]);
  await stop(gateway);
  await stop(proxy);
  await stop(monolith);
  const rate = ratios(local, (one) => one.perSecond);
  const cpu = ratios(far, (one) => one.cpu);
  const cpuAlone = ratios(alone, (one) => one.cpu);
  const per = (found: [Load, Load][], side: 0 | 1) =>
    words(spread(found.map((pair) => pair[side].perSecond)), 0);
  const used = (found: [Load, Load][], side: 0 | 1) => words(spread(found.map((pair) => pair[side].cpu)), 0);
  const line = (what: string, found: [Load, Load][], side: 0 | 1, atRest?: number) =>
    `| ${what} | ${per(found, side)} | ${used(found, side)} | ${atRest === undefined ? '' : `${atRest.toFixed(1)} %`} |`;
  return [
    'CPU is of the process that is asked, background work included; idle is its share of a core when nobody asks.',
    '',
    `| variant | requests/s | its CPU, us a request | idle |`,
    '|---|---|---|---|',
    line('product by id, in the monolith', local, 0),
    line('the same SQL by pg behind node:http', local, 1),
    line('product by id, extracted, through the monolith as gateway', far, 0, idle[0]),
    line('the same through a gateway alone (`MODULES=none`)', alone, 0, idle[1]),
    line('the same service behind a bare @fastify/http-proxy', far, 1, idle[2]),
    '',
    '| ratio | median (range over pairs) | goal | |',
    '|---|---|---|---|',
    row('requests/s of the monolith beside raw pg', rate, 'at least 0.6x', rate.median >= 0.6),
    row(
      'CPU a request of the monolith as gateway beside a bare proxy',
      cpu,
      'at most 1.15x',
      cpu.median <= 1.15,
    ),
    row(
      'CPU a request of a gateway alone beside a bare proxy',
      cpuAlone,
      'at most 1.15x',
      cpuAlone.median <= 1.15,
    ),
  ];
}

interface Idle {
  readonly readyMs: number;
  readonly memory: number;
}

async function measureStart(): Promise<string[]> {
  const bareDir = join(folder, 'bare');
  const idle = async (start: () => Promise<Started>): Promise<Idle> => {
    const one = await start();
    // Idle: what start-up left to be collected is gone once the first timers have run.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const memory = memoryOf(one.child.pid!);
    await stop(one);
    process.stderr.write('.');
    return { readyMs: one.readyMs, memory };
  };
  const found = await paired(
    () => idle(() => startMonolith(dataDir)),
    () => idle(() => startScript('./bare-start.ts', [bareDir])),
  );
  const ready = ratios(found, (one) => one.readyMs);
  const memory = ratios(found, (one) => one.memory);
  const of = (side: 0 | 1, pick: (one: Idle) => number) =>
    words(spread(found.map((pair) => pick(pair[side]))), 0);
  return [
    '| variant | ready after, ms | memory of the process, MB |',
    '|---|---|---|',
    `| npm start | ${of(0, (one) => one.readyMs)} | ${of(0, (one) => one.memory)} |`,
    `| bare Fastify, Prisma, embedded server | ${of(1, (one) => one.readyMs)} | ${of(1, (one) => one.memory)} |`,
    '',
    '| ratio | median (range over pairs) | goal | |',
    '|---|---|---|---|',
    row('time to ready', ready, 'at most 1.3x', ready.median <= 1.3),
    row('idle memory', memory, 'at most 1.3x', memory.median <= 1.3),
  ];
}

try {
  print(
    `Machine: ${cpus().length} x ${cpus()[0]!.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}, Node ${process.versions.node}.`,
    `${new Date().toISOString().slice(0, 10)}, ${pairs} pairs of ${seconds} s, order A B B A, 32 connections, generator and servers on the same cores.`,
    '',
    '### One product over HTTP',
    ...(await measureReads()),
    '',
    '### Starting',
    ...(await measureStart()),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
