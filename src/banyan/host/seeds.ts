// The rows that modules begin with, looked after at every start of a monolith, by one at a time. Guarantees: a start waits
// for those of modules that serve in this process, and fails with them; those of a module that serves elsewhere, which has
// begun before, hold it up for a bounded time alone, whatever is locked or broken there. It knows no module's rows.
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Snapshot } from '../routing/snapshot.ts';
import type { RunningModule } from './boot-module.ts';

/** Much longer than a seed takes. What is late ends by the time-outs of its own statements. */
const ELSEWHERE_MS = 5_000;

export async function seedAll(
  running: readonly RunningModule[],
  { modules }: Snapshot,
  log: Pick<Logger, 'warn'>,
  withinMs = ELSEWHERE_MS,
): Promise<void> {
  await Promise.all(
    running.map((one) =>
      modules[one.name]?.placement === 'service' ? seedElsewhere(one, log, withinMs) : one.seed(),
    ),
  );
}

async function seedElsewhere(
  { name, seed }: RunningModule,
  log: Pick<Logger, 'warn'>,
  withinMs: number,
): Promise<void> {
  const seeded = seed().catch((err) =>
    log.warn(
      { err, module: name },
      'the first rows of a module that serves elsewhere could not be looked after; the next start does',
    ),
  );
  await Promise.race([seeded, pause(withinMs, undefined, { ref: false })]);
}
