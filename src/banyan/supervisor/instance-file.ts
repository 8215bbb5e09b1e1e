// How the command line finds the monolith that runs over a DATA_DIR: instance.json, there while it runs.
// After a SIGKILL the file is left; its process identity tells that nobody is behind it.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify, isAlive, type ProcessIdentity } from '../context/process.ts';

export interface RunningInstance {
  /** The public base URL, for example `http://127.0.0.1:3000`. */
  readonly url: string;
  /** Where /admin is, if it has a port of its own. */
  readonly adminUrl?: string;
  readonly pid: number;
  readonly process: ProcessIdentity;
}

const pathOf = (dataDir: string) => join(dataDir, 'instance.json');

export function writeInstanceFile(dataDir: string, url: string, adminUrl?: string): void {
  const { pid } = process;
  const content: RunningInstance = {
    url,
    ...(adminUrl === undefined ? {} : { adminUrl }),
    pid,
    process: identify(pid)!,
  };
  // Written whole or not at all: the command line may read at any moment.
  const draft = `${pathOf(dataDir)}.${pid}`;
  writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, pathOf(dataDir));
}

/** Removes it if it is this process's own. */
export function removeInstanceFile(dataDir: string): void {
  if (readInstanceFile(dataDir)?.pid === process.pid) rmSync(pathOf(dataDir), { force: true });
}

/** Undefined when there is none, or none that can be read. */
export function readInstanceFile(dataDir: string): RunningInstance | undefined {
  if (!existsSync(pathOf(dataDir))) return undefined;
  try {
    return JSON.parse(readFileSync(pathOf(dataDir), 'utf8')) as RunningInstance;
  } catch {
    return undefined;
  }
}

/** False when its process is known to be gone; a process of another machine or container may well run. */
export function mayRun({ process }: RunningInstance): boolean {
  return isAlive(process) !== false;
}
