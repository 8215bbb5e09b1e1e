// The variables that say on which database servers stores can be, and where they are made at first. What names no module and
// no server is a mistake; a URL, which may hold a password, is never repeated.
import { OWN, SHARED } from '../placement/store-places.ts';
import type { Settings } from './settings.ts';
import { ConfigurationError, type Env, postgres, quoted, readUrl } from './values.ts';

const VARIABLE = /^STORE_(.+)_URL$/;
const NAME = /^[a-z][a-z0-9-]*$/;

export function readStores(
  env: Env,
  all: readonly string[],
  role: Settings['role'],
): Pick<Settings, 'storeUrls' | 'stores'> {
  const storeUrls = readStoreUrls(env);
  return { storeUrls, stores: role === 'monolith' ? readPlacesOf(env, all, storeUrls) : {} };
}

function readStoreUrls(env: Env): Record<string, string> {
  const urls: Record<string, string> = {};
  for (const [variable, value] of Object.entries(env)) {
    const [, text] = VARIABLE.exec(variable) ?? [];
    if (text === undefined || value === undefined) continue;
    const name = text.toLowerCase().replaceAll('_', '-');
    if (!NAME.test(name) || name.length > 40 || name === SHARED || name === OWN)
      throw new ConfigurationError(
        variable,
        `names a server ${quoted(name)}`,
        `Use a name of letters, digits and _ that begins with a letter, of at most 40, and is neither ${SHARED} nor ${OWN}.`,
      );
    const url = readUrl(variable, value, postgres)!;
    if (new URL(url).pathname.length < 2)
      throw new ConfigurationError(variable, 'names no database', `Use a form such as ${postgres.example}.`);
    urls[name] = url;
  }
  return urls;
}

/** `orders=own,payments=NAME`. */
function readPlacesOf(env: Env, all: readonly string[], urls: Settings['storeUrls']): Record<string, string> {
  const stores: Record<string, string> = {};
  const parts = (env.STORES ?? '').split(',').map((part) => part.trim());
  for (const part of parts.filter(Boolean)) {
    const [module = '', server = '', ...rest] = part.split('=');
    if (!all.includes(module) || server === '' || rest.length > 0)
      throw new ConfigurationError(
        'STORES',
        `has ${quoted(part)}`,
        `Use module=own or module=NAME, with a module of ${all.join(', ')}.`,
      );
    if (server !== SHARED && server !== OWN && urls[server] === undefined)
      throw new ConfigurationError(
        'STORES',
        `has ${quoted(part)}, and no server has that name`,
        `Use ${[SHARED, OWN, ...Object.keys(urls)].join(', ')}; STORE_<NAME>_URL adds one.`,
      );
    if (server === OWN && env.DATABASE_URL !== undefined)
      throw new ConfigurationError(
        'STORES',
        `has ${quoted(part)}, and DATABASE_URL names a server: an embedded one stands beside an embedded one`,
        'Use a server that you name by STORE_<NAME>_URL.',
      );
    stores[module] = server;
  }
  return stores;
}
