// The rows that modules begin with, looked after at every start of a monolith, by one at a time. Guarantees: a start waits
// for those of modules that serve in this process, and fails with them; those of a module that has begun before and serves
// elsewhere hold it up for a bounded time alone, whatever is locked or broken there; those of one whose store is held, which only
// a host that is up lets go, do not hold it up. It knows no module's rows.
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { isExtracted } from '../routing/side.ts';
import type { Snapshot } from '../routing/snapshot.ts';
import type { RunningModule } from './boot-module.ts';

/** Much longer than a seed takes. What is late ends by the time-outs of its own statements. */
const ELSEWHERE_MS = 5_000;

export async function seedAll(
  running: readonly RunningModule[],
  placements: Snapshot,
  log: Pick<Logger, 'warn'>,
  withinMs = ELSEWHERE_MS,
): Promise<void> {
  await Promise.all(
    running.map((one) => {
      if (placements.stores?.[one.name]?.gate === 'held') return seedBeside(one, log, 0);
      return isExtracted(placements, one.name) ? seedBeside(one, log, withinMs) : one.seed();
    }),
  );
}

async function seedBeside(
  { name, seed }: RunningModule,
  log: Pick<Logger, 'warn'>,
  withinMs: number,
): Promise<void> {
  const seeded = seed().catch((err) =>
    log.warn(
      { err, module: name },
      'the first rows of a module that began before could not be looked after; the next start does',
    ),
  );
  await Promise.race([seeded, pause(withinMs, undefined, { ref: false })]);
}
