// The embedded server: a real PostgreSQL 18 from npm's binaries, one per DATA_DIR, so that nothing has to be
// installed. Guarantees: a terminal's Ctrl-C does not reach it (it stops last, when the host says so); one
// that a killed host left behind is adopted; two never run on one folder; one that is killed while its host
// lives comes back on the same port. It knows nothing of schemas.
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { initialise } from './cluster-init.ts';
import { placeCluster } from './cluster-place.ts';
import { logFileIn, passwordIn } from './embedded-files.ts';
import { findRunning } from './embedded-find.ts';
import { type EmbeddedServer, opened } from './embedded-watch.ts';
import { freePort } from './free-port.ts';
import { portBefore, type ServerPlace, startPostmaster, stopPostmaster } from './postmaster.ts';
import { killTree } from './process-tree.ts';

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
    const port = await portFor(place.cluster, attempt);
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

/** The one that it had before, where that is free: other servers follow it there. */
async function portFor(cluster: string, attempt: number): Promise<number> {
  const before = attempt === 1 ? portBefore(cluster) : undefined;
  return before === undefined ? freePort() : freePort(before).catch(() => freePort());
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
