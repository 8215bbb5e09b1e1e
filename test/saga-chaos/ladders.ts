// What is done to ladders and shadows in the chaos of checkouts: modules are sent up, with a first rung of shadows or
// without, promoted by hand, demoted, paused, resumed and stopped; others are placed `shadow` or `canary` with a mirror.
// Everything is drawn from the seed; what the system refuses, or nobody is there to do, comes again later. The judge has
// a part in it: rungs are so short that it promotes, and every killed process makes it demote.
import type { Random } from '../chaos/random.ts';
import type { Stage } from './stage.ts';

export interface LadderCounts {
  ladders: number;
  /** Promoted, demoted, paused, resumed or stopped by a person. */
  byHand: number;
  /** Placements with a mirror. */
  mirrors: number;
}

/** Each with a rung on which both sides are compared. */
const STEPS: readonly (readonly (string | number)[])[] = [
  ['shadow', 50, 100],
  ['shadow', 30],
  [20, 60, 100],
  [50, 100],
];
const MODULES = ['users', 'catalog', 'orders', 'payments', 'notifications'] as const;

export interface Where {
  /** The modules that are not all in-process. */
  readonly away: Set<string>;
  /** On a ladder, when it was last looked. */
  readonly climbing: Set<string>;
}

/** A process for each module, so that the first of what is done to them has not to wait for one. */
export async function prepare(stage: Stage): Promise<void> {
  await Promise.all(
    MODULES.map((module) => stage.admin('PUT', `/admin/services/${module}`, { instances: 1 })),
  );
}

/** One thing done to one module. Rejects where it was refused. */
export async function strain(
  stage: Stage,
  random: Random,
  counts: LadderCounts,
  { away, climbing }: Where,
): Promise<void> {
  const module = random.pick(MODULES);
  const ladder = `/admin/ladders/${module}`;
  const { state } = await stage.admin('GET', ladder);
  climbing.delete(module);
  if (state === 'running' || state === 'paused') {
    climbing.add(module);
    // Most are left to climb.
    if (random.next() < 0.7) return;
    const act = random.pick(['promote', 'promote', 'promote', 'demote', 'pause', 'resume', 'stop'] as const);
    if (act === 'stop') await stage.admin('DELETE', ladder);
    else await stage.admin('POST', `${ladder}/${act}`, {});
    counts.byHand += 1;
    return;
  }
  await stage.admin('PUT', `/admin/services/${module}`, { instances: 1 });
  const mirror = { reads: random.pick([20, 100]), writes: random.pick([5, 50, 100]) };
  // One of each first: a short run has both.
  const draw = counts.ladders === 0 ? 0 : counts.mirrors === 0 ? 1 : random.next();
  if (draw < 0.6) {
    // A ladder begins below: what has all requests in the service has no near side.
    await stage.place(module, 'in-process');
    await stage.admin('PUT', ladder, {
      steps: random.pick(STEPS),
      minSeconds: 1,
      minRequests: 3,
      maxSeconds: 20,
    });
    counts.ladders += 1;
    climbing.add(module);
  } else {
    const share = draw < 0.8 ? { placement: 'shadow' } : { placement: 'canary', percent: 30 };
    await stage.admin('PUT', `/admin/placements/${module}`, { ...share, mirror });
    counts.mirrors += 1;
  }
  away.add(module);
}

/** Ladders that are under way: their judge is the monolith. */
export async function underWay({ database }: Pick<Stage, 'database'>): Promise<number> {
  const { rows } = await database.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM banyan_control.ladder
     WHERE watched AND judge_until > now() AND climb ->> 'state' = 'running'`,
  );
  return rows[0]!.n;
}

export interface Judged {
  /** What the judge alone did, by the history. */
  readonly promoted: number;
  readonly demoted: number;
  /** Ladders that it led to their end. */
  readonly ended: number;
}

export async function judged({ database }: Pick<Stage, 'database'>): Promise<Judged> {
  const { rows } = await database.query<Judged>(
    `SELECT count(*) FILTER (WHERE to_placement <> 'in-process' AND NOT same)::int AS promoted,
       count(*) FILTER (WHERE to_placement = 'in-process' AND NOT same)::int AS demoted,
       count(*) FILTER (WHERE same AND to_placement = 'service')::int AS ended
     FROM (SELECT to_placement, to_placement IS NOT DISTINCT FROM from_placement
         AND percent = lag(percent) OVER (PARTITION BY module ORDER BY version) AS same, actor
       FROM banyan_control.placement_audit) a WHERE actor = 'judge'`,
  );
  return rows[0]!;
}
