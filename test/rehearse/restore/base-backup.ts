// A backup of a PostgreSQL server while it works: its files, copied one after the other between pg_backup_start and
// pg_backup_stop. Such a copy is of no one moment; the WAL from its start to its end makes it whole, and the label that
// pg_backup_stop answers says from where on that is read. It guarantees no more than PostgreSQL does.
import { constants } from 'node:fs';
import { chmod, chown, copyFile, lstat, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { createClient } from '../../../src/banyan/postgres/connections.ts';

export interface Backup {
  readonly folder: string;
  /** The texts of the files backup_label and tablespace_map; the second may be empty. */
  readonly label: string;
  readonly tablespaces: string;
  readonly files: number;
  readonly bytes: number;
}

/** Their folders have to be there, and nothing in them. */
const EMPTY = [
  ...['pg_wal', 'pg_replslot', 'pg_dynshmem', 'pg_notify', 'pg_serial', 'pg_snapshots', 'pg_stat_tmp'],
  'pg_subtrans',
];
const LEFT_OUT = /^(postmaster\.(pid|opts)|pg_internal\.init.*|pgsql_tmp.*)$/;

/** @param into a folder that is not there yet. */
export async function baseBackup(
  { url, cluster }: { readonly url: string; readonly cluster: string },
  into: string,
): Promise<Backup> {
  // One session from the beginning to the end: where it breaks there is no backup.
  const client = createClient({ connectionString: url, application_name: 'backup' });
  await client.connect();
  try {
    await client.query(`SELECT pg_backup_start('banyan', true)`);
    const copied = await copyTree(cluster, into);
    const { rows } = await client.query<{ labelfile: string; spcmapfile: string }>(
      'SELECT labelfile, spcmapfile FROM pg_backup_stop(true)',
    );
    return { folder: into, label: rows[0]!.labelfile, tablespaces: rows[0]!.spcmapfile, ...copied };
  } finally {
    await client.end();
  }
}

/** With owners and modes. A file that is gone when its turn comes is gone by a change that the WAL has. */
export async function copyTree(from: string, to: string): Promise<{ files: number; bytes: number }> {
  let [files, bytes] = [0, 0];
  const copy = async (path: string) => {
    const target = join(to, relative(from, path));
    const is = await lstat(path);
    if (is.isDirectory()) {
      await mkdir(target, { recursive: true });
      const names = EMPTY.includes(relative(from, path)) ? [] : await readdir(path);
      for (const name of names) await copy(join(path, name)).catch(ignoreGone);
    } else if (is.isSymbolicLink()) {
      await symlink(await readlink(path), target);
      return;
    } else {
      // A socket is of the process that listens there.
      if (!is.isFile() || LEFT_OUT.test(basename(path))) return;
      await copyFile(path, target, constants.COPYFILE_FICLONE);
      files += 1;
      bytes += is.size;
    }
    await chown(target, is.uid, is.gid);
    await chmod(target, is.mode & 0o777);
  };
  await copy(from);
  return { files, bytes };
}

function ignoreGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
