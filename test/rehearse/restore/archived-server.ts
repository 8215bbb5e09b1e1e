// A PostgreSQL server whose every change is kept in a folder beside it, and the same server made again from a backup and
// that folder, up to a point. Only what every PostgreSQL has is used: archive_command, pg_backup_start and pg_backup_stop, a
// copy of files, recovery.signal; no pg_basebackup, which the embedded server does not bring. It must not know what is in it.
import { appendFileSync, chownSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { pino } from 'pino';
import { identify } from '../../../src/banyan/context/process.ts';
import { placeCluster } from '../../../src/banyan/postgres/cluster-place.ts';
import { openEmbedded } from '../../../src/banyan/postgres/embedded.ts';
import { logFileIn, passwordIn } from '../../../src/banyan/postgres/embedded-files.ts';
import { DATABASE, urlOf } from '../../../src/banyan/postgres/embedded-find.ts';
import { freePort } from '../../../src/banyan/postgres/free-port.ts';
import {
  type ServerPlace,
  startPostmaster,
  stopPostmaster,
} from '../../../src/banyan/postgres/postmaster.ts';
import { killTree } from '../../../src/banyan/postgres/process-tree.ts';
import { ask, folder } from '../store/servers.ts';
import { type Backup, copyTree } from './base-backup.ts';

export class ArchivedServer {
  readonly url: string;
  /** Its WAL, a file of 16 MB after the other. */
  readonly archive: string;
  /** PGDATA. */
  readonly cluster: string;
  readonly #dataDir: string;
  readonly #pid: number;

  private constructor(dataDir: string, { cluster }: ServerPlace, running: Running) {
    this.#dataDir = dataDir;
    this.cluster = cluster;
    this.archive = join(dataDir, 'archive');
    this.#pid = running.pid;
    this.url = urlOf(running, passwordIn(dataDir), DATABASE);
  }

  /** An empty one. */
  static async make(): Promise<ArchivedServer> {
    const dataDir = folder();
    const first = await openEmbedded({ dataDir, log: pino({ level: 'silent' }) });
    const place = placeOf(dataDir);
    const archive = join(dataDir, 'archive');
    mkdirSync(archive, { mode: 0o700 });
    own(archive, place);
    await ask(first.url, `ALTER SYSTEM SET archive_mode = 'on'`);
    // As PostgreSQL's manual has it; what is there already is never written over.
    await ask(
      first.url,
      `ALTER SYSTEM SET archive_command = 'test ! -f "${archive}/%f" && cp "%p" "${archive}/%f"'`,
    );
    await first.stop();
    return new ArchivedServer(dataDir, place, await started(dataDir, place));
  }

  /** Made again in a new folder, as it was at the point; resolves once it takes writes. */
  static async again(backup: Backup, before: ArchivedServer, point: string): Promise<ArchivedServer> {
    const dataDir = folder();
    copyFileSync(join(before.#dataDir, 'postgres-password'), join(dataDir, 'postgres-password'));
    const place = placeOf(dataDir);
    await copyTree(backup.folder, place.cluster);
    writeOwned(join(place.cluster, 'backup_label'), backup.label, place);
    if (backup.tablespaces !== '')
      writeOwned(join(place.cluster, 'tablespace_map'), backup.tablespaces, place);
    writeOwned(join(place.cluster, 'recovery.signal'), '', place);
    // What comes last holds.
    appendFileSync(
      join(place.cluster, 'postgresql.auto.conf'),
      [
        `restore_command = 'cp "${before.archive}/%f" "%p"'`,
        `recovery_target_name = '${point}'`,
        `recovery_target_action = 'promote'`,
        `archive_mode = 'off'`,
        '',
      ].join('\n'),
    );
    const again = new ArchivedServer(dataDir, place, await started(dataDir, place));
    // It answers as a standby before: what is read then is of an earlier moment.
    const recovers = async () =>
      (await again.query<{ recovers: boolean }>('SELECT pg_is_in_recovery() AS recovers'))[0]!.recovers;
    while (await recovers()) await pause(20);
    return again;
  }

  query<R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<R[]> {
    return ask<R>(this.url, text, values);
  }

  /** Resolves when all that was written so far is in the archive. */
  async archived(): Promise<void> {
    const [row] = await this.query<{ file: string }>('SELECT pg_walfile_name(pg_switch_wal()) AS file');
    const there = async () =>
      (
        await this.query<{ there: boolean }>(
          'SELECT coalesce(last_archived_wal >= $1, false) AS there FROM pg_stat_archiver',
          [row!.file],
        )
      )[0]!.there;
    while (!(await there())) await pause(50);
  }

  /** As if the machine had lost its power. */
  async kill(): Promise<void> {
    killTree(this.#pid);
    while (identify(this.#pid) !== undefined) await pause(10);
  }

  /** Ends it where it runs, and removes all of it. */
  async remove(): Promise<void> {
    await stopPostmaster(this.cluster, this.#pid, 10_000);
    rmSync(this.#dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

type Running = Exclude<Awaited<ReturnType<typeof startPostmaster>>, string>;

/** Nobody looks after it: what was killed stays dead. */
async function started(dataDir: string, place: ServerPlace): Promise<Running> {
  const running = await startPostmaster(place, await freePort(), logFileIn(dataDir));
  if (typeof running === 'string') throw new Error(`PostgreSQL did not start in ${dataDir}: ${running}`);
  return running;
}

function placeOf(dataDir: string): ServerPlace {
  return placeCluster(dataDir, passwordIn(dataDir));
}

function writeOwned(path: string, text: string, place: ServerPlace): void {
  writeFileSync(path, text, { mode: 0o600 });
  own(path, place);
}

/** Started by root the server runs as nobody. */
function own(path: string, { uid, gid }: ServerPlace): void {
  if (uid !== undefined) chownSync(path, uid, gid!);
}
