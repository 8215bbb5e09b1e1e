// The embedded server: a real PostgreSQL 18 from npm's binaries, one per DATA_DIR, so that nothing has to be
// installed. Guarantees: a terminal's Ctrl-C does not reach it (it stops last, when the host says so); one
// that a killed host left behind is adopted; two never run on one folder; one that is killed while its host
// lives comes back on the same port. It knows nothing of schemas.
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { freePort } from '../free-port.ts';
import { initialise } from './cluster-init.ts';
import { placeCluster } from './cluster-place.ts';
import { createClient } from './connections.ts';
import {
  findPostmaster,
  killTree,
  type Postmaster,
  type ServerPlace,
  startPostmaster,
  stopPostmaster,
} from './postmaster.ts';

export interface EmbeddedServer {
  /** The superuser's URL: of 127.0.0.1, and by `host` of the server's Unix socket, which is the shorter way. */
  readonly url: string;
  /** Of the server's process; another one after it was restarted. */
  readonly pid: number;
  /** It was running already: a host before this one was killed. */
  readonly adopted: boolean;
  /** Fast shutdown, and by force when it takes too long; resolves when the process is gone. */
  stop(withinMs?: number): Promise<void>;
}

export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly log: Logger;
  /** Called once another process works (initdb, the server itself) and this one has only to wait. */
  readonly onStarted?: (giveUp: GiveUp) => void;
}

/**
 * Ends what was started so far, by force where it stands still, and nothing more is started: opening rejects. A server
 * that somebody else has started is left alone.
 */
export type GiveUp = (withinMs: number) => Promise<void>;

const DATABASE = 'banyan';

/** Where nobody waits: a checkpoint may take long. */
const STOP_MS = 45_000;

/** How long a server that was found may take to answer; recovery after a crash is part of it. */
const PATIENCE_MS = 120_000;

export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const { log, onStarted = () => {} } = options;
  // Walkable by the server's user when we are root; what is secret in it has mode 0600.
  mkdirSync(options.dataDir, { recursive: true, mode: 0o711 });
  // By one name alone, whatever links lead to it: a running server is known by its folder.
  const dataDir = realpathSync(options.dataDir);
  const password = passwordIn(dataDir);
  const place = placeCluster(dataDir, password);
  if (place.elsewhere) {
    log.info(
      { folder: place.base },
      `the database's files are in ${place.base}: root cannot run PostgreSQL, and its user may not enter ${dataDir}`,
    );
  }
  const logFile = logFileIn(dataDir);
  const running = await findRunning(place, password, log);
  if (running) return opened({ place, password, log, logFile }, running, true);

  const begun = new Begun(place);
  if (!existsSync(join(place.cluster, 'PG_VERSION'))) {
    const made = initialise(place, password, begun.onInitdb);
    onStarted(begun.giveUp);
    await made;
  }
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    begun.throwIfGivenUp();
    const starting = startPostmaster(place, port, logFile, begun.onServer);
    onStarted(begun.giveUp);
    const result = await starting;
    const found = await findRunning(place, password, log);
    // Not by us: another host started the very same server a moment before.
    if (found) return opened({ place, password, log, logFile }, found, typeof result === 'string');
    // The port may have been taken in between; everything else fails again, with its reason.
    if (attempt === 3) throw new Error(`The embedded PostgreSQL did not start: ${result} (log: ${logFile})`);
  }
}

/** The one process that opening has under way. */
class Begun {
  readonly #place: ServerPlace;
  #end: GiveUp = async () => {};
  #givenUp = false;

  constructor(place: ServerPlace) {
    this.#place = place;
  }

  readonly onInitdb = (pid: number) => {
    // What it makes is a draft until it has ended well.
    this.#end = async () => killTree(pid);
  };

  readonly onServer = (pid: number) => {
    this.#end = (withinMs) => stopPostmaster(this.#place.cluster, pid, withinMs);
  };

  readonly giveUp: GiveUp = (withinMs) => {
    this.#givenUp = true;
    return this.#end(withinMs);
  };

  throwIfGivenUp(): void {
    if (this.#givenUp)
      throw new Error(`Opening the embedded PostgreSQL in ${this.#place.base} was given up.`);
  }
}

interface Opened {
  readonly place: ServerPlace;
  readonly password: string;
  readonly log: Logger;
  readonly logFile: string;
}

function opened(server: Opened, running: Postmaster, adopted: boolean): EmbeddedServer {
  const { place, password } = server;
  const watch = new Watch(server, running);
  return {
    url: urlOf(running, password, DATABASE),
    get pid() {
      return watch.pid;
    },
    adopted,
    async stop(withinMs = STOP_MS) {
      const begun = performance.now();
      // One that is being started again just now is known by its folder alone.
      await Promise.race([watch.end(), pause(withinMs / 4, undefined, { ref: false })]);
      const pid = findPostmaster(place.cluster)?.pid ?? watch.pid;
      await stopPostmaster(place.cluster, pid, withinMs - (performance.now() - begun));
    },
  };
}

/** Looks once a second whether the server is there, and starts it again when somebody killed it. */
class Watch {
  pid: number;
  readonly #server: Opened;
  readonly #port: number;
  readonly #timer: NodeJS.Timeout;
  #starting: Promise<void> | undefined;

