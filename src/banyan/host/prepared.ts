// Services and gateways migrate nothing: they stand on the library's tables that a monolith has made. Where an older one
// made them some may be missing, and each request that comes to them would fail on its own. It is said at the start
// instead, in one line. A store that does not answer keeps no host from starting: it is asked until it does.
import { setTimeout as after } from 'node:timers/promises';
import type { Logger } from 'pino';
import { logSchema } from '../log/postgres-schema.ts';
import { createClient } from '../postgres/connections.ts';
import type { Database } from './database.ts';
import { controlTables, libraryTables } from './library-tables.ts';
import type { Module } from './module.ts';
import type { Undo } from './undo.ts';

export interface PreparedStore {
  /** The setting that names it. */
  readonly setting: string;
  /** Asked each time: what a host is told of where it is comes a moment after its start. */
  readonly url: () => string;
  readonly schema: string;
  /** The repeatable SQL by which a monolith prepares it. */
  readonly ddl: string;
}

/** How long a start waits for the answer. */
const TIMEOUT_MS = 2_000;
const AGAIN_MS = 1_000;
const MAX_NAMED = 5;

/** What this host uses and a monolith has to have made; of a gateway alone, what placement and limits are kept in. */
export function storesOf(database: Database, modules: readonly Module[]): PreparedStore[] {
  const own = modules.flatMap(({ contract: { module }, schemas = [] }) => {
    const setting = `DATABASE_URL_${module.toUpperCase()}`;
    return [
      { setting, url: () => database.moduleUrl(module), schema: module, ddl: libraryTables() },
      ...schemas.map(({ schema, ddl }) => {
        const url = () => database.schemaUrl(module, schema);
        return { setting: `${setting}_${schema.toUpperCase()}`, url, schema, ddl };
      }),
    ];
  });
  // A service asks as its first module: what one role may call, all may.
  const { controlUrl, logUrl } = database;
  if (controlUrl === undefined) {
    const first = modules[0]!.contract.module;
    const log = { ...own[0]!, url: () => database.sharedUrl(first), ...logSchema() };
    return database.logByModules ? [...own, log] : own;
  }
  const setting = 'DATABASE_URL';
  return [
    ...own,
    { setting, url: () => controlUrl, ...controlTables() },
    { setting, url: () => logUrl!, ...logSchema() },
  ];
}

/**
 * Rejects when a store says that something is missing. One that has not answered in time is asked further on.
 * @param onMissing it answered once the host had started.
 * @param told where stores are: what is missing at one place may be at another.
 */
export async function checkStores(
  stores: readonly PreparedStore[],
  onMissing: (error: Error) => void,
  log: Pick<Logger, 'warn'>,
  undo: Undo,
  told: Promise<unknown> = Promise.resolve(),
): Promise<void> {
  const ending = new AbortController();
  undo.push('a look at the stores', () => ending.abort());
  const looks = Promise.all(stores.map((store) => untilAnswered(store, log, ending.signal, told)));
  let late = false;
  looks.catch((error: Error) => {
    if (late) onMissing(error);
  });
  await Promise.race([looks, after(TIMEOUT_MS, undefined, { ref: false })]);
  late = true;
}

async function untilAnswered(
  store: PreparedStore,
  log: Pick<Logger, 'warn'>,
  ending: AbortSignal,
  placesTold: Promise<unknown>,
): Promise<void> {
  let told = '';
  const tell = ({ message }: Error): undefined => {
    if (message === told || ending.aborted) return;
    told = message;
    log.warn(
      `${store.setting}: the server does not let us in (${message}). It is asked again until it does. Check host, port, ` +
        'user, password and database.',
    );
  };
  while (!ending.aborted) {
    const url = store.url();
    const missing = await missingIn(store, url).catch(tell);
    if (missing?.length === 0) return;
    if (missing) {
      await placesTold.catch(() => {});
      if (store.url() !== url) continue;
    }
    if (missing) throw new Error(inWords(store, missing));
    await after(AGAIN_MS, undefined, { ref: false });
  }
}

/** Rejects when the store does not answer. */
async function missingIn({ schema, ddl }: PreparedStore, url: string): Promise<string[]> {
  const client = createClient({
    connectionString: url,
    application_name: 'banyan look',
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  try {
    await client.connect();
    const { rows } = await client.query<{ name: string }>(
      `SELECT name FROM unnest($2::text[]) AS name WHERE NOT EXISTS
         (SELECT FROM pg_class WHERE relname = name AND relnamespace = to_regnamespace($1))
       UNION ALL SELECT name || '()' FROM unnest($3::text[]) AS name WHERE NOT EXISTS
         (SELECT FROM pg_proc WHERE proname = name AND pronamespace = to_regnamespace($1))`,
      [schema, namesAfter('CREATE TABLE IF NOT EXISTS', ddl), namesAfter('CREATE OR REPLACE FUNCTION', ddl)],
    );
    return rows.map(({ name }) => name);
  } finally {
    await client.end().catch(() => {});
  }
}

/** What the SQL makes, with or without its schema in front. */
function namesAfter(words: string, ddl: string): string[] {
  const made = new RegExp(`\\b${words} (?:\\w+\\.)?(\\w+)`, 'g');
  return [...ddl.matchAll(made)].map((match) => match[1]!);
}

function inWords({ setting, schema }: PreparedStore, missing: readonly string[]): string {
  const more = missing.length - MAX_NAMED;
  const named = `${missing.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return (
    `${setting}: the schema ${schema} has no ${named}. This version needs what only a monolith of this version makes: ` +
    'start (or update) the monolith first, then this host.'
  );
}
