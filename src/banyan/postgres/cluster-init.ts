// Makes the embedded server's data folder, once. A folder that is there is whole: it is made beside its place and
// then renamed, so a host that is killed meanwhile, or two at once, leave nothing half done.
import { spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { complaintIn } from './complaint.ts';
import type { ServerPlace } from './postmaster.ts';
import { processOf } from './postmaster.ts';

/**
 * @param password of the superuser `postgres`.
 * @param onSpawned is told the pid of the process that works.
 */
export async function initialise(
  place: ServerPlace,
  password: string,
  onSpawned: (pid: number) => void,
): Promise<void> {
  forgetHalfMade(place.base);
  const draft = `${place.cluster}.${process.pid}`;
  const passwordFile = `${draft}.password`;
  try {
    mkdirSync(draft, { mode: 0o700 });
    writeFileSync(passwordFile, password, { mode: 0o600 });
    for (const path of [draft, passwordFile])
      if (place.uid !== undefined) chownSync(path, place.uid, place.gid!);
    await runInitdb(place, draft, passwordFile, onSpawned);
    renameSync(draft, place.cluster);
  } catch (error) {
    if (existsSync(join(place.cluster, 'PG_VERSION'))) return;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(
      code === 'ENOSPC'
        ? `The disk is full: the embedded PostgreSQL needs about 100 MB in ${place.base}.`
        : `The embedded PostgreSQL could not be set up in ${place.base}: ${message}. If that cannot be changed, set DATABASE_URL to another server.`,
      { cause: error },
    );
  } finally {
    rmSync(draft, { recursive: true, force: true });
    rmSync(passwordFile, { force: true });
  }
}

async function runInitdb(
  place: ServerPlace,
  folder: string,
  passwordFile: string,
  onSpawned: (pid: number) => void,
): Promise<void> {
  const args = ['-D', folder, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  // The same order and the same upper case on every machine, whatever it has installed.
  const text = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const child = spawn(join(place.native, 'bin', 'initdb'), [...args, ...text, '--no-instructions'], {
    ...processOf(place),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (child.pid !== undefined) onSpawned(child.pid);
  let output = '';
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const code = await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  if (code === 0) return;
  if (/could not look up effective user/.test(output)) {
    throw new Error('PostgreSQL only runs as a user with a name: this one has no entry in /etc/passwd');
  }
  const full = /No space left|Check free disk space/i.test(output);
  throw Object.assign(
    new Error(complaintIn(output) ?? `initdb ended with ${code}`),
    full ? { code: 'ENOSPC' } : {},
  );
}

/** Drafts of hosts that are gone: `data.<pid>` and its password. */
function forgetHalfMade(base: string): void {
  for (const name of readdirSync(base)) {
    const pid = Number(/^data\.(\d+)/.exec(name)?.[1]);
    if (!pid || isAlive(pid)) continue;
    rmSync(join(base, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
