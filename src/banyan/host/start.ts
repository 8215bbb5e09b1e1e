// The beginning of a host. Where it keeps the database itself, that server starts while the rest of the code is
// loaded: neither waits for the other. A start that fails undoes what it began, the database last.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { tryPort } from './ports.ts';
import type { RunningHost, StartOptions } from './running.ts';
import { beginServer } from './server.ts';
import { Undo } from './undo.ts';

/**
 * Said before a database is started for nothing. Where an instance of this DATA_DIR serves (or was killed), whatever is
 * in the way has a better name than a port: the start goes on to that.
 */
async function mayServe({ port, host, dataDir }: Settings): Promise<void> {
  if (port !== 0 && !existsSync(join(dataDir, 'instance.json'))) await tryPort(port, host, 'PORT');
}

/** A start that is told to stop breaks off at its next step. One that waits (for a database that hangs) is left. */
const BREAK_OFF_MS = 5_000;

/** So long after it was told to stop, or has failed, everything that a start began is ended or left. */
const UNDONE_MS = 12_000;

function givenUp(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const wait = () => setTimeout(reject, BREAK_OFF_MS, signal.reason).unref();
    if (signal.aborted) wait();
    else signal.addEventListener('abort', wait, { once: true });
  });
}

export async function startHost(settings: Settings, options: StartOptions): Promise<RunningHost> {
  const { log, signal } = options;
  const undo = new Undo(log);
  let toldAt: number | undefined;
  signal.addEventListener('abort', () => {
    toldAt = performance.now();
  });
  try {
    return await Promise.race([begin(settings, options, undo), givenUp(signal)]);
  } catch (error) {
    // Whoever told it to stop has waited since then.
    await undo.all((toldAt ?? performance.now()) + UNDONE_MS);
    throw error;
  }
}

/** Each step that may wait is followed by a look at the signal: a start that was given up begins nothing more. */
async function begin(settings: Settings, options: StartOptions, undo: Undo): Promise<RunningHost> {
  const { log, signal } = options;
  if (settings.role !== 'service') await mayServe(settings);
  signal.throwIfAborted();
  const needsServer = settings.role !== 'service' && settings.databaseUrl === undefined;
  const opening = needsServer ? await beginServer(settings.dataDir, log, undo) : undefined;
  const { assemble } = await import('./assemble.ts');
  signal.throwIfAborted();
  return assemble(settings, options, opening?.server, undo);
}
