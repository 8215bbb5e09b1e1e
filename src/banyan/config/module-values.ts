// The variables that name modules: which of them run here, under which id, where they are placed at first, and with
// which database. What names no module of the product is a mistake.
import { randomInt } from 'node:crypto';
import { placedBy, type Wish } from '../placement/wish.ts';
import type { Placement } from '../routing/snapshot.ts';
import type { Settings } from './settings.ts';
import { ConfigurationError, type Env, postgres, quoted, readUrl } from './values.ts';

export function readModules(text: string, all: readonly string[]): Pick<Settings, 'role' | 'modules'> {
  if (text === 'all') return { role: 'monolith', modules: all };
  if (text === 'none') return { role: 'gateway', modules: [] };
  const modules = [...new Set(text.split(',').map((name) => name.trim()))];
  for (const name of modules) {
    if (!all.includes(name)) {
      throw new ConfigurationError(
        'MODULES',
        `names ${quoted(name)}, which is no module`,
        `Use all, none, or a list of ${all.join(', ')}.`,
      );
    }
  }
  return { role: 'service', modules };
}

/** Numbers of processes are below this. */
const NUMBERS = 10_000;

/**
 * `<module>-<n>`: the name of the module is what tokens for this service are made for. `-*` at the end, of any
 * host's id, takes a number by chance, for whoever starts many alike and cannot number them: a service whose number is taken is
 * refused, and its next start takes another.
 */
export function readHostId(env: Env, role: Settings['role'], modules: readonly string[]): string {
  const service = role === 'service';
  const given = env.INSTANCE_ID ?? (service ? `${modules[0]}-1` : 'monolith');
  const id = given.replace(/-\*$/, `-${randomInt(1, NUMBERS)}`);
  const fits = service
    ? modules.some(
        (module) => /^[1-9]\d{0,3}$/.test(id.slice(module.length + 1)) && id.startsWith(`${module}-`),
      )
    : /^[a-z][a-z0-9-]{0,62}$/.test(id);
  if (fits) return id;
  throw new ConfigurationError(
    'INSTANCE_ID',
    `is ${quoted(given)}`,
    service
      ? `Use the module and a number from 1, such as ${modules[0]}-1, or ${modules[0]}-* for any.`
      : 'Use lower-case letters, digits and dashes, such as monolith.',
  );
}

export function readModuleUrls(env: Env, all: readonly string[]): Record<string, string> {
  const urls: Record<string, string> = {};
  const prefix = 'DATABASE_URL_';
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(prefix) || value === undefined) continue;
    const module = name.slice(prefix.length).toLowerCase();
    const schema = module.replaceAll('_', '-');
    if (!all.includes(module) && !all.some((one) => schema.startsWith(`${one}-`))) {
      throw new ConfigurationError(
        name,
        'names no module',
        `Use DATABASE_URL_ and one of ${all.map((one) => one.toUpperCase()).join(', ')}.`,
      );
    }
    urls[module] = readUrl(name, value, postgres)!;
  }
  return urls;
}

/** `orders=service,catalog=canary:10`. */
export function readPlacements(text: string | undefined, all: readonly string[]): Record<string, Wish> {
  const placements: Record<string, Wish> = {};
  for (const part of (text ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)) {
    const [module, placement, ...rest] = part.split('=');
    if (!module || !all.includes(module) || rest.length > 0) {
      throw new ConfigurationError(
        'PLACEMENTS',
        `has ${quoted(part)}`,
        `Use module=service, module=in-process or module=canary:10, with a module of ${all.join(', ')}.`,
      );
    }
    placements[module] = readPlacement(part, placement ?? '');
  }
  return placements;
}

function readPlacement(part: string, text: string): Wish {
  const [, placement, percent] = /^(service|in-process|shadow|canary)(?::(\d{1,3}))?$/.exec(text) ?? [];
  const placed = placedBy({
    placement: placement as Placement,
    percent: percent === undefined ? undefined : Number(percent),
  });
  if (placement && typeof placed !== 'string') return placed;
  throw new ConfigurationError(
    'PLACEMENTS',
    `has ${quoted(part)}`,
    'A placement is service, in-process, shadow, or canary:10 for a share of 10 percent (1 to 99).',
  );
}
