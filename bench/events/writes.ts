// What an event adds to the write that publishes it: the same endpoint with and without, in pairs, as a module's
// and as bare Fastify's; the CPU of its process and of the database's backends, and which locks anybody waited for.
// Both get the same requests at the same moments (open loop): as fast as each can, the faster one would wake up less
// often for a request, and that difference is not the event's.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { choosePinning, type Generator, startGenerator } from '../../compare/load/generator-process.ts';
import { randomOf } from '../../compare/load/random.ts';
import { arrivals } from '../../compare/load/schedule.ts';
import { median, ms, percentile, type Row, type Stage, whole } from './stage.ts';

const PAIRS = 8;
const PER_SECOND = 1_500;
const CONNECTIONS = 50;
const TICKS_PER_SECOND = 100;

interface Load {
  /** Microseconds for a request. */
  readonly cpu: number;
  readonly database: number;
  readonly p99: number;
}

type Kind = 'module' | 'bare';
type Pairs = readonly (readonly [without: Load, withEvent: Load])[];

export async function writes(stage: Stage): Promise<Row[]> {
  return stage.database(async (url, admin) => {
    await admin.query(`CREATE TABLE shop.sale (key text NOT NULL, n bigint NOT NULL, PRIMARY KEY (key, n));
      GRANT SELECT, INSERT ON shop.sale TO banyan_shop`);
    const child = fork(join(import.meta.dirname, 'writes-server.ts'), [url], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [ports] = (await once(child, 'message')) as [Record<Kind, number>];
    const generator = await startGenerator(choosePinning(), process.env);
    const locks = new Map<string, number>();
    const watch = setInterval(() => void note(admin, locks).catch(() => {}), 20);
    try {
      const one = (kind: Kind, path: string) =>
        load(
          { generator, child, admin, url: `http://127.0.0.1:${ports[kind]}`, path },
          stage.sizes.seconds / 4,
        );
      const module = await pairsOf(
        () => one('module', '/api/without'),
        () => one('module', '/api/with'),
      );
      const bare = await pairsOf(
        () => one('bare', '/without'),
        () => one('bare', '/with'),
      );
      const host = row(
        `write with its event in one statement, a module's endpoint, ${whole(PER_SECOND)}/s: CPU of the host, a request`,
        module,
        micros,
        ({ cpu }) => cpu,
      );
      return [
        { ...host, goal: '15 %', met: median(host.runs) <= 15 },
        row('the same: CPU of the database, a request', module, micros, ({ database }) => database),
        row('the same: p99', module, ms, ({ p99 }) => p99),
        row('the same, an endpoint of bare Fastify: CPU of the host', bare, micros, ({ cpu }) => cpu),
        {
          what: 'the same: locks that were waited for',
          ours: [...locks].map(([type, n]) => `${type} ${n}`).join(', ') || 'none seen',
          beside: '-',
          ratio: '-',
          runs: [],
          goal: 'row locks only',
          // A row lock is waited for as its holder's transaction, or as the row itself by those behind.
          met: [...locks.keys()].every((type) => type === 'transactionid' || type === 'tuple'),
        },
      ];
    } finally {
      clearInterval(watch);
      await generator.stop();
      child.kill();
      await once(child, 'exit');
    }
  });
}

/** Alternating; the first of each warms up and does not count. */
async function pairsOf(without: () => Promise<Load>, withEvent: () => Promise<Load>): Promise<Pairs> {
  await without();
  await withEvent();
  const pairs: [Load, Load][] = [];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    if (pair % 2 === 0) pairs.push([await without(), await withEvent()]);
    else {
      const second = await withEvent();
      pairs.push([await without(), second]);
    }
  }
  return pairs;
}

function row(what: string, pairs: Pairs, write: (n: number) => string, pick: (load: Load) => number): Row {
  const runs = pairs.map(([before, after]) => (pick(after) / pick(before) - 1) * 100);
  return {
    what,
    ours: write(median(pairs.map(([, one]) => pick(one)))),
    beside: `without event: ${write(median(pairs.map(([one]) => pick(one))))}`,
    ratio: percent(median(runs)),
    runs,
    goal: '-',
  };
}

const percent = (share: number) => `${share >= 0 ? '+' : ''}${share.toFixed(1)} %`;
const micros = (n: number) => `${n.toFixed(0)} us`;

interface Under {
  readonly generator: Generator;
  readonly child: ChildProcess;
  readonly admin: Pool;
  readonly url: string;
  readonly path: string;
}

async function load({ generator, child, admin, url, path }: Under, seconds: number): Promise<Load> {
  const requests = arrivals(PER_SECOND, Math.max(1, seconds) * 1_000, randomOf(1)).map((atMs) => ({
    atMs,
    kind: path,
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ pad: 'x'.repeat(100) }),
    expect: 200,
  }));
  const before = [await cpuOf(child), await backends(admin)] as const;
  const result = await generator.run({
    url,
    requests,
    connections: CONNECTIONS,
    timeoutMs: 10_000,
    files: {},
  });
  const failed = result.failed.reduce((sum, one) => sum + one, 0);
  if (failed > 0) throw new Error(`${path}: ${failed} failed, ${result.examples.join('; ')}`);
  const after = [await cpuOf(child), await backends(admin)] as const;
  return {
    cpu: (after[0] - before[0]) / requests.length,
    database: (after[1] - before[1]) / requests.length,
    p99: percentile([...result.latencyMs], 0.99),
  };
}

async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu');
  const [{ cpu }] = (await once(child, 'message')) as [{ cpu: NodeJS.CpuUsage }];
  return cpu.user + cpu.system;
}

/** CPU of the endpoint's own backends in microseconds; zero where /proc is not. */
async function backends(admin: Pool): Promise<number> {
  const { rows } = await admin.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE usename = 'banyan_shop' AND datname = current_database()`,
  );
  return rows.reduce((sum, { pid }) => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      return sum + ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1e6;
    } catch {
      return sum;
    }
  }, 0);
}

async function note(admin: Pool, locks: Map<string, number>): Promise<void> {
  const { rows } = await admin.query<{ locktype: string }>('SELECT locktype FROM pg_locks WHERE NOT granted');
  for (const { locktype } of rows) locks.set(locktype, (locks.get(locktype) ?? 0) + 1);
}
