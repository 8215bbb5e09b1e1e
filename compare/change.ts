// What a change costs to bring about: from kill to ready, a flip, and the size of what is deployed.
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Change } from './format/report.ts';
import { type Instance, root } from './topology/instance.ts';

const PATIENCE_MS = 30_000;

/** SIGKILL to each process, one after the other; ready is when it is healthy again. */
export async function killToReady(instance: Instance, signal: AbortSignal): Promise<Change['killToReadyMs']> {
  const found: Change['killToReadyMs'] = [];
  for (const { name, pid, modules } of [...instance.hosts].reverse()) {
    signal.throwIfAborted();
    const began = performance.now();
    process.kill(pid, 'SIGKILL');
    if (name === 'monolith') await restartMonolith(instance);
    else if (!(await healthyAgain(instance, modules[0]!, name, pid, began))) continue;
    found.push({ process: name, ms: performance.now() - began });
  }
  await instance.look();
  return found;
}

async function restartMonolith(instance: Instance): Promise<void> {
  while (instance.monolithRuns) await pause(2);
  await instance.startMonolith();
}

async function healthyAgain(
  instance: Instance,
  module: string,
  name: string,
  pid: number,
  began: number,
): Promise<boolean> {
  while (performance.now() - began < PATIENCE_MS) {
    const { modules } = await instance.look();
    const one = modules.find((entry) => entry.module === module)?.instances.find(({ id }) => id === name);
    if (one?.healthy && one.pid !== pid) return true;
    await pause(10);
  }
  return false;
}

/** The code and its production dependencies. Services are the same tree with another entry, so the same size each. */
export function deploySizes({ topology }: Instance): Change['deploy'] {
  const code = ['src', 'prisma', 'extracted', 'package.json'].reduce(
    (sum, one) => sum + sizeOf(join(root, one)),
    0,
  );
  const bytes = code + productionDependencies();
  return [
    { name: 'monolith', bytes },
    ...[...topology.services.keys()].map((module) => ({ name: module, bytes })),
  ];
}

/** By the lock file: what `npm ci --omit=dev` installs here. */
function productionDependencies(): number {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean }>;
  };
  const wanted = Object.entries(packages).filter(
    ([path, one]) => path !== '' && !one.dev && !one.devOptional,
  );
  // A package inside another's folder is counted with it.
  const outer = wanted.filter(([path]) => path.lastIndexOf('node_modules/') === 0);
  return outer.reduce((sum, [path]) => sum + sizeOf(join(root, path)), 0);
}

function sizeOf(path: string): number {
  try {
    const stat = lstatSync(path);
    if (!stat.isDirectory()) return stat.size;
    return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
  } catch {
    return 0;
  }
}
