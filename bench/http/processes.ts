// The processes of a measurement: the product and what it is measured beside, as production runs them; and their CPU and
// memory (Linux /proc).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Env, type Launched, launch } from '../../stage/launch.ts';

const cached = [
  process.execPath,
  '--import',
  new URL('../../src/banyan/compile-cache.mjs', import.meta.url).href,
];
const production: Env = { NODE_ENV: 'production' };

/** A script of this folder that prints its port; `cache`: with the compile cache of `npm start`. */
export function startScript(file: string, args: readonly string[], cache?: 'cached'): Promise<Launched> {
  return launch({
    entry: join('bench/http', file),
    args,
    node: cache && cached,
    env: production,
    says(output) {
      const port = /^(\d+)\n/m.exec(output)?.[1];
      return port && `http://127.0.0.1:${port}`;
    },
  }).up();
}

/** The monolith as `npm start` runs it. */
export function startMonolith(dataDir: string): Promise<Launched> {
  return launch({
    node: cached,
    env: { ...production, DATA_DIR: dataDir, PORT: '0' },
    output: 'errors',
  }).up();
}

/** The gateway alone, of the installation that DATA_DIR belongs to. It says where it serves in its log. */
export function startGateway(dataDir: string, databaseUrl: string): Promise<Launched> {
  const secret = (name: string) => readFileSync(join(dataDir, name), 'utf8').trim();
  return launch({
    node: cached,
    env: {
      ...production,
      MODULES: 'none',
      INSTANCE_ID: 'gateway-alone',
      PORT: '0',
      DATABASE_URL: databaseUrl,
      ADMIN_TOKEN: secret('admin-token'),
      ROOT_KEY: secret('root-key'),
    },
  }).up();
}

/** CPU time of a process so far, in microseconds (10 ms steps). */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** Proportional memory of a process, in megabytes. */
export function memoryOf(pid: number): number {
  const line = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))!;
  return Number(line[1]) / 1024;
}
