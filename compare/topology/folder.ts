// The folder that a comparison lives in: databases, logs, secrets of its own instances. Guarantees: when it is
// removed no process that works in it is left; what a killed comparison left is found and removed by the next one.
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { identify, isAlive, type ProcessIdentity } from '../../src/banyan/context/process.ts';
import { Refusal } from '../errors/refusal.ts';

const PREFIX = 'banyan-compare-';

export interface Folder {
  readonly path: string;
  /** Ends every process that works in it, then removes it. */
  remove(): Promise<void>;
}

export async function openFolder(parent = tmpdir()): Promise<Folder> {
  await sweep(parent);
  const path = make(parent);
  return {
    path,
    async remove() {
      await endAll(path);
      rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

function make(parent: string): string {
  try {
    const path = mkdtempSync(join(parent, PREFIX));
    // Walkable, so that the server's user (nobody, when we are root) needs no folder elsewhere.
    chmodSync(path, 0o711);
    writeFileSync(join(path, 'owner.json'), JSON.stringify(identify(process.pid)));
    return path;
  } catch (error) {
    throw new Refusal(
      'no-folder',
      'There is no place for the instances',
      `${parent} takes no folder: ${(error as Error).message}.`,
      'Set TMPDIR to a folder that has 1 GB free',
    );
  }
}

/** Folders whose owner is gone: a comparison that got SIGKILL. */
async function sweep(parent: string): Promise<void> {
  for (const name of readdirSync(parent).filter((one) => one.startsWith(PREFIX))) {
    const path = join(parent, name);
    try {
      if (process.getuid && statSync(path).uid !== process.getuid()) continue;
      const owner = JSON.parse(readFileSync(join(path, 'owner.json'), 'utf8')) as ProcessIdentity;
      if (isAlive(owner) !== false) continue;
      await endAll(path);
      rmSync(path, { recursive: true, force: true });
    } catch {
      // Another's, or just being made or removed.
    }
  }
}

/** SIGKILL to whoever names the folder in its environment or its command line, until nobody is left. */
async function endAll(folder: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const left = processesIn(folder);
    if (left.length === 0) return;
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone meanwhile.
      }
    }
    await pause(100);
  }
}

/** Linux only; elsewhere what was started is ended by those who started it. */
export function processesIn(folder: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return false;
        const works = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(`${folder}/`);
        return (
          works('environ') ||
          works('cmdline') ||
          `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${folder}/`)
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}
