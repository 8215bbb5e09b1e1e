// The identity of a process: machine, pid and start time. A pid alone is used again, and by other containers.
// Guarantees: `isAlive` is true only for the very process that was identified, so that nobody ends or
// buries a stranger. It knows nothing of hosts.
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessIdentity {
  /** This boot of this machine, and the pid namespace in it. */
  readonly machine: string;
  readonly pid: number;
  /** When it started, in the machine's own words; compared, never read. */
  readonly started: string;
}

function readMachine(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** The same for every process that can see and signal the others by pid. */
export const machine = readMachine();

/** The identity of a running process of this machine; undefined when there is none by that pid. */
export function identify(pid: number): ProcessIdentity | undefined {
  const started = process.platform === 'linux' ? startedByProc(pid) : startedByPs(pid);
  return started === undefined ? undefined : { machine, pid, started };
}

/** True while that very process runs. A process of another machine cannot be seen from here: undefined. */
export function isAlive(identity: ProcessIdentity): boolean | undefined {
  if (identity.machine !== machine) return undefined;
  return identify(identity.pid)?.started === identity.started;
}

/** Sends the signal if that very process still runs here; answers whether it did. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, name);
  } catch {
    return false;
  }
}

// proc(5): the command in parentheses may hold anything, so fields are counted after the last ')'.
// Field 3 is the state (Z: a dead one that nobody buried yet), field 22 the start in ticks since boot.
function startedByProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function startedByPs(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}
