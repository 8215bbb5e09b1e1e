// What happens to a shop in the chaos of checkouts while orders flow, each at its own interval: the style changes, modules
// move, orders and payments have a share of their requests elsewhere, ladders and shadows come and go, stores go to another
// server and back, processes are killed.
// The seed decides. What meets a dead monolith, or a drain that takes too long, comes again later.
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../chaos/random.ts';
import { type LadderCounts, strain, underWay, type Where } from './ladders.ts';
import { modules, type Stage } from './stage.ts';
import { move } from './stores.ts';

export interface Counts extends LadderCounts {
  flips: number;
  /** Changes of the share of orders or of payments. */
  shares: number;
  styleChanges: number;
  kills: number;
  /** Of these: the monolith, while it judged a ladder. */
  judgesKilled: number;
}

export const noCounts = (): Counts => ({
  flips: 0,
  shares: 0,
  styleChanges: 0,
  ladders: 0,
  byHand: 0,
  mirrors: 0,
  kills: 0,
  judgesKilled: 0,
});

const STYLE_EVERY_MS = 2_000;
const SHARE_EVERY_MS = 1_700;
const FLIP_EVERY_MS = 1_500;
const LADDER_EVERY_MS = 700;
const STORE_EVERY_MS = 1_300;
const KILL_EVERY_MS = 4_000;

/** Until `signal` says that it is over. */
export async function disturb(
  stage: Stage,
  random: Random,
  counts: Counts,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let monolithAway = false;
  const every = async (ms: number, what: () => Promise<void>) => {
    while (!signal.aborted) {
      await pause(ms, undefined, { signal }).catch(() => {});
      if (!signal.aborted && !monolithAway) await what().catch(() => {});
    }
  };
  const where: Where = { away: new Set(), climbing: new Set() };
  const { away, climbing } = where;
  // What climbs is mostly left to its ladder: a placement by hand ends it.
  const movable = <T extends string>(some: readonly T[]): T => {
    const free = some.filter((module) => !climbing.has(module));
    return random.pick(free.length === 0 || random.next() < 0.15 ? some : free);
  };
  const kill = async () => {
    const judging = await underWay(stage);
    // One in eight kills is the monolith's, and the first that finds it judging: nothing moves until it is back.
    if (random.next() < 0.125 || (judging > 0 && counts.judgesKilled === 0)) {
      monolithAway = true;
      await stage.strike().finally(() => {
        monolithAway = false;
      });
      if (judging > 0) counts.judgesKilled += 1;
      say(`killed the monolith, judge of ${judging} ladders`);
    } else {
      const { rows } = await stage.database.query<{ id: string; pid: number }>(
        `SELECT id, pid FROM banyan_control.host WHERE live AND role = 'service' ORDER BY id`,
      );
      if (rows.length === 0) return;
      const { id, pid } = random.pick(rows);
      process.kill(pid, 'SIGKILL');
      say(`killed ${id}`);
    }
    counts.kills += 1;
  };
  await Promise.all([
    every(STYLE_EVERY_MS, async () => {
      const { style } = await stage.admin('GET', '/admin/saga');
      const other = style === 'choreography' ? 'orchestration' : 'choreography';
      await stage.admin('PUT', '/admin/saga', { style: other });
      counts.styleChanges += 1;
    }),
    every(FLIP_EVERY_MS, async () => {
      const module = movable(modules);
      await stage.place(module, away.has(module) ? 'in-process' : 'service');
      if (!away.delete(module)) away.add(module);
      counts.flips += 1;
    }),
    every(SHARE_EVERY_MS, async () => {
      const module = movable(['orders', 'payments'] as const);
      await stage.share(module, random.pick([10, 50, 90]));
      away.add(module);
      counts.shares += 1;
    }),
    every(LADDER_EVERY_MS, () => strain(stage, random, counts, where)),
    every(STORE_EVERY_MS, () => move(stage, random)),
    every(KILL_EVERY_MS, kill),
  ]);
}
