// CPU time and memory of processes, from Linux' /proc; elsewhere memory is unknown and CPU time as well.
// PostgreSQL is a tree: CPU of backends that ended is in their parent's account of its dead children.
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ; 100 on every Linux of this century. */
const TICKS_PER_SECOND = 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly own: number;
  readonly deadChildren: number;
}

/** proc(5): the command in parentheses may hold anything, so fields are counted after the last ')'. */
function statOf(pid: number | string): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = (index: number) => Number(fields[index]) / TICKS_PER_SECOND;
    return {
      pid: Number(pid),
      parent: Number(fields[1]),
      own: ticks(11) + ticks(12),
      deadChildren: ticks(13) + ticks(14),
    };
  } catch {
    return undefined;
  }
}

/** CPU seconds of one process so far, all its threads, without its children. 0 where it is gone. */
export function cpuSeconds(pid: number): number {
  return statOf(pid)?.own ?? 0;
}

/** The same of a process with its children, those that ended included. */
export function treeCpuSeconds(pid: number): number {
  const root = statOf(pid);
  if (!root) return 0;
  return childrenOf(pid).reduce((sum, child) => sum + child.own, root.own + root.deadChildren);
}

export function treePids(pid: number): number[] {
  return [pid, ...childrenOf(pid).map((child) => child.pid)];
}

function childrenOf(pid: number): Stat[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter((one) => one !== '')
      .flatMap((child) => statOf(child) ?? []);
  } catch {
    // A kernel without CONFIG_PROC_CHILDREN.
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => statOf(name) ?? [])
      .filter(({ parent }) => parent === pid);
  }
}

/** Proportional set size in bytes: shared pages count once over all who share them. Undefined where unknown. */
export function memoryBytes(pids: readonly number[]): number | undefined {
  let sum = 0;
  for (const pid of pids) {
    try {
      const line = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
      sum += Number(line?.[1] ?? 0) * 1024;
    } catch {
      // Gone meanwhile, or not ours to see.
    }
  }
  return sum === 0 ? undefined : sum;
}

/** CPU seconds that this whole machine was busy so far, on all cores; undefined where it does not say. */
export function machineBusySeconds(): number | undefined {
  try {
    const [, user, nice, system, , , irq, soft] = readFileSync('/proc/stat', 'utf8')
      .split('\n')[0]!
      .split(/\s+/);
    return [user, nice, system, irq, soft].reduce((sum, one) => sum + Number(one), 0) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}
