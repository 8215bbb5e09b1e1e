// A pause that came to nothing, taken back: the target lets the module in no more, the source does again, and who was held goes
// on. In that order, also where a server has to be started again first; and within some seconds, whichever hangs: the owner is
// certain, since no commit point was made. What could not be done by then is said, and is for whoever comes next (recover.ts).
import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import { fence, unfence } from '../pair/fence.ts';
import type { Between } from '../pair/moving.ts';
import { endSoon } from '../pair/sessions.ts';
import { leftInWords, recover } from './recover.ts';

/** So long a request waits at the gate, and a server that is started again needs about as long. */
const UNDO_MS = 5_000;
const QUICK_MS = 1_000;
/** Of one server, to let us in and to do it: a target that hangs must not use up the time of the source. */
const SERVER_MS = 1_500;

export interface UndoBy {
  release(): Promise<void>;
  stillOurs?(): Promise<void>;
}

/**
 * The sessions that there are first: new ones take as long as the pause. Rejects where the source could not be told; whoever was
 * held goes on all the same.
 * @returns what is left to do, in words.
 */
export async function undo(
  between: Between,
  [here, there]: readonly [pg.Client, pg.Client],
  by: UndoBy,
): Promise<string | undefined> {
  const begun = performance.now();
  const quick = (async () => {
    await fence(there, between.moving);
    await unfence(here, between.moving);
    return true;
  })().catch(() => false);
  // A grant that was on its way comes before this one: they are the same sessions.
  const done = await Promise.race([quick, wait(QUICK_MS, false)]);
  try {
    if (done) return undefined;
    // What hangs there must not arrive after what is done now.
    for (const client of [here, there]) endSoon(client);
    return await settle(between, by, begun + UNDO_MS);
  } finally {
    await by.release();
  }
}

async function settle(
  { source: owner, target: other, moving }: Between,
  by: UndoBy,
  end: number,
): Promise<string | undefined> {
  for (;;) {
    await by.stillOurs?.();
    try {
      return leftInWords(await recover({ owner, other, moving }, SERVER_MS), other);
    } catch (error) {
      if (performance.now() >= end) throw error;
    }
    await wait(100);
  }
}
