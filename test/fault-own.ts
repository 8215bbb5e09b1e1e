// A Banyan that has everything of its own, as `npm start` gives it: the embedded server, a fresh folder, a
// process group like a terminal's. And what is left of it when it is gone.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Env, launch } from '../stage/launch.ts';
import { clientOf, type Shop } from './shop.ts';
import type { StartedShop } from './start-shop.ts';

export interface Own {
  readonly dataDir: string;
  /** Starts the monolith, as the leader of its own process group, and does not wait for it. */
  spawn(): ChildProcess;
  /** Starts it and waits until it says where it is. */
  start(): Promise<{ child: ChildProcess; shop: Shop }>;
  output(): string;
  /** Every process that works for this folder: services, the server. Their command lines, by pid. */
  processes(): Map<number, string>;
  /** Files that only a running Banyan has. */
  leftovers(): string[];
  /** Kills whatever is left, and removes the folder. */
  remove(): void;
}

/** @param given added to its environment. */
export function ownBanyan(given: Env = {}): Own {
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-own-'));
  // Started by root, the server runs as somebody who must be able to enter.
  chmodSync(dataDir, 0o711);
  let output = '';
  const begin = () =>
    launch({
      env: { PORT: '0', DATA_DIR: dataDir, ...given },
      leads: true,
      onOutput: (text) => {
        output += text;
      },
    });
  return {
    dataDir,
    spawn: () => begin().child,
    async start() {
      const { child, url } = await begin().up();
      const adminToken = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();
      return { child, shop: clientOf({ url, adminToken, dataDir } as StartedShop) };
    },
    output: () => output,
    processes: () => processesOf(dataDir),
    leftovers: () =>
      readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).filter((name) =>
        /\.(pid|lock)$|(^|\/)instance\.json/.test(name),
      ),
    remove() {
      for (const pid of processesOf(dataDir).keys()) process.kill(pid, 'SIGKILL');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** By the folder in the environment or in the arguments; a PostgreSQL backend has neither, and a parent that has. */
function processesOf(dataDir: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!pid || pid === process.pid || !existsSync(`/proc/${pid}/environ`)) continue;
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      if (words && (environment.includes(`DATA_DIR=${dataDir}`) || words.includes(dataDir)))
        found.set(pid, words);
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

/** The exit code, or the signal. */
export async function ended(child: ChildProcess): Promise<number | string | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode ?? child.signalCode;
}