  constructor(server: Opened, { pid, port }: Postmaster) {
    this.pid = pid;
    this.#server = server;
    this.#port = port;
    this.#timer = setInterval(() => this.#look(), 1000);
    this.#timer.unref();
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#starting;
  }

  #look(): void {
    if (this.#starting || findPostmaster(this.#server.place.cluster)) return;
    this.#starting = this.#restart().finally(() => {
      this.#starting = undefined;
    });
  }

  async #restart(): Promise<void> {
    const { place, log, logFile } = this.#server;
    const result = await startPostmaster(place, this.#port, logFile);
    if (typeof result === 'string') {
      log.error({ reason: result, log: logFile }, 'the embedded PostgreSQL is gone and does not start');
    } else {
      this.pid = result.pid;
      log.warn({ pid: result.pid }, 'the embedded PostgreSQL was killed and runs again');
    }
  }
}

/** The server that runs on our folder, once it answers with our password. Waits for one that starts or stops. */
async function findRunning(
  place: ServerPlace,
  password: string,
  log: Logger,
): Promise<Postmaster | undefined> {
  const deadline = Date.now() + PATIENCE_MS;
  for (let told = false; ; ) {
    const found = findPostmaster(place.cluster);
    if (!found) return undefined;
    if (found.state === 'ready' && (await answers(found, password, place))) return found;
    if (Date.now() > deadline)
      throw new Error(
        `The embedded PostgreSQL (pid ${found.pid}) is ${found.state} and does not answer. End it, and start again.`,
      );
    if (!told && Date.now() > deadline - PATIENCE_MS + 3000) {
      log.info({ pid: found.pid, state: found.state }, 'waiting for the embedded PostgreSQL');
      told = true;
    }
    await pause(20);
  }
}

/** Whether it is the server of this folder that listens there. Makes our database in it if it has none. */
async function answers(found: Postmaster, password: string, place: ServerPlace): Promise<boolean> {
  const client = createClient({
    connectionString: urlOf(found, password, 'postgres'),
    connectionTimeoutMillis: 2000,
    application_name: 'banyan embedded',
  });
  try {
    await client.connect();
    const { rows } = await client.query<{ folder: string; ready: boolean }>(
      `SELECT current_setting('data_directory') AS folder, EXISTS (SELECT FROM pg_database WHERE datname = $1) AS ready`,
      [DATABASE],
    );
    if (rows[0]!.folder !== place.cluster) return false;
    if (!rows[0]!.ready) await client.query(`CREATE DATABASE ${DATABASE}`).catch(ignoreDuplicate);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== '28P01') return false;
    throw new Error(
      `The embedded PostgreSQL in ${place.cluster} has another password than its DATA_DIR. Use another DATA_DIR.`,
    );
  } finally {
    await client.end().catch(() => {});
  }
}

function ignoreDuplicate(error: { code?: string }): void {
  if (error.code !== '42P04' && error.code !== '23505') throw error;
}

/** As libpq has it: `host` among the parameters goes before the one in its place. */
function urlOf({ port, socket }: Postmaster, password: string, database: string): string {
  const url = new URL(`postgres://postgres:${password}@127.0.0.1:${port}/${database}`);
  if (socket) url.searchParams.set('host', socket);
  return url.href;
}

/** Made once; of two hosts at once, the link decides whose it is. */
function passwordIn(dataDir: string): string {
  const path = join(dataDir, 'postgres-password');
  if (!existsSync(path)) {
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, randomBytes(24).toString('base64url'), { mode: 0o600 });
    try {
      linkSync(draft, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft, { force: true });
    }
  }
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    throw new Error(
      `DATA_DIR ${dataDir} was made by another user of this machine. Run as that user, or use another DATA_DIR.`,
    );
  }
}

/** Started anew at 10 MB; the one before is kept. */
function logFileIn(dataDir: string): string {
  const folder = join(dataDir, 'logs');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'postgres.log');
  if (existsSync(path) && statSync(path).size > 10_000_000) renameSync(path, `${path}.1`);
  return path;
}
