// Letters in the words of requests and of the terminal: which are meant, and the command that does the same as a button.
import { quoted } from '../kit/command.ts';

/** As the filter above the list says, and so as its URL does. */
export interface Filter {
  readonly module?: string | undefined;
  readonly type?: string | undefined;
  readonly reason?: string | undefined;
  readonly key?: string | undefined;
  readonly olderThan?: string | undefined;
}

/** Those that are chosen one by one, or all that the filter fits. */
export interface Meant {
  readonly ids: readonly string[];
  readonly filter: Filter;
}

const OPTIONS = { type: '--type', reason: '--reason', key: '--key', olderThan: '--older-than' } as const;

export function filterOf(query: Readonly<Record<string, string>>): Filter {
  const { module, type, reason, key, olderThan } = query;
  const given = Object.entries({ module, type, reason, key, olderThan }).filter(([, value]) => value);
  return Object.fromEntries(given);
}

export const isEmpty = (filter: Filter): boolean => Object.keys(filter).length === 0;

/** What a request about many says of which. Without any filter: those that are dead at all. */
export function bodyOf({ ids, filter }: Meant): object {
  if (ids.length > 0) return { ids, ...(filter.module ? { module: filter.module } : {}) };
  return isEmpty(filter) ? { olderThan: '0s' } : filter;
}

export const dead = ({ module, ...filter }: Filter) =>
  ['npx banyan events dead', ...(module ? [quoted(module)] : []), ...optionsOf(filter)].join(' ');

/** What was typed in place of the data, as JSON; undefined: the data as it came. */
type Typed = string | undefined;

export const tryOne = (id: string, module: string, typed: Typed) =>
  `npx banyan events try ${id} --at ${quoted(module)}${withData(typed)}`;

export const redriveOne = (id: string, module: string, typed: Typed) =>
  `npx banyan events redrive ${id} --at ${quoted(module)}${withData(typed)}`;

/** Of what is longer a command names a file: people copy a line, and systems take so much of one. */
const MOST_IN_LINE = 4_000;
const FILE = 'data.json';

const withData = (typed: Typed) =>
  typed === undefined ? '' : ` --data ${isLong(typed) ? FILE : quoted(typed)}`;

export const isLong = (typed: Typed): boolean => (typed?.length ?? 0) > MOST_IN_LINE;

/** What has to be done before such a command; undefined: nothing. */
export const beforehand = (typed: Typed): string | undefined =>
  isLong(typed) ? `Save the data as ${FILE} first: it is too long for a line.` : undefined;

export const dropOne = (id: string, module: string, why: string) =>
  `npx banyan events drop ${id} --at ${quoted(module)} --why ${quoted(why || '…')}`;

export const redriveMany = (meant: Meant, perSecond: number | undefined) =>
  many('redrive', meant, perSecond === undefined ? [] : ['--per-second', String(perSecond)]);

export const dropMany = (meant: Meant, why: string) => many('drop', meant, ['--why', quoted(why || '…')]);

function many(verb: string, { ids, filter }: Meant, more: readonly string[]): string {
  const { module, ...rest } = filter;
  const which =
    ids.length > 0
      ? [...ids, ...(module ? ['--at', quoted(module)] : [])]
      : isEmpty(filter)
        ? ['--older-than', '0s']
        : [...(module ? ['--all', quoted(module)] : []), ...optionsOf(rest)];
  return ['npx banyan events', verb, ...which, ...more].join(' ');
}

function optionsOf(filter: Omit<Filter, 'module'>): string[] {
  return Object.entries(OPTIONS).flatMap(([name, option]) => {
    const value = filter[name as keyof typeof OPTIONS];
    return value ? [option, quoted(value)] : [];
  });
}
