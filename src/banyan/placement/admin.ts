// The handlers of the admin contract. They read the control store itself, so that every monolith answers the
// same; a flip, and what must be waited for, is in flip.ts and scale.ts.

import { doneBy } from '../context/principal.ts';
import type { Handlers } from '../contract/handlers.ts';
import { libraryProblem, type Problem, problem } from '../contract/problem.ts';
import type { AccessProbe } from '../identity/hop.ts';
import type { Instance } from '../routing/snapshot.ts';
import type { Sql } from '../store/store.ts';
import { admin, type Entry, type Overview } from './admin-contract.ts';
import { own } from './canonical.ts';
import { setPlacement } from './flip.ts';
import type { Follower } from './follower.ts';
import { entryOf, overviewOf } from './overview.ts';
import { snapshotOf } from './picture.ts';
import { moduleUnknown, scale } from './scale.ts';
import { type ControlStore, StoreUnavailable } from './store.ts';
import type { ServiceRow, Tables } from './tables.ts';
import { needsService, type Placed, placedBy } from './wish.ts';

export interface AdminOptions {
  readonly store: ControlStore;
  readonly follower: Follower;
  /** This host in the registry, which looks after the processes it is asked for; null if it has no supervisor. */
  readonly host: string | null;
  /** This process and its public address. */
  readonly monolith: () => Overview['monolith'];
  /** Makes room in the database for so many processes of a module, or says in a sentence why there is none. Absent: there is. */
  readonly room?: ((module: string, instances: number) => Promise<string | undefined>) | undefined;
  /** An authenticated round trip to an instance. Absent: instances are believed to let this host in. */
  readonly probe?: (instance: Instance) => Promise<AccessProbe>;
  /** What else there is to say of modules, by module; absent: nothing. */
  readonly besides?: () => Promise<ReadonlyMap<string, Besides>>;
  /** Hears of a placement by hand in its transaction. */
  readonly onPlaced?: OnPlaced;
}

export type Besides = Pick<Entry, 'ladder' | 'mirrorPaused'>;

/** A placement by hand. `guard`: it is to be watched there. */
export interface ByHand extends Placed {
  readonly module: string;
  readonly by: string;
  readonly guard: boolean;
}

export interface AlsoDone {
  /** What else came of it, in a sentence. */
  readonly note?: string | undefined;
  /** To be called when it is committed. */
  readonly tell?: (() => void) | undefined;
}

export type OnPlaced = (tx: Sql, placed: ByHand) => Promise<AlsoDone>;

const DEFAULT_TIMEOUT_MS = 30_000;

export function adminHandlers({
  store,
  follower,
  host,
  monolith,
  room,
  probe,
  besides,
  onPlaced,
}: AdminOptions): Handlers<typeof admin> {
  const entry = async (module: string) => {
    const tables = await store.read();
    const found = entryOf(tables, module);
    if (!found) throw moduleUnknown(module, tables);
    return found;
  };

  return {
    placements: async () =>
      storeErrors(async () => {
        const [tables, more] = await Promise.all([store.read(), besides?.()]);
        const overview = overviewOf(tables, monolith());
        const modules = overview.modules.map((one) => ({ ...one, ...more?.get(one.module) }));
        return { ...overview, modules };
      }),

    place: async ({ module, placement, percent, mirror, reason, guard = false, changedBy }, call) =>
      storeErrors(async () => {
        const before = await entry(module);
        const wish = placedBy({ placement, percent, mirror });
        if (typeof wish === 'string') throw invalid(module, wish);
        if (guard && wish.percent === 0) throw nothingToGuard(module);
        if (needsService(wish) && probe) await refuseIfLockedOut(await store.read(), module, probe);
        const who = { actor: 'operator', by: doneBy(call.principal, changedBy), reason } as const;
        let also: AlsoDone | undefined;
        const beside = async (tx: Sql) => {
          also = await onPlaced?.(tx, { module, ...wish, by: who.by, guard });
        };
        const {
          outcome,
          lagging,
          tooOld = [],
        } = await setPlacement(store, follower, module, wish, who, beside);
        if (outcome === 'no-healthy-instance') throw noHealthyInstance(await store.read(), module, wish);
        if (outcome === 'host-too-old') throw hostTooOld(module, wish, tooOld);
        also?.tell?.();
        const after = await entry(module);
        call.change = { before: placedOf(before), after: placedOf(after) };
        return {
          ...after,
          ...(lagging.length > 0 && { lagging: [...lagging] }),
          ...(also?.note !== undefined && { note: also.note }),
        };
      }),

    services: async ({ module, instances, timeoutMs = DEFAULT_TIMEOUT_MS, changedBy }, call) =>
      storeErrors(async () => {
        const { desired } = await entry(module);
        call.change = { before: { instances: desired }, after: { instances } };
        const short = instances > 0 ? await room?.(module, instances) : undefined;
        if (short) throw problem(admin, 'start-failed', { detail: short });
        const by = doneBy(call.principal, changedBy);
        await scale(store, { module, instances, timeoutMs, supervisor: host, by });
        await follower.refresh();
        return entry(module);
      }),
  };
}

