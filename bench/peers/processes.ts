// The processes of a variant: each leads a group of its own, so that whatever it starts is counted and ended with
// it. CPU is read from /proc (Linux). Everything is ended when this process ends, however that comes.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const groups = new Set<number>();
process.on('exit', endAll);

/** Ends every process that was started here, at once. */
export function endAll(): void {
  for (const group of groups) kill(group, 'SIGKILL');
}

/** The cores that the peers are kept to; undefined: the system places everything. */
let cores: string | undefined;

/** Generator and Postgres get the last core, the peers the rest. Answers, in words, what is so now. */
export function pin(): string {
  const count = availableParallelism();
  if (count < 2) throw new Error('--pin needs two cores or more.');
  execFileSync('taskset', ['-pc', String(count - 1), String(process.pid)], { stdio: 'ignore' });
  cores = count === 2 ? '0' : `0-${count - 2}`;
  return `peers on core ${cores}, generator and Postgres on core ${count - 1}`;
}

export interface Command {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Starts node with these arguments; the answer is its process group. */
export function start({ args, env, cwd }: Command): ChildProcess {
  const words = cores ? ['taskset', '-c', cores] : [];
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

export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

/** CPU time of these groups so far, in microseconds (steps of 10 ms). */
export function cpuOf(children: readonly ChildProcess[]): CpuTime {
  const wanted = new Set(children.map(({ pid }) => pid!));
  let user = 0;
  let system = 0;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const fields = statOf(entry);
    if (!fields || !wanted.has(Number(fields[2]))) continue;
    user += Number(fields[11]);
    system += Number(fields[12]);
  }
  return { user: user * 10_000, system: system * 10_000 };
}

function statOf(pid: string): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  } catch {
    return undefined;
  }
}
