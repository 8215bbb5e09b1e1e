// The processes of a measurement: started, asked for their CPU and memory (Linux /proc), ended.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

export interface Started {
  readonly url: string;
  readonly child: ChildProcess;
  /** Milliseconds from the start of the process to its first word that it serves. */
  readonly readyMs: number;
}

const cache = ['--import', new URL('../../src/compile-cache.mjs', import.meta.url).href];

/** A script of this folder that prints its port; `cached`: with the compile cache of `npm start`. */
export async function startScript(
  file: string,
  args: readonly string[],
  cached?: 'cached',
): Promise<Started> {
  const began = performance.now();
  const child = spawn(process.execPath, [...(cached ? cache : []), here(file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: environment(),
  });
  const [port] = (await once(child.stdout!, 'data')) as [Buffer];
  return { url: `http://127.0.0.1:${port.toString().trim()}`, child, readyMs: performance.now() - began };
}

/** The monolith as `npm start` runs it. */
export async function startMonolith(dataDir: string): Promise<Started> {
  const began = performance.now();
  const child = spawn(process.execPath, [...cache, here('../../src/main.ts')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...environment(), DATA_DIR: dataDir, PORT: '0' },
  });
  const file = join(dataDir, 'instance.json');
  while (!existsSync(file)) {
    if (child.exitCode !== null) throw new Error('the monolith did not start');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const readyMs = performance.now() - began;
  return { url: (JSON.parse(readFileSync(file, 'utf8')) as { url: string }).url, child, readyMs };
}

/** The gateway alone, of the installation that DATA_DIR belongs to. It says where it serves in its log. */
export async function startGateway(dataDir: string, databaseUrl: string): Promise<Started> {
  const began = performance.now();
  const secret = (name: string) => readFileSync(join(dataDir, name), 'utf8').trim();
  const child = spawn(process.execPath, [...cache, here('../../src/main.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...environment(),
      MODULES: 'none',
      INSTANCE_ID: 'gateway-alone',
      PORT: '0',
      DATABASE_URL: databaseUrl,
      ADMIN_TOKEN: secret('admin-token'),
      INTERNAL_KEY: secret('internal-key'),
      SIGNING_KEY: secret('signing-key.json'),
    },
  });
  let said = '';
  for await (const part of child.stdout!.setEncoding('utf8')) {
    said += part;
    const url = / is up at (http:\S+)/.exec(said)?.[1];
    if (url) {
      child.stdout!.resume();
      return { url, child, readyMs: performance.now() - began };
    }
  }
  throw new Error(`the gateway did not start: ${said}`);
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'production' };
}

export async function stop({ child }: Started): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
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
