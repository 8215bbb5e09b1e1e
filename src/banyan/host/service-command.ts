// How this monolith starts a service of its own: the file, and an environment that says everything a service
// needs and nothing more: its own database role, not another's.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.ts';
import { POSTGRES_LOG } from '../config/values.ts';
import { firstHeld } from '../identity/held-keys.ts';
import type { NamedKey } from '../identity/keys.ts';
import type { Command } from '../supervisor/local-process.ts';
import type { Control } from './control.ts';
import type { Database } from './database.ts';
import type { Module } from './module.ts';

export function serviceCommand(
  settings: Settings,
  database: Database,
  modules: readonly Module[],
  controlUrl: () => string,
  keyOf: (module: string) => NamedKey,
  log: Pick<Logger, 'warn'>,
) {
  const { app } = settings;
  const brokerOf = createBrokerChoice(settings, log);
  return (module: string, number: number): Command => {
    const upper = module.toUpperCase();
    const schemas = modules.find((one) => one.contract.module === module)?.schemas ?? [];
    const env: Record<string, string | undefined> = {
      ...settings.inherited,
      INSTANCE_ID: `${module}-${number}`,
      // The code is that of this checkout.
      RELEASE: settings.release,
      CONTROL_URL: controlUrl(),
      DATA_DIR: join(settings.dataDir, 'services', `${module}-${number}`),
      SERVICE_KEY: JSON.stringify(keyOf(module)),
      INTERNAL_KEY: settings.internalKey,
      INTERNAL_KEY_LEGACY: settings.internalKey === undefined ? undefined : '1',
      ...ownOf(settings, module),
      BROKER_URL: brokerOf(module),
      RATE_LIMIT_EXEMPT: settings.rateLimitExempt.join(',') || undefined,
      DRAIN_DELAY_MS: String(settings.drainDelayMs),
      ...settings.otlp?.variables,
      // A file is each host's own; a stream is collected of all.
      SECURITY_LOG: isStream(settings.securityLog) ? settings.securityLog : undefined,
      BANYAN_FAULTS: settings.faults ? '1' : undefined,
      // Where its log is, and its store too unless the picture says otherwise.
      [`DATABASE_URL_${upper}`]: database.sharedUrl(module),
    };
    for (const { schema } of schemas)
      env[`DATABASE_URL_${upper}_${schema.toUpperCase()}`] = database.schemaUrl(module, schema);
    const entry = fileURLToPath(app.service(module));
    return {
      entry,
      preload: new URL('../compile-cache.mjs', import.meta.url).href,
      cwd: dirname(entry),
      folder: env.DATA_DIR!,
      env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
    };
  };
}

const keyNow = ({ follower, keys }: Control, module: string) =>
  firstHeld(keys, follower.current.services?.[module]?.keys ?? []);

/** The name of the key that a service of ours would be given now. */
export function keyIds(control: Control): (module: string) => string | undefined {
  return (module) => keyNow(control, module)?.kid;
}

/** The private key of a service of ours, from the ring. */
export function serviceKeys(control: Control): (module: string) => NamedKey {
  return (module) => {
    const key = keyNow(control, module);
    if (key) return key;
    throw new Error(
      `the key ring has no private key of ${module} to give it: \`npx banyan keys\` lists them; one that was issued is its owner's alone`,
    );
  };
}

/** As whom a service speaks to the log. One that shares this host's name on Kafka could do there what this host can. */
function createBrokerChoice({ brokerUrl, moduleBrokerUrls, strict }: Settings, log: Pick<Logger, 'warn'>) {
  let told = strict;
  return (module: string): string => {
    const own = moduleBrokerUrls[module];
    // Its own database role is all that it needs for the log in PostgreSQL.
    if (own !== undefined || brokerUrl === undefined) return own ?? POSTGRES_LOG;
    if (!told)
      log.warn(
        { module },
        `BROKER_URL_${module.toUpperCase()} is not set: the service of ${module} speaks to Kafka as this monolith does, ` +
          'with its rights. Give each module a user of its own (docs/operations.md, Kafka).',
      );
    told = true;
    return brokerUrl;
  };
}

/** The product's own settings of that module, under the names of their variables. */
function ownOf({ app, own }: Settings, module: string): Record<string, string | undefined> {
  const told = Object.entries(app.settings ?? {}).filter(([, { of }]) => of.includes(module));
  return Object.fromEntries(
    told.map(([name, { variable }]) => [variable, own[name] === undefined ? undefined : String(own[name])]),
  );
}

function isStream(securityLog: string): boolean {
  return securityLog === 'stdout' || securityLog === 'stderr';
}
