// The events of one transaction, each handled as if it had been alone in it. Those whose listeners send all their
// statements before they read an answer go side by side, key by key, and leave as one pipeline; the others go one
// after the other. Which listener is of which kind is seen, not said: it starts in turn, goes side by side after some
// times without a second wave, and is back in turn at the first, which costs that transaction (store/turns.ts).
// It must not know what a listener does.

import { inTurn, Manners, Turn } from '../store/turns.ts';
import type { Envelope } from './envelope.ts';
import type { Listener } from './listener.ts';

/** One event of several that are handled in one transaction. */
export interface Shared {
  readonly listener: Listener;
  readonly envelope: Envelope;
  readonly topic: string;
}

export class Turns {
  readonly #manners = new Manners<Listener>();

  /** Handles them all, those of one key in the order given. `took`: how long one probably takes. */
  async take<T extends Shared>(
    events: readonly T[],
    handle: (one: T) => Promise<void>,
    took: (one: T, ms: number) => void,
  ): Promise<void> {
    for (const some of runs(events, (one) => this.#manners.areGood(one.listener))) {
      const began = performance.now();
      await sideBySide(some, (one) => this.#watched(one, some.length > 1, handle));
      const each = (performance.now() - began) / some.length;
      for (const one of some) took(one, each);
    }
  }

  async #watched<T extends Shared>(
    one: T,
    inCompany: boolean,
    handle: (one: T) => Promise<void>,
  ): Promise<void> {
    const turn = new Turn(inCompany);
    try {
      await inTurn(turn, () => handle(one));
    } finally {
      this.#manners.saw(one.listener, turn);
    }
  }
}

/** In the order given: neighbours that may go together, and each of the others for itself. */
function runs<T>(all: readonly T[], may: (one: T) => boolean): T[][] {
  const found: T[][] = [];
  let open = false;
  for (const one of all) {
    const joins = may(one);
    if (joins && open) found.at(-1)!.push(one);
    else found.push([one]);
    open = joins;
  }
  return found;
}

/** One key in one order, whatever the topic: their listeners may write the same rows. */
async function sideBySide<T extends Shared>(
  some: readonly T[],
  handle: (one: T) => Promise<void>,
): Promise<void> {
  const keys = [...Map.groupBy(some, ({ envelope }) => envelope.subject).values()];
  await allOf(
    keys.map(async (chain) => {
      for (const one of chain) await handle(one);
    }),
  );
}

/** Waits for all of them, also when one fails; then that one's error, since the rest is what followed from it. */
async function allOf(running: readonly Promise<void>[]): Promise<void> {
  let first: { error: unknown } | undefined;
  const seen = running.map((one) =>
    one.catch((error: unknown) => {
      first ??= { error };
    }),
  );
  await Promise.all(seen);
  if (first) throw first.error;
}
