// The embedded server: a real PostgreSQL 18 from npm's binaries, one per DATA_DIR, so that nothing has to be
// installed. Guarantees: a terminal's Ctrl-C does not reach it (it stops last, when the host says so); one
// that a killed host left behind is adopted; two never run on one folder. It knows nothing of schemas.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { placeCluster, type ServerPlace } from './cluster-place.ts';

export interface EmbeddedServer {
  /** The superuser's URL, on 127.0.0.1. */
  readonly url: string;
  readonly pid: number;
  /** It was running already: a host before this one was killed. */
  readonly adopted: boolean;
  /** Fast shutdown; resolves when the process is gone and its pid file with it. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly log: Logger;
}

const DATABASE = 'banyan';

export async function openEmbedded({ dataDir, log }: EmbeddedOptions): Promise<EmbeddedServer> {
  // Walkable by the server's user when we are root; what is secret in it has mode 0600.
  mkdirSync(dataDir, { recursive: true, mode: 0o711 });
  const password = passwordIn(dataDir);
  const place = placeCluster(dataDir, password);
  if (place.elsewhere)
    log.info(
      { folder: place.cluster },
      'the database lives in a folder of its own: its user may not enter this one',
    );
  const running = await findRunning(place, password);
  if (running) return opened(place, password, running, true);

  if (!existsSync(join(place.cluster, 'PG_VERSION'))) await initialise(place, password);
  rmSync(join(place.cluster, 'postmaster.pid'), { force: true });
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const failure = await start(place, port, join(dataDir, 'logs'));
    if (!failure) break;
    // Somebody took the port in between, or another host started the very same server: both end here.
    const other = await findRunning(place, password);
    if (other) return opened(place, password, other, true);
    if (attempt === 3)
      throw new Error(
        `The embedded PostgreSQL did not start: ${failure} (whole log: ${join(dataDir, 'logs', 'postgres.log')})`,
      );
  }
  const started = await findRunning(place, password);
  if (!started) throw new Error('The embedded PostgreSQL started and does not answer.');
  return opened(place, password, started, false);
}

interface Running {
  readonly pid: number;
  readonly port: number;
}

async function opened(
  place: ServerPlace,
  password: string,
  running: Running,
  adopted: boolean,
): Promise<EmbeddedServer> {
  await ensureDatabase(urlOf(running.port, password, 'postgres'));
  return {
    url: urlOf(running.port, password, DATABASE),
    pid: running.pid,
    adopted,
    stop: () => stop(place, running.pid),
  };
}

function urlOf(port: number, password: string, database: string): string {
  return `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) {
      await client.query(`CREATE DATABASE ${DATABASE}`).catch((error: { code?: string }) => {
        if (error.code !== '42P04' && error.code !== '23505') throw error;
      });
    }
  } finally {
    await client.end();
  }
}

/** The server that postmaster.pid names, if it answers with our password and holds our folder. */
async function findRunning(place: ServerPlace, password: string): Promise<Running | undefined> {
  const lines = readPidFile(place.cluster);
  if (!lines) return undefined;
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!isAlive(pid) || !port) return undefined;
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const client = new pg.Client({
      connectionString: urlOf(port, password, 'postgres'),
      connectionTimeoutMillis: 2000,
    });
    try {
      await client.connect();
      const { rows } = await client.query<{ folder: string }>(
        `SELECT current_setting('data_directory') AS folder`,
      );
      return rows[0]?.folder === place.cluster ? { pid, port } : undefined;
    } catch (error) {
      // Starting up or recovering after a crash (57P03): it will answer.
      if ((error as { code?: string }).code !== '57P03' || !isAlive(pid)) return undefined;
      await pause(50);
    } finally {
      await client.end().catch(() => {});
    }
  }
  return undefined;
}

function readPidFile(cluster: string): string[] | undefined {
  try {
    return readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function passwordIn(dataDir: string): string {
  const path = join(dataDir, 'postgres-password');
  if (!existsSync(path))
    writeFileSync(path, randomBytes(24).toString('base64url'), { mode: 0o600, flag: 'wx' });
  return readFileSync(path, 'utf8').trim();
}

async function initialise(place: ServerPlace, password: string): Promise<void> {
  rmSync(place.cluster, { recursive: true, force: true });
  mkdirSync(place.cluster, { recursive: true, mode: 0o700 });
  const passwordFile = join(place.base, `.initial-${process.pid}`);
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (place.uid !== undefined) {
    chownSync(place.cluster, place.uid, place.uid);
    chownSync(passwordFile, place.uid, place.uid);
  }
  chmodSync(place.cluster, 0o700);
  try {
    const args = ['-D', place.cluster, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    const child = spawn(
      join(place.native, 'bin', 'initdb'),
      [...args, '--encoding=UTF8', '--locale=C', '--no-instructions'],
      {
        ...identity(place),
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let complaint = '';
    child.stderr.on('data', (chunk) => {
      complaint += chunk;
    });
    const code = await new Promise((resolve, reject) => child.on('exit', resolve).on('error', reject));
    if (code !== 0) {
      rmSync(place.cluster, { recursive: true, force: true });
      throw new Error(`The embedded PostgreSQL could not be set up: ${lastLine(complaint)}`);
    }
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function identity(place: ServerPlace): { uid?: number; gid?: number; cwd: string; env: NodeJS.ProcessEnv } {
  return {
    ...(place.uid === undefined ? {} : { uid: place.uid, gid: place.uid }),
    cwd: place.base,
    env: { LC_ALL: 'C', TZ: 'UTC' },
  };
}

const settings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  wal_level: 'logical',
  // A shop on a laptop: small against the machine, large against its data.
  shared_buffers: '128MB',
  max_wal_size: '1GB',
  log_timezone: 'UTC',
};

/** Answers what went wrong; undefined when it takes connections. */
async function start(place: ServerPlace, port: number, logs: string): Promise<string | undefined> {
  mkdirSync(logs, { recursive: true });
  const path = join(logs, 'postgres.log');
  const output = openSync(path, 'a');
  const from = readFileSync(path).length;
  const args = [
    '-D',
    place.cluster,
    '-p',
    String(port),
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  // Detached: a process group of its own, which the terminal's Ctrl-C does not reach.
  const child = spawn(join(place.native, 'bin', 'postgres'), args, {
    ...identity(place),
    detached: true,
    stdio: ['ignore', output, output],
  });
  let ended: string | undefined;
  child.on('exit', (code, signal) => {
    ended = `it ended with ${signal ?? code}`;
  });
  child.on('error', (error) => {
    ended = error.message;
  });
  child.unref();
  closeSync(output);
  while (ended === undefined) {
    const lines = readPidFile(place.cluster);
    // The eighth line of postmaster.pid is the server's own word on its state.
    if (lines && Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return undefined;
    await pause(10);
  }
  const complaint = readFileSync(path, 'utf8').slice(from);
  return (
    lastLine(
      complaint
        .split('\n')
        .filter((line) => /FATAL|ERROR|could not/.test(line))
        .join('\n'),
    ) || ended
  );
}

async function stop(place: ServerPlace, pid: number): Promise<void> {
  const signals: readonly [NodeJS.Signals, number][] = [
    ['SIGINT', 20_000],
    ['SIGQUIT', 10_000],
  ];
  for (const [signal, patience] of signals) {
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    for (let waited = 0; waited < patience; waited += 10) {
      if (!isAlive(pid) || !readPidFile(place.cluster)) return;
      await pause(10);
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
