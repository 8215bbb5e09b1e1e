// At a monolith's start: where the store of a module is not where it was (restored, a replica that took over, moved), the log is
// held against all stores before anything is served. What was found is said in the log. A start that cannot look does
// not go on: numbers of events that the log has already would be given to others.
// It must not know what is done to the stores (events/restored).
import type { Logger } from 'pino';
import { atHome, settleIn } from '../events/restored/home.ts';
import type { EventLog } from '../log/port.ts';
import type { Snapshot } from '../routing/snapshot.ts';
import type { RunningModule } from './boot-module.ts';
import type { Database } from './database.ts';

export interface RestoredOptions {
  readonly running: readonly RunningModule[];
  readonly eventLog: EventLog;
  readonly database: Pick<Database, 'alone'>;
  /** Where stores are: one that is held is not looked at. */
  readonly snapshot: () => Snapshot;
  /** RESTORED=1: somebody says that a store was put back, which it does not show. */
  readonly told: boolean;
  readonly log: Logger;
}

export async function lookForRestores(options: RestoredOptions): Promise<void> {
  const { running, eventLog, database, snapshot, told, log } = options;
  const held = (name: string) => snapshot().stores?.[name]?.gate === 'held';
  const modules = running.filter(({ name }) => !held(name));
  const look = async () => {
    const found = await Promise.all(
      modules.map(async (one) => ({ ...one, at: await atHome(one.pool, one.name) })),
    );
    const moved = found.filter(({ at }) => at === 'other').map(({ name }) => name);
    const full = found.filter(({ at }) => at === 'full').map(({ name }) => name);
    return { moved, full, first: found.filter(({ at }) => at === 'first') };
  };
  const { moved, full, first } = await look();
  if (full.length > 0 && !told) log.warn({ modules: full }, FULL);
  await Promise.all(first.map(({ pool, name }) => settleIn(pool, name)));
  if (moved.length === 0 && !told) return;
  await database.alone(async () => {
    const now = (await look()).moved;
    // Another monolith has done it meanwhile.
    if (now.length === 0 && !told) return;
    log.warn({ modules: now }, told ? TOLD : MOVED);
    const [{ compare }, { inWords }] = await Promise.all([
      import('../events/restored/compare.ts'),
      import('../events/restored/report.ts'),
    ]);
    const parts = modules.map(({ events }) => events.parts);
    const reports = await compare(parts, eventLog).catch((error: Error) => {
      throw new Error(`${UNSEEN} (${error.message})`, { cause: error });
    });
    const lines = reports.flatMap(inWords);
    for (const line of lines) log.warn(line);
    if (lines.length === 0) log.info('the log and the stores agree');
    await Promise.all(
      modules.filter(({ name }) => now.includes(name)).map(({ pool, name }) => settleIn(pool, name)),
    );
  });
}

const MOVED =
  'stores are on another server or timeline than before: restored, taken over by a replica, or moved. The log of ' +
  'events is held against all of them before anything is served';
const FULL =
  'the roles of these modules have no connection left: whether their stores were put back was not looked at. If they were, start ' +
  'once more with RESTORED=1';
const TOLD = 'RESTORED=1: the log of events is held against all stores before anything is served';
const UNSEEN =
  'stores are not where they were, and the log of events could not be held against them: start again once it answers';
