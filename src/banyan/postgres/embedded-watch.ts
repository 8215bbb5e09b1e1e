// The embedded server once it runs: how it is reached, and how it is stopped. While its host lives it is looked after:
// one that somebody killed comes back on the same port.
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { DATABASE, urlOf } from './embedded-find.ts';
import {
  findPostmaster,
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
  /** How often it was killed since, and started again. */
  readonly restarts: number;
  /** Fast shutdown, and by force when it takes too long; resolves when the process is gone. */
  stop(withinMs?: number): Promise<void>;
}

/** Where nobody waits: a checkpoint may take long. */
const STOP_MS = 45_000;

export interface Opened {
  readonly place: ServerPlace;
  readonly password: string;
  readonly log: Logger;
  readonly logFile: string;
}

export function opened(server: Opened, running: Postmaster, adopted: boolean): EmbeddedServer {
  const { place, password } = server;
  const watch = new Watch(server, running);
  return {
    url: urlOf(running, password, DATABASE),
    get pid() {
      return watch.pid;
    },
    adopted,
    get restarts() {
      return watch.restarts;
    },
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
  restarts = 0;
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
    // It may throw, too: its folder is gone, or its disk is full. The next look tries again.
    const result = await startPostmaster(place, this.#port, logFile).catch(({ message }: Error) => message);
    if (typeof result === 'string') {
      log.error({ reason: result, log: logFile }, 'the embedded PostgreSQL is gone and does not start');
    } else {
      this.pid = result.pid;
      this.restarts += 1;
      log.warn({ pid: result.pid }, 'the embedded PostgreSQL was killed and runs again');
    }
  }
}
