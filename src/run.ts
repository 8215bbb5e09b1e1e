// A host as a process: reads the environment once, starts, ends on a signal, and says what went wrong in one
// line. Ctrl-C ends everything that it began.
import { ConfigurationError, readEnvironment } from './environment.ts';
import { greet } from './greeting.ts';
import { type RunningHost, startHost } from './host/start.ts';
import { createLogger } from './kernel/telemetry/logger.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** @param overrides what the caller knows better than the environment (a service knows its module). */
export async function run(overrides: Env = {}): Promise<void> {
  try {
    await serve(overrides);
  } catch (error) {
    fail(error as Error);
  }
}

async function serve(overrides: Env): Promise<void> {
  const settings = await readEnvironment(overrides);
  const log = createLogger({ host: settings.hostId, pretty: settings.pretty, level: 'info' });
  let host: RunningHost | undefined;
  let stopping = false;
  const stop = async (why: string, code: number) => {
    if (stopping) return;
    stopping = true;
    log.info({ why }, 'stopping');
    await host?.close();
    process.exit(code);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => void stop(signal, 0));
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'a rejection that nobody handled'));
  host = await startHost(settings, {
    log,
    onFatal: (error) => {
      log.fatal(error.message);
      void stop('refused', 1);
    },
  });
  if (stopping) await host.close();
  else if (host.url) greet(settings, host.url);
  else log.info({ internal: host.internalUrl }, 'serving');
}

/** One line for people; the stack only where the line would not be enough. */
function fail(error: Error): never {
  const known =
    error instanceof ConfigurationError || !/^(Type|Reference|Syntax|Range)Error$/.test(error.name);
  process.stderr.write(`banyan: ${known ? error.message : (error.stack ?? error.message)}\n`);
  process.exit(1);
}
