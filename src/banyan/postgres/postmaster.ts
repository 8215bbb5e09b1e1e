// One PostgreSQL server as a process, told by its folder alone: is it running, start it, stop it.
// postmaster.pid is PostgreSQL's own lock and is never removed here: it is what keeps a second server off the
// folder, also while the orphans of a killed one are still at it.
import { spawn } from 'node:child_process';
import { closeSync, fchownSync, fstatSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { identify } from '../context/process.ts';
import { complaintIn, readFrom } from './complaint.ts';
import { isPostmaster, linesOf } from './pid-file.ts';
import { killTree, send } from './process-tree.ts';
import { forgetSockets, socketFolder } from './server-sockets.ts';

/** A user of the machine, as `spawn` takes it; both undefined: ourselves. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

export interface ServerPlace extends Account {
  /** The folder with bin/, lib/ and share/. */
  readonly native: string;
  /** The folder that the cluster lies in; its user may enter it. */
  readonly base: string;
  /** PGDATA. */
  readonly cluster: string;
  /** True when this is not under DATA_DIR. */
  readonly elsewhere: boolean;
}

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** The folder of its Unix socket; undefined where it has none. */
  readonly socket: string | undefined;
  readonly state: 'starting' | 'ready' | 'stopping';
}

const settings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  // Two processes of each of a dozen modules beside the monolith; one that is not open costs next to nothing.
  max_connections: '400',
  wal_level: 'logical',
  // Six modules may have a pair on another server, each followed both ways: an apply worker for each, and while a pair is
  // made a few more that copy its tables: most are small, and each takes about a second whatever its size.
  max_logical_replication_workers: '16',
  max_sync_workers_per_subscription: '4',
  max_worker_processes: '32',
  max_replication_slots: '32',
  max_wal_senders: '32',
  max_active_replication_origins: '32',
  // A passive server that is gone keeps no more of the disk than this; then the pair is broken, and says so.
  max_slot_wal_keep_size: '4GB',
  // A product on a laptop: small against the machine, large against its data.
  shared_buffers: '128MB',
  max_wal_size: '1GB',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** The server that runs on the folder, by its own pid file; a pid that is another program's by now does not count. */
export function findPostmaster(cluster: string): Postmaster | undefined {
  const lines = readPidFile(cluster);
  if (!lines) return undefined;
  const pid = Number(lines[0]);
  if (!isPostmaster(pid, cluster)) return undefined;
  // Lines 4, 5 and 8: the port, the socket's folder, and the server's own word on its state.
  const state = lines[7]?.trim() ?? '';
  return {
    pid,
    port: Number(lines[3]),
    socket: lines[4]?.trim() || undefined,
    state: state === 'ready' || state === 'stopping' ? state : 'starting',
  };
}

/** That of the server that was last started on the folder, by PostgreSQL's own note of how. */
export function portBefore(cluster: string): number | undefined {
  const port = Number(/\bport=(\d+)/.exec(linesOf(join(cluster, 'postmaster.opts'))?.[0] ?? '')?.[1]);
  return port > 0 ? port : undefined;
}

/**
 * Starts a server; answers it once it takes connections, or what it said when it ended instead.
 * @param onSpawned is told its pid, before the server has written it anywhere.
 */
export async function startPostmaster(
  place: ServerPlace,
  port: number,
  log: string,
  onSpawned: (pid: number) => void = () => {},
): Promise<Postmaster | string> {
  disarm(place.cluster);
  forgetSockets(place.cluster);
  const output = openSync(log, 'a+', 0o600);
  if (place.uid !== undefined) fchownSync(output, place.uid, place.gid!);
  const from = fstatSync(output).size;
  const all = { ...settings, port: String(port), unix_socket_directories: socketFolder(place.cluster) };
  const args = Object.entries(all).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  // Detached: a process group of its own, which the terminal's Ctrl-C does not reach.
  const child = spawn(join(place.native, 'bin', 'postgres'), ['-D', place.cluster, ...args], {
    ...processOf(place),
    detached: true,
    stdio: ['ignore', output, output],
  });
  try {
    let ended: string | undefined;
    child.on('exit', (code, signal) => {
      ended = `it ended with ${signal ?? code}`;
    });
    child.on('error', (error) => {
      ended = error.message;
    });
    child.unref();
    if (child.pid !== undefined) onSpawned(child.pid);
    while (ended === undefined) {
      const found = findPostmaster(place.cluster);
      if (found?.pid === child.pid && found?.state === 'ready') return found;
      await pause(10);
    }
    return complaintIn(readFrom(output, from)) ?? ended;
  } finally {
    closeSync(output);
  }
}

/**
 * Fast shutdown: open transactions are rolled back, what is committed is written. If its checkpoint takes too long, an
 * immediate one, which the next start recovers from, and then SIGKILL, also for the backends: one that hangs would not
 * notice that its server is gone. Resolves when the server is gone.
 */
export async function stopPostmaster(cluster: string, pid: number, withinMs: number): Promise<void> {
  for (const [signal, share] of [
    ['SIGINT', 0.6],
    ['SIGQUIT', 0.25],
    ['SIGKILL', 0.15],
  ] as const) {
    if (!isPostmaster(pid, cluster)) return;
    if (signal === 'SIGKILL') killTree(pid);
    else send(pid, signal);
    const end = performance.now() + withinMs * share;
    while (performance.now() < end) {
      await pause(10);
      if (identify(pid) === undefined) return;
    }
  }
}

/** How the server's programs are run: as its user, from its folder, with no variable of ours. */
export function processOf({ uid, gid, base }: ServerPlace): {
  uid?: number;
  gid?: number;
  cwd: string;
  env: NodeJS.ProcessEnv;
} {
  return { ...(uid === undefined ? {} : { uid, gid }), cwd: base, env: { LC_ALL: 'C', TZ: 'UTC' } };
}

function readPidFile(cluster: string): string[] | undefined {
  return linesOf(join(cluster, 'postmaster.pid'));
}

/**
 * A pid file of a killed server may name a pid that another program has by now, and PostgreSQL would take that
 * for a server. Its own parent it takes for none, so it gets to the real question: whether anybody is still
 * attached to the memory that the file names.
 */
function disarm(cluster: string): void {
  const lines = readPidFile(cluster);
  if (!lines || isPostmaster(Number(lines[0]), cluster)) return;
  writeFileSync(join(cluster, 'postmaster.pid'), [String(process.pid), ...lines.slice(1)].join('\n'));
}
