// What a host of each role must be given, and what it must not be: what has to be the same as its monolith's cannot be
// made by itself. A mistake is one line that names the variable and the remedy.
import type { Settings } from './settings.ts';
import { ConfigurationError, type Env } from './values.ts';

/** Throws a ConfigurationError. */
export function checkRole(env: Env, { role, modules }: Pick<Settings, 'role' | 'modules'>): void {
  if (role === 'service') requireOfService(env, modules);
  if (role === 'gateway') requireOfGateway(env);
  if (role !== 'service') refuseOfOthers(env, role);
}

/** What a service cannot make for itself, because it must be the same as its monolith's. */
function requireOfService(env: Env, modules: readonly string[]): void {
  const remedy =
    'A service gets it from its monolith: start it with `npx banyan extract`, or set it by hand.';
  const key = `${remedy} \`npx banyan keys issue ${modules[0]}\` prints one.`;
  for (const name of ['CONTROL_URL', 'SERVICE_KEY', 'BROKER_URL']) {
    if (env[name] !== undefined) continue;
    const what = `is not set, and MODULES=${modules.join(',')} is a service`;
    throw new ConfigurationError(name, what, name === 'SERVICE_KEY' ? key : remedy);
  }
  for (const module of modules) {
    const name = `DATABASE_URL_${module.toUpperCase()}`;
    if (env[name] === undefined)
      throw new ConfigurationError(name, `is not set, and this service runs ${module}`, remedy);
  }
}

/** Who follows placement in the database would never look there. */
function refuseOfOthers(env: Env, role: Settings['role']): void {
  if (env.CONTROL_URL === undefined) return;
  const who = role === 'monolith' ? 'MODULES=all is a monolith' : 'MODULES=none is a gateway alone';
  const remedy = 'Use it where MODULES is a list, which makes a service, and leave it unset here.';
  throw new ConfigurationError('CONTROL_URL', `is set, and ${who}: it follows the database`, remedy);
}

/** A gateway alone has no database of its own to make: it follows the one of its monoliths. */
function requireOfGateway(env: Env): void {
  for (const name of ['DATABASE_URL', 'ADMIN_TOKEN', 'ROOT_KEY']) {
    if (env[name] === undefined) {
      throw new ConfigurationError(
        name,
        'is not set, and MODULES=none is a gateway alone',
        'Give it the value that its monolith has.',
      );
    }
  }
}
