// A host as a process: reads the environment once, starts, ends on a signal, and says what went wrong in one
// line. Ctrl-C ends everything that it began. Or, in its place, its database alone made ready.

import type { App } from '../config/app.ts';
import { readEnvironment } from '../config/environment.ts';
import { LogLines } from '../telemetry/log-lines.ts';
import { createLogger } from '../telemetry/logger.ts';
import { startHost } from './start.ts';
import { printStartupMessage } from './startup-message.ts';
import { DRAIN_MS } from './stopping.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** @param overrides what the caller knows better than the environment (a service knows its module). */
export async function run(app: App, overrides: Env = {}): Promise<void> {
  try {
    await serve(app, overrides);
  } catch (error) {
    fail(error as Error);
  }
}

/** The database of the product made ready, and the end of the process. */
export async function migrate(app: App): Promise<void> {
  try {
    outliveReaders();
    const settings = readEnvironment(app, { MODULES: 'all' });
    const { hostId, pretty } = settings;
    const log = createLogger({ host: hostId, pretty, level: 'info' });
    const { migrateAlone } = await import('./migrate.ts');
    await migrateAlone(settings, log);
    log.info('the database is ready for this version');
  } catch (error) {
    fail(error as Error);
  }
}

/** Every wait in a stop has a bound of its own; past all of them by so much, something is wrong with the process. */
const TIMEOUT_MS = 15_000;

async function serve(app: App, overrides: Env): Promise<void> {
  outliveReaders();
  const settings = readEnvironment(app, overrides);
  const { hostId, pretty } = settings;
  const lines = settings.otlp?.endpoints.logs === undefined ? undefined : new LogLines();
  const log = createLogger({ host: hostId, pretty, level: 'info', lines });
  const stopping = new AbortController();
  const stop = async (why: string, code: number) => {
    if (stopping.signal.aborted) return;
    log.info({ why }, 'stopping');
    stopping.abort(new Error(`stopped by ${why}`));
    setTimeout(() => process.exit(1), DRAIN_MS + 2 * settings.drainDelayMs + TIMEOUT_MS).unref();
    // Told to stop while it starts, it ends what it has begun so far: the server, services.
    const host = await starting.catch(() => undefined);
    await host?.close();
    process.exit(code);
  };
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'a rejection that nobody handled'));
  // Nobody knows what it left undone: this process ends, but what is under way in it may finish first.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'an error that nobody handled');
    void stop('a fault', 1);
  });
  const starting = startHost(settings, {
    log,
    lines,
    signal: stopping.signal,
    onFatal: (error) => {
      log.fatal(error.message);
      void stop('refused', 1);
    },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => void stop(signal, 0));
  const host = await starting.catch((error: Error) => {
    if (!stopping.signal.aborted) throw error;
  });
  if (stopping.signal.aborted) return;
  if (host?.url) printStartupMessage(settings, host.url, host.adminUrl);
  else if (host) log.info({ internal: host.internalUrl }, 'serving');
}

/** `npm start | head`: whoever read the output has gone, and the host serves on. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
}

/** One line for people; the stack only where the line would not be enough. */
function fail(error: Error): never {
  const ours = !/^(Type|Reference|Syntax|Range)Error$/.test(error.name);
  const line = error.message.replaceAll(/\s*\n\s*/g, ' ');
  process.stderr.write(`banyan: ${ours ? line : (error.stack ?? line)}\n`);
  process.exit(1);
}
