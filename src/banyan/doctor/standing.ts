// How the work itself stands: letters, sagas, the log, processes, ladders, and shares that were left on. What is wrong of these the
// console says already (console/shared/wrong.ts), so it is said here in the same words, with a command beside each. Pure.
import type { Picture } from '../console/shared/picture-shape.ts';
import { unknownIn, type Wrong, wrongIn } from '../console/shared/wrong.ts';
import type { SagaDesk } from '../console/system-shape.ts';
import { error, type Finding, ok, orWell, unknown, warning } from './finding.ts';

export interface StandingSeen {
  readonly picture: Picture;
  /** Seconds since the oldest dead letter came; undefined: there is none. */
  readonly oldestDead: number | undefined;
  readonly sagas: readonly SagaDesk[];
  /** Hosts of which something is said already, by id. */
  readonly said: ReadonlySet<string>;
}

const DAY_SECONDS = 86_400;

export function standingOf(seen: StandingSeen): Finding[] {
  const { picture, sagas } = seen;
  const found = wrongIn(picture).flatMap((one) => inWords(one, seen));
  const missing = unknownIn(picture, { letters: true, sagas: sagas.length > 0 }).map((what) =>
    unknown(
      'standing',
      what,
      Object.values(picture.missing).join('; ') || 'nobody counts them here',
      'See what else is found, then ask again: npx banyan doctor',
    ),
  );
  const unsaid = ['letters', 'sagas', 'log', 'instances', 'ladder'].filter(
    (check) => !found.some((one) => one.check === check),
  );
  return [
    ...found,
    ...missing,
    ...(missing.length > 0 ? [] : unsaid.map((check) => ok(check, 'all', WELL[check]!))),
  ];
}

const WELL: Readonly<Record<string, string>> = {
  letters: 'no event waits for a person, or for its next try',
  sagas: 'no saga is stuck',
  log: 'every module gets all of the event log',
  instances: 'every module has the processes that it should have',
  ladder: 'no module came down its ladder today',
};

function inWords(
  { key, tone, words, query }: Wrong,
  { picture, oldestDead = 0, sagas, said }: StandingSeen,
): Finding[] {
  const [kind, ...rest] = key.split(' ');
  const name = rest.join(' ');
  const make = tone === 'bad' ? error : warning;
  switch (kind) {
    case 'dead': {
      const days = Math.floor(oldestDead / DAY_SECONDS);
      const old = days > 0 ? `; the oldest has waited for ${days} day${days === 1 ? '' : 's'}` : '';
      return [
        (days > 0 ? error : warning)(
          'letters',
          query.module ?? 'all',
          `${words}${old}`,
          'npx banyan events dead',
        ),
      ];
    }
    case 'retrying':
      return [make('letters', query.module ?? 'all', words, 'npx banyan events dead --state waiting')];
    case 'sagas': {
      const desk = sagas.find(({ module }) => module === name);
      return [make('sagas', name, words, listOf(name, desk))];
    }
    case 'log':
      return [make('log', 'all', words, 'npx banyan events')];
    case 'none':
      return [
        make('instances', name, words, `npx banyan extract ${name}, or back: npx banyan restore ${name}`),
      ];
    case 'down':
      return downOf(name, words, picture, said);
    case 'ladder':
      return [make('ladder', name, words, `npx banyan ladder status ${name}`)];
    // Of hosts and pairs more is known than the picture has (probes.ts, pairs.ts).
    default:
      return [];
  }
}

/** Where a person sees them. A module may have sagas that no operation of its contract lists. */
function listOf(module: string, desk: SagaDesk | undefined): string {
  if (!desk)
    return `No operation of ${module} lists them (CONTRIBUTING.md: a saga). Their rows: SELECT * FROM ${module}.sagas WHERE path <> 'done'`;
  return desk.list.command ? `npx ${desk.list.command}` : 'The console shows them: docs/console.md';
}

function downOf(id: string, words: string, { modules }: Picture, said: ReadonlySet<string>): Finding[] {
  if (id === '') return [error('instances', 'all', words, 'npx banyan status')];
  if (said.has(id)) return [];
  const [module, { instances } = { instances: {} as Picture['modules'][string]['instances'] }] =
    Object.entries(modules).find(([, one]) => id in one.instances) ?? [];
  const last = instances[id]?.lastExit;
  return [
    error('instances', id, `${words}${last ? `: ${last}` : ''}`, `Its last words: npx banyan logs ${module}`),
  ];
}

/** A share, or a shadow, that nobody looks after. */
const LEFT_ON_DAYS = 7;

export function sharesOf({ modules, at }: Picture): Finding[] {
  const left = Object.entries(modules).flatMap(
    ([name, { placement, percent, ladder, changedAt, changedBy }]) => {
      const days = Math.floor((at - Date.parse(changedAt)) / (DAY_SECONDS * 1_000));
      const looked = ladder?.state === 'running' || ladder?.state === 'paused';
      if ((placement !== 'canary' && placement !== 'shadow') || looked || days < LEFT_ON_DAYS) return [];
      const what = placement === 'canary' ? `has had a share of ${percent} %` : 'has been in shadow';
      return [
        warning(
          'share',
          name,
          `${what} for ${days} days, set by ${changedBy}, and no ladder moves it`,
          `npx banyan ladder ${name}; or all of it: npx banyan extract ${name}; or back: npx banyan restore ${name}`,
        ),
      ];
    },
  );
  return orWell(left, 'share', 'all', 'no share or shadow was left on');
}
