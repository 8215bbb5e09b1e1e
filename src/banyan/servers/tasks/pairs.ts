// A look at every pair that stands, all three seconds: how far the passive server is behind, and whether it still follows. A
// pair that broke is told once, in the transaction in which it is written down: only a new copy mends it. Where a server lets in who it should not, it is put right.
import type { Logger } from 'pino';
import type { ControlStore } from '../../placement/store.ts';
import type { Sql } from '../../store/store.ts';
import type { Between, Mechanics, PairState, Places, Reach } from './mechanics.ts';
import type { PairRows } from './pair-rows.ts';

export interface PairsOptions {
  readonly self: string;
  readonly pairs: PairRows;
  readonly places: Places;
  readonly store: Pick<ControlStore, 'change'>;
  readonly reach: Reach;
  readonly mechanics: Pick<Mechanics, 'pairState' | 'isSettled' | 'recover'>;
  /** Modules to whose stores something is being done: how they stand is for whoever does it to say. */
  readonly busy: () => Promise<readonly string[]>;
  /** Leaves word for whoever is to be told, in the transaction that makes it true. */
  readonly tell: (tx: Sql, text: string, about: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly log: Logger;
}

const LOOK_MS = 3_000;

/** Answers how many pairs there are; asked more often it does not look. */
export function createPairLooks(options: PairsOptions): () => Promise<number> {
  const { places, pairs, reach, self } = options;
  let last = Number.NEGATIVE_INFINITY;
  let count = 0;
  return async () => {
    if (performance.now() - last < LOOK_MS) return count;
    last = performance.now();
    const paired = (await places.read()).filter(({ pairedWith }) => pairedWith !== null);
    if (paired.length > 0 || count > 0) await pairs.forget(paired.map(({ module }) => module));
    count = paired.length;
    for (const { module, server, pairedWith } of paired) {
      if ([server, pairedWith!].some((one) => reach.refusal(module, one) !== undefined)) continue;
      const mine = await pairs.claim(module, self);
      if (mine) await look(options, module, server, pairedWith!, mine.before);
    }
    return count;
  };
}

/**
 * Mends what a coordinator did that was frozen for the length of a whole move and then went on: it may have given a server
 * back its rights that is not the owner any more. The rows say who is. Under the lock that the hold and the commit point
 * take: otherwise a store that moves at the same moment could be fenced at its new owner.
 */
async function settle({ mechanics, places, store, log }: PairsOptions, both: Between): Promise<void> {
  if (await mechanics.isSettled(both)) return;
  const { module } = both.moving;
  await store.change(async () => {
    const place = (await places.read()).find((one) => one.module === module);
    const stands = place?.server === both.source.name && place.gate === 'open';
    if (!stands || (await mechanics.isSettled(both))) return false;
    log.warn(
      { module, owner: both.source.name },
      'a server let a module in that is elsewhere, or was not marked so; put right',
    );
    await mechanics.recover(both, both.source);
    return false;
  });
}

async function look(
  options: PairsOptions,
  module: string,
  server: string,
  pairedWith: string,
  before: PairState['state'] | null,
): Promise<void> {
  const { reach, mechanics, pairs, self, log, tell, busy, store } = options;
  let seen: PairState;
  try {
    const [source, target] = await Promise.all([
      reach.serverAt(module, server),
      reach.serverAt(module, pairedWith),
    ]);
    const both: Between = { source, target, moving: reach.moving(module) };
    seen = await mechanics.pairState(both);
    if (seen.state === 'paired' && !seen.reason && !(await busy()).includes(module))
      await settle(options, both);
  } catch (error) {
    // A server that is away is not a pair that is broken: it catches up.
    log.debug({ module, error: (error as Error).message }, 'a pair could not be looked at');
    return;
  }
  if (seen.state === before || (seen.state !== 'broken' && before !== 'broken'))
    return pairs.keep(module, self, seen);
  const { state, reason, lagBytes } = seen;
  const text =
    state === 'broken'
      ? `the store of ${module} is on ${server}, and ${pairedWith} does not follow it any more: ${reason ?? 'nobody knows why'}. ` +
        `Only a new copy mends it: npx banyan store finish ${module}, then move again`
      : `${pairedWith} follows the store of ${module} again`;
  await store.change(async (tx) => {
    await pairs.keep(module, self, seen, tx);
    await tell(tx, text, { module, server, pairedWith, state, reason: reason ?? null, lagBytes });
    return false;
  });
  log[state === 'broken' ? 'error' : 'info']({ module, server, pairedWith, reason }, text);
}
