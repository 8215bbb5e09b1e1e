// A share of the requests, rehearsed on a shop of real processes, in two pieces: the same keys at six shares, and then
// many requests while the share is changed under them. Afterwards money, stock and mail of what was ordered must agree.
// It must not know what a change of a share does inside: it is seen by answers, counters and tables alone.
import { createRandom } from '../../chaos/random.ts';
import { wrongAtRest } from '../../saga/sums.ts';
import type { ChangesOutcome } from './book.ts';
import { playChanges } from './changes.ts';
import { Findings } from './findings.ts';
import { makeKeys } from './keys.ts';
import { playSets, type SetRow } from './sets.ts';
import { openShop } from './stage.ts';

export interface ShareOptions {
  readonly requests: number;
  readonly changes: number;
  readonly keys: number;
  readonly seed: number;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface ShareOutcome {
  readonly seed: number;
  readonly sets: readonly SetRow[];
  readonly changes: ChangesOutcome;
  readonly seconds: number;
  /** Sentences; none: all held. */
  readonly wrong: readonly string[];
}

/** Leases and backoffs of the checkout end well within it. */
const PATIENCE_MS = 120_000;

export async function rehearseShare(options: ShareOptions): Promise<ShareOutcome> {
  const { seed, keys: count, say, signal = new AbortController().signal } = options;
  const began = performance.now();
  say('starting: PostgreSQL, two monoliths, a gateway, a process of catalog and one of orders');
  const shop = await openShop(signal);
  try {
    const random = createRandom(seed);
    const keys = await makeKeys(shop, random, count);
    const found = new Findings();
    const piece = { shop, keys, random, found, say, signal };
    const sets = await playSets(piece);
    const changes = await playChanges({ ...piece, requests: options.requests, changes: options.changes });
    say('waiting until every order is final');
    for (const sentence of await wrongAtRest(shop.databaseUrl, shop.stock, PATIENCE_MS, signal))
      found.add('afterwards', sentence);
    return { seed, sets, changes, seconds: (performance.now() - began) / 1000, wrong: found.sentences() };
  } finally {
    await shop.stop();
  }
}
