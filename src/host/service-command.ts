// How this monolith starts a service of its own: the file, and an environment that says everything a service
// needs and nothing more: its own database role, not another's; the signing key only where sessions are made.
import { fileURLToPath } from 'node:url';
import type { Module } from '../kernel/module.ts';
import type { Command } from '../kernel/supervisor/local-process.ts';
import type { Settings } from '../settings.ts';
import type { Database } from './database.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The modules that make session tokens. */
const SIGNERS = ['users'];

export function serviceCommand(
  settings: Settings,
  database: Database,
  modules: readonly Module[],
  controlUrl: () => string,
) {
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
      STORAGE_URL: settings.storageUrl,
      SMTP_URL: settings.smtpUrl,
      BROKER_URL: settings.brokerUrl ?? database.logUrl,
      RATE_LIMIT_EXEMPT: settings.rateLimitExempt.join(',') || undefined,
      DRAIN_DELAY_MS: String(settings.drainDelayMs),
      OTEL_EXPORTER_OTLP_ENDPOINT: settings.otlpEndpoint,
      BANYAN_FAULTS: settings.faults ? '1' : undefined,
      [`DATABASE_URL_${upper}`]: database.moduleUrl(module),
      SIGNING_KEY: SIGNERS.includes(module) ? JSON.stringify(settings.signingKey) : undefined,
    };
    for (const { schema } of schemas)
      env[`DATABASE_URL_${upper}_${schema.toUpperCase()}`] = database.schemaUrl(module, schema);
    return {
      entry: `${root}extracted/${module}/main.ts`,
      preload: new URL('../compile-cache.mjs', import.meta.url).href,
      cwd: root,
      env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
    };
  };
}
