// CPU time on Linux, of processes that come and go: a process, and a server with all that it ever forked.
import { readdirSync, readFileSync } from 'node:fs';

interface Stat {
  readonly parent: number;
  /** Microseconds: its own, and with that of children that it waited for. */
  readonly own: number;
  readonly ended: number;
}

function statOf(pid: number): Stat | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    const ticks = (from: number) => (Number(fields[from]) + Number(fields[from + 1])) * 10_000;
    return { parent: Number(fields[1]), own: ticks(11), ended: ticks(13) };
  } catch {
    return undefined;
  }
}

/** The CPU time so far of a process, its children and all that ended before, in microseconds. */
export function cpuOfTree(root: number): number {
  const stats = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        const stat = statOf(Number(name));
        return stat ? [[Number(name), stat] as const] : [];
      }),
  );
  const sum = (pid: number): number => {
    const stat = stats.get(pid);
    if (!stat) return 0;
    const children = [...stats].filter(([, { parent }]) => parent === pid);
    return stat.own + stat.ended + children.reduce((total, [child]) => total + sum(child), 0);
  };
  return sum(root);
}
