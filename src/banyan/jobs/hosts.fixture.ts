// Hosts that work on one table of errands: for tests of leased jobs. Each looks once a minute when nothing wakes it,
// so whatever happens sooner was woken.

import { silent } from '../postgres/testing.ts';
import { createLeasedJob, type LeasedJob } from './leased.ts';
import { createJobTask } from './loop.ts';
import { type Errand, errands, errandsAlone } from './queue.fixture.ts';
import { WorkerPool } from './worker-pool.ts';

export type Shop = Awaited<ReturnType<typeof errandsAndHosts>>;

type Spec = Partial<LeasedJob<Errand>> & Pick<LeasedJob<Errand>, 'work'>;

export async function errandsAndHosts() {
  const table = await errandsAlone();
  const open: { close(): Promise<void> }[] = [];

  return {
    table,

    /** Starts a host. It has as little in common with the others as two processes have: the table. */
    async host(given: Spec) {
      const waits = { firstMs: 20, longestMs: 40 };
      const usual = { name: 'shop', table: errands, atOnce: 8, leaseMs: 60_000, waits };
      const spec: LeasedJob<Errand> = { ...usual, ...given };
      /** Of each attempt, whether it failed. */
      const ended: boolean[] = [];
      const workers = new WorkerPool({
        attempted: (failed) => ended.push(failed),
        name: 'shop',
        limit: spec.atOnce,
        wake: () => task.wake(),
        log: silent,
      });
      const job = createLeasedJob(spec, { store: table.store, workers, log: silent });
      const task = createJobTask({ ...job, everyMs: 60_000 }, silent);
      const close = async () => {
        await task.stop();
        await workers.close();
      };
      open.push({ close });
      await task.start();
      return { task, close, ended };
    },

    /** Records the end of an errand. */
    async finish({ id }: Errand) {
      await table.finish(id);
      return 'over' as const;
    },

    async closeHosts() {
      for (const host of open.splice(0)) await host.close();
    },
  };
}

/** Work that the test ends. */
export function gate() {
  const begun = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return { begin: begun.resolve, begun: begun.promise, open: opened.resolve, opened: opened.promise };
}
