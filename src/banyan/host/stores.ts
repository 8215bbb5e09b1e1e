// The stores of the modules that run here, tied to the picture: their pools go where it says, what they have done is in each
// heartbeat, and a statement that was refused looks once where its store is now.
// What it does to one pool is servers/followed-store.ts.
import type { Logger } from 'pino';
import type { HostReport } from '../placement/host.ts';
import type { Snapshot } from '../routing/snapshot.ts';
import { FollowedStore } from '../servers/followed-store.ts';
import type { RunningModule } from './boot-module.ts';
import type { Control } from './control.ts';
import type { Database } from './database.ts';
import type { Undo } from './undo.ts';

export interface HostStores {
  /** By module that has ever moved. */
  report(): NonNullable<HostReport['stores']>;
  /** Resolves when all pools are where the present picture says. */
  settled(): Promise<void>;
}

export interface HostStoresOptions {
  readonly running: readonly Pick<RunningModule, 'name' | 'pool'>[];
  readonly database: Pick<Database, 'sharedUrl'>;
  readonly control: Pick<Control, 'follower' | 'answers'>;
  readonly log: Logger;
}

export function followStores(
  { running, database, control: { follower, answers }, log }: HostStoresOptions,
  undo: Undo,
): HostStores {
  const onDone = () => void follower.beat();
  const all = new Map(
    running.map(({ name, pool }) => {
      const one = new FollowedStore({ module: name, pool, url: database.sharedUrl(name), onDone, log });
      pool.looksBy(async () => {
        const { stores } = await follower.refresh();
        await one.settled();
        // Who cannot ask does not know.
        return stores?.[name] !== undefined || !answers();
      });
      return [name, one] as const;
    }),
  );
  const follow = async ({ stores = {} }: Snapshot) => {
    await Promise.all([...all].map(([module, one]) => one.follow(stores[module])));
  };
  undo.push(
    'stores',
    follower.subscribe((snapshot) => void follow(snapshot)),
  );
  void follow(follower.current);
  return {
    report: () =>
      Object.fromEntries(
        [...all].flatMap(([module, { report }]) => (report === undefined ? [] : [[module, report]])),
      ),
    settled: () => follow(follower.current),
  };
}