/**
 * A flip to processes that let nobody in would turn every request of the module into a 503: one of them must answer
 * this host, which decides for its clients. Whether there are any is said where the placement is written.
 */
async function refuseIfLockedOut(
  tables: Tables,
  module: string,
  probe: NonNullable<AdminOptions['probe']>,
): Promise<void> {
  const reasons = await lockedOut(tables, module, probe);
  if (reasons === undefined) return;
  throw problem(admin, 'instance-refuses', { detail: `${reasons}. ${module} stays where it is.` });
}

/**
 * Why no healthy instance of the module lets this host in; undefined where one does, or there is none.
 * @param release of those that say to be of it; absent: of all
 */
export async function lockedOut(
  tables: Tables,
  module: string,
  probe: NonNullable<AdminOptions['probe']>,
  release?: string,
): Promise<string | undefined> {
  const all = own(snapshotOf(tables).modules, module)?.instances ?? [];
  const healthy = all.filter((one) => one.healthy && (release === undefined || one.release === release));
  const answers = await Promise.all(healthy.map(probe));
  if (healthy.length === 0 || answers.some(({ status, refusal }) => status !== undefined && !refusal))
    return undefined;
  return answers
    .map(({ refusal }, at) => refusal ?? `${healthy[at]!.id} does not answer at ${healthy[at]!.url}`)
    .join('. ');
}

const placedOf = ({ placement, percent, mirror }: Placed): Placed => ({
  placement,
  percent,
  ...(mirror && { mirror }),
});

function invalid(module: string, why: string): Problem {
  const what = /mirror/.test(why) ? 'mirror' : 'percent';
  return problem(admin, `${what}-invalid`, {
    detail: `${why}. ${module} stays where it is.`,
    errors: [{ path: `/${what}`, message: 'does not fit the placement' }],
  });
}

function nothingToGuard(module: string): Problem {
  return libraryProblem('invalid', {
    detail: `In-process there is nothing to take back. Place ${module} as a service or in canary, or leave guard out.`,
    errors: [{ path: '/guard', message: 'goes with service or canary' }],
  });
}

function hostTooOld(module: string, { placement }: Placed, hosts: readonly string[]): Problem {
  return problem(admin, 'host-too-old', { detail: whyTooOld(module, placement, hosts) });
}

export function whyTooOld(module: string, placement: string, hosts: readonly string[]): string {
  const one = hosts.length === 1;
  return (
    `${hosts.join(', ')} ${one ? 'is' : 'are'} of a version that does not know the placement ${placement}, so ${module} ` +
    `stays where it is. Replace ${one ? 'it' : 'them'} by this version, or stop ${one ? 'it' : 'them'}, and try again.`
  );
}

function noHealthyInstance(tables: Tables, module: string, { placement, percent }: Placed): Problem {
  const again =
    placement === 'shadow'
      ? `npx banyan ladder ${module}`
      : `npx banyan extract ${module}${placement === 'canary' ? ` --percent ${percent}` : ''}`;
  return problem(admin, 'no-healthy-instance', { detail: whyNoInstance(tables, module, again) });
}

/**
 * What to do depends on what is there: processes on their way out, on their way up, or none.
 * @param again the command that starts one, and was in vain.
 */
export function whyNoInstance(tables: Tables, module: string, again: string): string {
  const { instances } = entryOf(tables, module)!;
  const stopped = tables.services.filter((row) => row.module === module && !row.wanted).map(idOf);
  const leaving = instances.filter(({ draining }) => draining).map(({ id }) => id);
  const ending = [...new Set([...stopped, ...leaving])];
  const coming = instances.filter(({ id }) => !ending.includes(id)).map(({ id }) => id);
  const isOurs = instances.some(({ id, supervised }) => supervised && coming.includes(id));
  const words =
    ending.length > 0
      ? `${ending.join(', ')} is being stopped (by a restore, or because its host stops). When \`npx banyan status\` shows it no more: ${again}`
      : coming.length > 0
        ? `${coming.join(', ')} is not healthy: it starts, or it does not answer. ${
            isOurs
              ? `Wait for it with ${again}, or see: npx banyan logs ${module}`
              : `It was started elsewhere: see there, and \`npx banyan status\` shows when it is healthy`
          }`
        : `Start one first: ${again} (or PUT /admin/services/${module} {"instances":1})`;
  return `No healthy instance of ${module} is registered, so its placement stays as it is. ${words}`;
}

const idOf = ({ module, number }: ServiceRow) => `${module}-${number}`;

/** While the control store does not answer, placements hold. */
export async function storeErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    throw libraryProblem('unavailable', {
      detail: 'The control store does not answer. Modules keep serving where they are; try again.',
      retryAfter: 2,
      cause: error,
    });
  }
}
