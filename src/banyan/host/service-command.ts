// How this monolith starts a service of its own: the file, and an environment that says everything a service
// needs and nothing more: its own database role, not another's.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Settings } from '../config/settings.ts';
import type { Command } from '../supervisor/local-process.ts';
import type { Database } from './database.ts';
import type { Module } from './module.ts';

export function serviceCommand(
  settings: Settings,
  database: Database,
  modules: readonly Module[],
  controlUrl: () => string,
) {
  const { app } = settings;
  return (module: string, number: number): Command => {
    const upper = module.toUpperCase();
    const schemas = modules.find((one) => one.contract.module === module)?.schemas ?? [];
    const env: Record<string, string | undefined> = {
      ...settings.inherited,
      INSTANCE_ID: `${module}-${number}`,
      CONTROL_URL: controlUrl(),
      DATA_DIR: settings.dataDir,
      INTERNAL_KEY: settings.internalKey,
      ADMIN_TOKEN: settings.adminToken,
      ...ownOf(settings),
      BROKER_URL: settings.brokerUrl ?? database.logUrl,
      RATE_LIMIT_EXEMPT: settings.rateLimitExempt.join(',') || undefined,
      DRAIN_DELAY_MS: String(settings.drainDelayMs),
      OTEL_EXPORTER_OTLP_ENDPOINT: settings.otlpEndpoint,
      BANYAN_FAULTS: settings.faults ? '1' : undefined,
      [`DATABASE_URL_${upper}`]: database.moduleUrl(module),
    };
    for (const { schema } of schemas)
      env[`DATABASE_URL_${upper}_${schema.toUpperCase()}`] = database.schemaUrl(module, schema);
    const entry = fileURLToPath(app.service(module));
    return {
      entry,
      preload: new URL('../compile-cache.mjs', import.meta.url).href,
      cwd: dirname(entry),
      env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
    };
  };
}

/** The product's own settings, under the names of their variables. */
function ownOf({ app, own }: Settings): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(app.settings ?? {}).map(([name, { variable }]) => [
      variable,
      own[name] === undefined ? undefined : String(own[name]),
    ]),
  );
}
