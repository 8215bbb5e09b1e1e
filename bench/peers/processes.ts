// The processes of a variant: each leads a group of its own, so that whatever it starts is counted and ended with
// it. CPU is read from /proc (Linux). Everything is ended when this process ends, however that comes.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type Env, type Launched, launch } from '../../stage/launch.ts';

const started = new Set<Launched>();
process.on('exit', endAll);

/** Ends every process that was started here, at once. */
export function endAll(): void {
  for (const one of started) void one.kill();
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
  /** What Node runs. */
  readonly entry: string;
  readonly args?: readonly string[];
  /** Words for Node itself. */
  readonly flags?: readonly string[];
  readonly env?: Env;
  readonly folder?: string;
}

/** The answer leads its process group. */
export function start({ flags = [], env, ...command }: Command): Launched {
  const one = launch({
    ...command,
    node: [...(cores ? ['taskset', '-c', cores] : []), process.execPath, ...flags],
    env: { NODE_ENV: 'production', ...env },
    leads: true,
    output: 'errors',
  });
  started.add(one);
  return one;
}

export async function stop(some: readonly Launched[]): Promise<void> {
  await Promise.all(some.map((one) => one.kill()));
  for (const one of some) started.delete(one);
}

export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

/** CPU time of these groups so far, in microseconds (steps of 10 ms). */
export function cpuOf(groups: readonly Launched[]): CpuTime {
  const wanted = new Set(groups.map(({ pid }) => pid));
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
