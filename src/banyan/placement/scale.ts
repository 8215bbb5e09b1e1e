// N local processes of a module: writes what is wanted and waits until it is so. Supervisors do the rest,
// each for the rows that are its own, so any monolith can be asked.
// Guarantees: what was there keeps running until what is wanted is healthy; the last processes of a module stop
// only when no request to them is unfinished (one of several leaves the rotation and has a bounded time for its
// own); when the time is up before that, or a new process does not start, all is as before.
import { problem } from '../contract/problem.ts';
import { admin } from './admin-contract.ts';
import { awaitDrained, poll } from './flip.ts';
import { instancesOf, isHealthy } from './picture.ts';
import type { ControlStore } from './store.ts';
import type { Tables } from './tables.ts';

export interface Scale {
  readonly module: string;
  readonly instances: number;
  readonly timeoutMs: number;
  /** The host that looks after new processes; null: any monolith that supervises. */
  readonly supervisor: string | null;
  /** Who wants it. */
  readonly by?: string;
}

// A start that fails twice in a row fails for a reason that the third will not remove.
const MAX_FAILURES = 2;

// After the drain: SIGTERM, the process's own drain, at worst SIGKILL.
const STOP_MS = 30_000;

/** Answers the ids of services that said until the end that they were not done, and were not waited for any longer. */
export async function scale(store: ControlStore, wish: Scale): Promise<readonly string[]> {
  const { module, instances } = wish;
  const before = wantedOf(await store.read(), module);
  if (instances > 0) await grow(store, wish, before);
  return instances < before ? shrink(store, wish) : [];
}

async function grow(store: ControlStore, wish: Scale, before: number): Promise<void> {
  const { module, instances, timeoutMs } = wish;
  await want(store, wish, Math.max(instances, before));
  const failure = await untilHealthy(store, module, instances, timeoutMs);
  if (!failure) return;
  if (instances > before) await store.services.want(module, before, wish.supervisor, wish.by);
  throw problem(admin, 'start-failed', { detail: `${failure} See: npx banyan logs ${module}` });
}

async function shrink(store: ControlStore, wish: Scale): Promise<readonly string[]> {
  const { module, instances, timeoutMs } = wish;
  const tables = await store.read();
  let passedOver: readonly string[] = [];
  if (instances === 0 && placementOf(tables, module) === 'in-process') {
    const state = await awaitDrained(store, module, tables.version, timeoutMs);
    const { drained, inflight, busy, lagging } = state;
    passedOver = state.passedOver;
    if (!drained) {
      throw problem(admin, 'drain-timeout', {
        detail:
          `After ${timeoutMs / 1000} s ${Math.max(inflight, busy)} requests to ${module}'s processes were not ` +
          `finished${lagging.length > 0 ? ` and ${lagging.join(', ')} had not applied the placement` : ''}. ` +
          `Nothing was stopped, both sides are up. Try again, with more time: npx banyan restore ${module} --timeout 120s`,
      });
    }
  }
  await want(store, wish, instances);
  const gone = await poll(timeoutMs + STOP_MS, async () =>
    (await store.read()).services.every((row) => row.module !== module || row.number <= instances),
  );
  if (gone) return passedOver;
  throw problem(admin, 'drain-timeout', {
    detail: `The processes of ${module} were told to stop and are not gone yet. See: npx banyan status`,
  });
}

async function want(store: ControlStore, { module, supervisor, by }: Scale, count: number): Promise<void> {
  const outcome = await store.services.want(module, count, supervisor, by);
  if (outcome === 'unknown-module') throw moduleUnknown(module, await store.read());
  if (outcome === 'last-instance') {
    throw problem(admin, 'last-instance', {
      detail:
        `${module}'s service gets requests and these are its last processes. Flip it back first: ` +
        `npx banyan restore ${module} (or PUT /admin/placements/${module} {"placement":"in-process"})`,
    });
  }
}

export function moduleUnknown(module: string, tables: Tables) {
  return problem(admin, 'module-unknown', { detail: unknownModule(module, tables) });
}

export function unknownModule(module: string, { placements }: Pick<Tables, 'placements'>): string {
  return `There is no module "${module}". There are: ${placements.map((row) => row.module).join(', ')}.`;
}

/** Answers what went wrong, in a sentence; undefined when numbers 1 to `count` are healthy. */
async function untilHealthy(store: ControlStore, module: string, count: number, ms: number) {
  let failure: string | undefined;
  const healthy = await poll(ms, async () => {
    const tables = await store.read();
    const up = new Set(
      instancesOf(tables, module)
        .filter(isHealthy)
        .map(({ id }) => id),
    );
    const missing = tables.services.filter(
      (row) => row.module === module && row.number <= count && !up.has(`${module}-${row.number}`),
    );
    const failed = missing.find(({ failures }) => failures >= MAX_FAILURES);
    if (failed) failure = `${module}-${failed.number} does not start: ${failed.lastExit}.`;
    return failure !== undefined || missing.length === 0;
  });
  if (healthy) return failure;
  return `Not all of ${count} processes of ${module} were healthy after ${ms / 1000} s.`;
}

function wantedOf(tables: Tables, module: string): number {
  return tables.services.filter((row) => row.module === module && row.wanted).length;
}

function placementOf(tables: Tables, module: string) {
  return tables.placements.find((row) => row.module === module)?.placement;
}
