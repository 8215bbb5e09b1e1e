// What PostgreSQL's own lock files say: whose pid they name, and whether that is a server on our folder. A pid that is
// another program's by now does not count. They are read here and never written.
import { readFileSync } from 'node:fs';
import { identify } from '../context/process.ts';
import { commandOf } from './process-tree.ts';

/** The lines of a file; undefined where there is none. */
export function linesOf(path: string): string[] | undefined {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether the process is a server on that folder, as far as the machine tells. */
export function isPostmaster(pid: number, cluster: string): boolean {
  if (!(pid > 1) || identify(pid) === undefined) return false;
  const command = commandOf(pid);
  return command === undefined || (command.includes('postgres') && command.includes(cluster));
}
