// The gate before a pause: the target is near enough behind, and nothing that would have to be waited for is open. Guarantee:
// nobody is held before it has answered; it holds nobody itself.
import { setTimeout as pause } from 'node:timers/promises';
import { inWords, olderThan } from '../pair/fence.ts';
import { mark, seen } from '../pair/marker.ts';
import type { Between } from '../pair/moving.ts';
import { withBoth } from '../pair/sessions.ts';

export interface LagOptions {
  readonly withinMs?: number;
  /** So many round trips in a row, each within so many ms. */
  readonly rounds?: number;
  readonly roundMs?: number;
  /** No transaction of the module's role is older. */
  readonly oldestMs?: number;
  /** Sessions that hold a transaction open and whose host is no live one: the pause ends them, and nobody waits for them here. */
  readonly mayEnd?: () => Promise<(application: string) => boolean>;
  /** What it waits for at present. */
  readonly onWait?: (why: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const BETWEEN_MS = 50;
/** A marker that is not there by then tells nothing new. */
const ROUND_LIMIT_MS = 2_000;

/** Answers what it waited for in vain, or nothing: then the pause may begin. */
export async function lagGate(between: Between, options: LagOptions = {}): Promise<string | undefined> {
  const {
    withinMs = 600_000,
    rounds = 3,
    roundMs = 60,
    oldestMs = 1_000,
    mayEnd = async () => () => false,
    onWait = () => {},
    signal,
  } = options;
  const { source, target, moving } = between;
  const end = performance.now() + withinMs;
  return withBoth(source, target, `lag ${moving.module}`, async (here, there) => {
    for (let good = 0; ; ) {
      signal?.throwIfAborted();
      const begun = performance.now();
      const n = await mark(here, moving, source);
      const came = await seen(there, moving, source, n, ROUND_LIMIT_MS);
      const took = Math.round(performance.now() - begun);
      good = came && took <= roundMs ? good + 1 : 0;
      const open = await olderThan(here, moving);
      const old = open.filter(({ seconds }) => seconds * 1000 > oldestMs);
      const ends = old.length > 0 ? await mayEnd() : () => false;
      const older = old.filter(
        ({ state, application }) => !(state.startsWith('idle in transaction') && ends(application)),
      );
      if (good >= rounds && older.length === 0) return undefined;
      const why =
        older.length > 0
          ? `on ${source.name} there are transactions that are older than ${oldestMs} ms: ${inWords(older)}`
          : `${target.name} is ${came ? '' : 'more than '}${took} ms behind, and ${roundMs} is near enough`;
      if (good === 0 || older.length > 0) onWait(why);
      if (performance.now() >= end) return why;
      if (good === 0 || older.length > 0) await pause(BETWEEN_MS, undefined, { signal });
    }
  });
}
