// Both servers of a pair at one instant, without a pause: for a few milliseconds who writes waits in the database, like behind
// anybody else's lock. Guarantees: it gives up its place in the line before the server would look for a deadlock, so no
// transaction is ever ended because of it; reads do not wait. It tries again until it has got it.
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { mark, seen } from './marker.ts';
import type { Between } from './moving.ts';
import { withBoth, withSession } from './sessions.ts';
import { type Ready, readySnapshots, type Snapshots } from './snapshots.ts';
import { MARKER_TABLE } from './tables.ts';
import { followedTables, tableName } from './tables-of.ts';

const LOCK_MS = 100;
const BEHIND_MS = 2_000;
const CAUGHT_UP_MS = 250;
const AGAIN_MS = 300;

/** Rejects where it did not come to it in time; nothing waits any more then. */
export async function theInstant(between: Between, withinMs = 60_000): Promise<Snapshots> {
  const { source, target, moving } = between;
  const purpose = `verify ${moving.module}`;
  const end = performance.now() + withinMs;
  const ready = await readySnapshots(between);
  try {
    return await withSession(source, purpose, (locking) =>
      // A marker needs a transaction of its own; its table is not locked.
      withBoth(source, target, purpose, async (writer, reader) => {
        const tables = (await followedTables(locking, moving)).filter(({ name }) => name !== MARKER_TABLE);
        const lock = `LOCK TABLE ${tables.map(({ name }) => tableName(moving, name)).join(', ')} IN SHARE MODE`;
        const caughtUp = async (ms: number) =>
          seen(reader, moving, source, await mark(writer, moving, source), ms);
        for (;;) {
          const there =
            (await caughtUp(BEHIND_MS)) &&
            (await whileLocked(locking, lock, () => caughtUp(CAUGHT_UP_MS), ready));
          if (there) return there;
          if (performance.now() >= end)
            throw new Error(
              `${moving.module} could not be looked at on both servers at one instant within ${withinMs / 1000} s: ${target.name} is behind, or its tables on ${source.name} were in use all the time`,
            );
          await pause(AGAIN_MS);
        }
      }),
    );
  } catch (error) {
    ready.close();
    throw error;
  }
}

async function whileLocked(
  client: pg.Client,
  lock: string,
  caughtUp: () => Promise<boolean>,
  ready: Ready,
): Promise<Snapshots | undefined> {
  await client.query('BEGIN');
  try {
    await client.query(
      `SET LOCAL lock_timeout = ${LOCK_MS}; SET LOCAL statement_timeout = ${2 * LOCK_MS}; ${lock}`,
    );
    return (await caughtUp()) ? await ready.take() : undefined;
  } catch (error) {
    if (!['55P03', '57014'].includes((error as { code?: string }).code ?? '')) throw error;
    return undefined;
  } finally {
    await client.query('ROLLBACK');
  }
}
