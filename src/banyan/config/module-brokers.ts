// BROKER_URL_<MODULE>: as whom the service of a module speaks to Kafka. They are told to monoliths, which let each of these
// principals do what its module needs and hand its URL to the service that they start.
import type { Settings } from './settings.ts';
import { ConfigurationError, type Env, quoted, readKafka } from './values.ts';

const PREFIX = 'BROKER_URL_';

/** Throws a ConfigurationError for a name that is no module's, and where nobody could tell the principals apart. */
export function readModuleBrokers(
  env: Env,
  all: readonly string[],
  role: Settings['role'],
): Record<string, string> {
  const given = Object.entries(env).filter(
    (one): one is [string, string] => one[0].startsWith(PREFIX) && one[1] !== undefined,
  );
  if (given.length === 0) return {};
  const [first] = given[0]!;
  if (role === 'service')
    throw new ConfigurationError(first, 'is set, and this is a service', 'Use BROKER_URL for its own URL.');
  if (!env.BROKER_URL?.startsWith('kafka')) {
    const remedy = 'Use it together with the BROKER_URL of this host, or leave it unset.';
    throw new ConfigurationError(first, 'is set, and BROKER_URL names no Kafka', remedy);
  }
  const own = principalOf('BROKER_URL', env.BROKER_URL, first);
  const urls: Record<string, string> = {};
  for (const [name, text] of given) {
    const module = all.find((one) => nameOf(one) === name);
    if (!module) {
      const remedy = `Use ${PREFIX} and one of ${all.map((one) => one.toUpperCase()).join(', ')}.`;
      throw new ConfigurationError(name, 'names no module', remedy);
    }
    if (principalOf(name, text, first) === own) {
      const remedy = 'Use a user of its own there, or leave the variable unset.';
      throw new ConfigurationError(name, `has the user of BROKER_URL, ${quoted(own)}`, remedy);
    }
    urls[module] = text;
  }
  return urls;
}

function nameOf(module: string): string {
  return `${PREFIX}${module.toUpperCase().replaceAll('-', '_')}`;
}

/** The rights that are given name users, so there has to be one. */
function principalOf(name: string, text: string, first: string): string {
  const { user } = readKafka(name, text);
  if (user !== undefined) return user;
  const why = name === first ? '' : `, and ${first} gives a service one of its own`;
  throw new ConfigurationError(name, `has no user${why}`, 'Use a form such as kafkas://user:pass@h1:9093.');
}
