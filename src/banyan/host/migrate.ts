// The database of a product made ready, and nothing else: what a monolith does at its start before it serves, for who wants
// that done, or refused, before any host is replaced. Guarantees: under the same lock, so that monoliths may start meanwhile; it
// serves nobody, registers nowhere, and leaves the rest of a first start (keys, topics, first rows) to the monolith.
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.ts';
import { ConfigurationError } from '../config/values.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { openDatabase } from './database.ts';
import { loadModule } from './load.ts';
import { openSecurityLog } from './telemetry.ts';
import { Undo } from './undo.ts';

const UNDONE_MS = 12_000;

/** Rejects with what a start would say. */
export async function migrateAlone(settings: Settings, log: Logger): Promise<void> {
  if (settings.databaseUrl === undefined) {
    const remedy =
      'Use it with the URL that the monolith has; npm start makes the embedded server ready by itself.';
    throw new ConfigurationError(
      'DATABASE_URL',
      'is not set, and --migrate makes a server of yours ready',
      remedy,
    );
  }
  const undo = new Undo(log);
  try {
    const security = openSecurityLog(settings, createMetrics(settings.hostId), log, undo);
    const modules = await Promise.all(settings.allModules.map((name) => loadModule(name, settings)));
    await openDatabase(settings, undefined, modules, log, security, undo);
  } finally {
    await undo.all(performance.now() + UNDONE_MS);
  }
}
