// What is wrong, from the picture alone: in words and numbers, the worst first, each with the view that says more; and what
// nobody can say at the moment. Pure. It knows no module by name; server and page both may stand on it.
import type { Picture, PictureModule } from './picture-shape.ts';
import { standingOf } from './standing.ts';

export interface Wrong {
  /** Two pictures that say the same have the same one. */
  readonly key: string;
  readonly tone: 'bad' | 'warn';
  /** `9 dead letters`, `parcels-1 is down`. */
  readonly words: string;
  readonly count: number;
  /** The view of the menu that it belongs to. */
  readonly menu: '/' | '/dead' | '/sagas' | '/events' | '/moves';
  /** Where more is said, below the console's prefix. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
}

/** A ladder that came down is said for so long. */
const LATELY_MS = 24 * 3_600_000;
/** A host may be late with one answer. */
const SILENT_MS = 3_000;
/** More processes than these are said as a number. */
const NAMED = 3;

export function wrongIn(picture: Picture): Wrong[] {
  const all = [
    ...processesOf(picture),
    ...hostsOf(picture),
    ...lettersOf(picture),
    ...sagasOf(picture),
    ...logOf(picture),
    ...Object.entries(picture.modules).flatMap(([name, module]) => besidesOf(name, module, picture.at)),
  ];
  return [...all.filter(({ tone }) => tone === 'bad'), ...all.filter(({ tone }) => tone === 'warn')];
}

/** What is not known, so that nobody takes silence for health. @param has what this system has of it. */
export function unknownIn(picture: Picture, has: { letters: boolean; sagas: boolean }): string[] {
  const { missing, modules, stuck } = picture;
  const noLetters = Object.values(modules).every(({ dead }) => dead === undefined) || 'events' in missing;
  return [
    ...('hosts' in missing ? ['processes'] : []),
    ...('placements' in missing ? ['where modules serve'] : []),
    ...(has.letters && noLetters ? ['dead letters'] : []),
    ...(has.sagas && (stuck === undefined || 'sagas' in missing) ? ['stuck sagas'] : []),
    ...('stores' in missing ? ['stores'] : []),
  ];
}

const one = (
  key: string,
  tone: Wrong['tone'],
  words: string,
  menu: Wrong['menu'],
  { count = 1, path = menu as string, query = {} }: Partial<Pick<Wrong, 'count' | 'path' | 'query'>> = {},
): Wrong => ({ key, tone, words, count, menu, path, query });

const pageOf = (module: string) => `/modules/${encodeURIComponent(module)}`;

function processesOf({ modules }: Picture): Wrong[] {
  const down = Object.entries(modules).flatMap(([name, module]) =>
    Object.entries(module.instances).flatMap(([id, instance]) =>
      standingOf(instance) === 'down' ? [[name, id]] : [],
    ),
  );
  const gone = Object.entries(modules)
    .filter(([, module]) => lacksProcess(module))
    .map(([name]) => one(`none ${name}`, 'bad', `${name} has no process`, '/', { path: pageOf(name) }));
  if (down.length > NAMED)
    return [one('down', 'bad', `${down.length} processes are down`, '/', { count: down.length }), ...gone];
  return [
    ...down.map(([name, id]) => one(`down ${id}`, 'bad', `${id} is down`, '/', { path: pageOf(name!) })),
    ...gone,
  ];
}

/** It has requests, and nobody is there or on the way. */
const lacksProcess = ({ placement, instances, transfer }: PictureModule) =>
  (placement === 'service' || placement === 'canary') &&
  Object.keys(instances).length === 0 &&
  (transfer === undefined || transfer.step === 'done' || transfer.step === 'failed');

/** A process that is down already is not said to be silent as well. */
function hostsOf({ hosts, modules }: Picture): Wrong[] {
  const of = new Map(
    Object.entries(modules).flatMap(([name, { instances }]) =>
      Object.keys(instances).map((id) => [id, name] as const),
    ),
  );
  const isSaid = (id: string) => {
    const module = modules[of.get(id) ?? ''];
    return module !== undefined && standingOf(module.instances[id]!) === 'down';
  };
  return Object.entries(hosts)
    .filter(([, { id, draining }]) => !draining && !isSaid(id))
    .filter(
      ([, { live, silent, numbersAge = 0 }]) => !live || (silent !== undefined && numbersAge >= SILENT_MS),
    )
    .map(([host, { id }]) => {
      const module = of.get(id);
      const path = module === undefined ? '/' : pageOf(module);
      return one(`silent ${host}`, 'bad', `${id} does not answer`, '/', { path });
    });
}

function lettersOf({ modules }: Picture): Wrong[] {
  const counted = (of: 'dead' | 'retrying') => {
    const some = Object.entries(modules).filter(([, module]) => (module[of] ?? 0) > 0);
    const count = some.reduce((sum, [, module]) => sum + module[of]!, 0);
    const module: Readonly<Record<string, string>> = some.length === 1 ? { module: some[0]![0] } : {};
    return { count, module };
  };
  const [dead, retrying] = [counted('dead'), counted('retrying')];
  const words = retrying.count === 1 ? '1 event waits' : `${retrying.count} events wait`;
  return [
    ...(dead.count === 0
      ? []
      : [
          one('dead', 'bad', `${dead.count} dead letter${dead.count === 1 ? '' : 's'}`, '/dead', {
            count: dead.count,
            query: dead.module,
          }),
        ]),
    ...(retrying.count === 0
      ? []
      : [
          one('retrying', 'warn', `${words} for the next try`, '/dead', {
            count: retrying.count,
            query: { ...retrying.module, state: 'waiting' },
          }),
        ]),
  ];
}

/** By module, as their pages are; said with the module where there is more than one. */
function sagasOf({ stuck = {} }: Picture): Wrong[] {
  const some = Object.entries(stuck).filter(([, count]) => count > 0);
  return some.map(([module, count]) => {
    const words = `${count} saga${count === 1 ? ' is' : 's are'} stuck`;
    const several = some.length > 1;
    return one(`sagas ${module}`, 'bad', several ? `${words} in ${module}` : words, '/sagas', {
      count,
      query: { state: 'stuck', ...(several && { of: module }) },
    });
  });
}

function logOf({ modules }: Picture): Wrong[] {
  const names = Object.keys(modules).filter((name) => modules[name]!.unread);
  if (names.length === 0) return [];
  const who = names.length === 1 ? `${names[0]} does` : `${names.length} modules do`;
  return [one('log', 'bad', `${who} not get all of the event log`, '/events', { count: names.length })];
}

function besidesOf(name: string, { store, ladder, changedAt }: PictureModule, at: number): Wrong[] {
  return [
    ...(store?.state === 'broken'
      ? [one(`pair ${name}`, 'bad', `the pair of ${name}’s store is broken`, '/moves')]
      : []),
    ...(ladder?.state === 'demoted' && at - Date.parse(changedAt) < LATELY_MS
      ? [one(`ladder ${name}`, 'warn', `${name} came down its ladder`, '/', { path: pageOf(name) })]
      : []),
  ];
}
