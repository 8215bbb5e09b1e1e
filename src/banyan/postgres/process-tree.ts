// Processes of this machine by their pid: what they run, whom they started, and how they are ended. It knows nothing of
// what they are for.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** SIGKILL for a process and all that it has started, also where they stand still. */
export function killTree(pid: number): void {
  const below = childrenOf(pid);
  send(pid, 'SIGKILL');
  for (const one of below) killTree(one);
}

/** One that is gone already is told nothing. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function childrenOf(pid: number): number[] {
  try {
    const found =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
        : execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' });
    return found.split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** The command line of a process; undefined where the machine does not tell. */
export function commandOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return undefined;
  }
}
