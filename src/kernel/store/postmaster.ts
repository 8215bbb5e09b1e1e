// One PostgreSQL server as a process, told by its folder alone: is it running, start it, stop it.
// postmaster.pid is PostgreSQL's own lock and is never removed here: it is what keeps a second server off the
// folder, also while the orphans of a killed one are still at it.
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fchownSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { identify } from '../placement/process.ts';

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
  max_connections: '200',
  wal_level: 'logical',
  // A shop on a laptop: small against the machine, large against its data.
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

/** SIGKILL for a process and all that it has started, also where they stand still. */
export function killTree(pid: number): void {
  const below = childrenOf(pid);
  send(pid, 'SIGKILL');
  for (const one of below) killTree(one);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function childrenOf(pid: number): number[] {
  try {
    const found =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
        : execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' });
    return found.split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return [];
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

/** The line that says why, of what a program of PostgreSQL printed. */
export function complaintIn(output: string): string | undefined {
  const lines = output
    .split('\n')
    .filter((line) => /FATAL|PANIC|ERROR|error:|could not|No space/i.test(line));
  // What ends a program is said first as FATAL; what follows from it, below.
  const line = lines.find((one) => /FATAL|PANIC/.test(one)) ?? lines.at(-1);
  return line?.replace(/^.*?(FATAL|PANIC|ERROR|error): +/, '').trim();
}

function readPidFile(cluster: string): string[] | undefined {
  return linesOf(join(cluster, 'postmaster.pid'));
}

function linesOf(path: string): string[] | undefined {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isPostmaster(pid: number, cluster: string): boolean {
  if (!(pid > 1) || identify(pid) === undefined) return false;
  const command = commandOf(pid);
  return command === undefined || (command.includes('postgres') && command.includes(cluster));
}

/** The command line of a process; undefined where the machine does not tell. */
function commandOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return undefined;
  }
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

const SOCKET = /^\.s\.PGSQL\.\d+$/;
/** Bytes that the shortest of the systems that have sockets allows a socket's path. */
const LONGEST_SOCKET_PATH = 103;

/** With the data, where the server's user alone gets in. As a list of one, which a comma would else part. */
function socketFolder(cluster: string): string {
  const tooLong = Buffer.byteLength(join(cluster, '.s.PGSQL.65535')) > LONGEST_SOCKET_PATH;
  return process.platform === 'win32' || tooLong ? '' : `"${cluster.replaceAll('"', '""')}"`;
}

/** Sockets of killed servers: each had a port of its own, so the next one would not clear them away. */
function forgetSockets(cluster: string): void {
  // Somebody removed the folder: the server itself says so.
  if (!existsSync(cluster)) return;
  for (const name of readdirSync(cluster).filter((one) => SOCKET.test(one))) {
    const socket = join(cluster, name);
    if (isPostmaster(Number(linesOf(`${socket}.lock`)?.[0]), cluster)) continue;
    for (const path of [socket, `${socket}.lock`]) rmSync(path, { force: true });
  }
}

function readFrom(file: number, position: number): string {
  const bytes = Buffer.alloc(Math.min(fstatSync(file).size - position, 65_536));
  readSync(file, bytes, 0, bytes.length, position);
  return bytes.toString();
}
