// What is done to stores in the chaos of checkouts: those of orders and payments go to another server and back, again and again,
// beside everything else that happens. In the end they come home, where the sums are counted, and each move has said whether
// the servers had the same.
import { setTimeout as pause } from 'node:timers/promises';
import type { Store } from '../../src/banyan/servers/desk/contract.ts';
import type { Random } from '../chaos/random.ts';
import type { Stage } from './stage.ts';

const MODULES = ['orders', 'payments'] as const;
export const OTHER = 'b';
const LOOK_MS = 200;

/** Of all that was asked for: how often a store came to another server. */
export interface Moves {
  readonly moved: number;
  /** Five pauses came to nothing, or a step did: everything was as before. */
  readonly rolledBack: number;
}

/** Sends one to the other server, unless it is on its way. Rejects where that was refused. */
export async function move(stage: Stage, random: Random): Promise<void> {
  const module = random.pick(MODULES);
  const { server, move: last }: Store = await stage.admin('GET', `/admin/stores/${module}`);
  if (last && !last.endedAt) return;
  await stage.admin('PUT', `/admin/stores/${module}`, { server: server === OTHER ? 'shared' : OTHER });
}

/** Until each is on the shared server. Answers, in sentences, what differed, and what never came home. */
export async function bringHome(stage: Stage, patienceMs: number): Promise<string[]> {
  const deadline = Date.now() + patienceMs;
  const wrong: string[] = [];
  for (const module of MODULES)
    for (;;) {
      const store: Store | undefined = await stage
        .admin('GET', `/admin/stores/${module}`)
        .catch(() => undefined);
      if (store?.server === 'shared' && (!store.move || store.move.endedAt)) break;
      if (Date.now() > deadline) {
        wrong.push(`the store of ${module} never came home: ${JSON.stringify(store)}`.slice(0, 1_000));
        break;
      }
      // Refused while it is on its way.
      if (store) await stage.admin('PUT', `/admin/stores/${module}`, { server: 'shared' }).catch(() => {});
      await pause(LOOK_MS);
    }
  const { rows } = await stage.database.query<{ module: string; why: string }>(
    `SELECT module, walk->>'why' AS why FROM banyan_control.store_move WHERE walk->>'why' LIKE '%not alike%'`,
  );
  return [...wrong, ...rows.map(({ module, why }) => `the store of ${module} after a move: ${why}`)];
}

export async function movesOf({ database }: Stage): Promise<Moves> {
  const { rows } = await database.query<Moves>(
    `SELECT count(*) FILTER (WHERE walk->>'state' = 'moved')::int AS moved,
       count(*) FILTER (WHERE walk->>'state' = 'rolled-back')::int AS "rolledBack"
     FROM banyan_control.store_move WHERE walk->>'task' = 'move'`,
  );
  return rows[0]!;
}
