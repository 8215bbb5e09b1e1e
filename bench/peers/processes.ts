// The processes of a variant: each leads a group of its own, so that whatever it starts is counted and ended with
// it. CPU is read from /proc (Linux). Everything is ended when this process ends, however that comes.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';

const groups = new Set<number>();
process.on('exit', () => {
  for (const group of groups) kill(group, 'SIGKILL');
});

/** The generator and Postgres get the last core, the peers the rest, where the system can do that. */
export const pinning = pin();

function pin(): { readonly words: string; readonly servers: string | undefined } {
  const cores = availableParallelism();
  try {
    if (cores < 2) throw new Error('one core');
    execFileSync('taskset', ['-pc', String(cores - 1), String(process.pid)], { stdio: 'ignore' });
  } catch {
    return { words: 'nothing is pinned: generator, Postgres and peers share all cores', servers: undefined };
  }
  const servers = cores === 2 ? '0' : `0-${cores - 2}`;
  return { words: `peers on core ${servers}, generator and Postgres on core ${cores - 1}`, servers };
}

export interface Command {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Starts node with these arguments; the answer is its process group. */
export function start({ args, env, cwd }: Command): ChildProcess {
  const words = pinning.servers ? ['taskset', '-c', pinning.servers] : [];
  const [file, ...rest] = [...words, process.execPath, ...args] as [string, ...string[]];
  const child = spawn(file, rest, {
    cwd,
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'production', ...env },
  });
  groups.add(child.pid!);
  return child;
}

export async function stop(children: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    children.map(
      (child) =>
        new Promise<void>((resolve) => {
          if (child.exitCode !== null || child.signalCode !== null) resolve();
          else child.once('exit', () => resolve());
          kill(child.pid!, 'SIGKILL');
          groups.delete(child.pid!);
        }),
    ),
  );
}

function kill(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // It has ended already.
  }
}

/** CPU time of these groups so far, in microseconds (steps of 10 ms). */
export function cpuOf(children: readonly ChildProcess[]): number {
  const wanted = new Set(children.map(({ pid }) => pid!));
  let ticks = 0;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const fields = statOf(entry);
    if (fields && wanted.has(Number(fields[2]))) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * 10_000;
}

function statOf(pid: string): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  } catch {
    return undefined;
  }
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
