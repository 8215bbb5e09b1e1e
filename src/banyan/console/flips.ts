// The last flip of each module, as it is seen from here: where from, where to, what is still under way to the side that it
// left, and how many requests failed meanwhile. What it came to is given away once, to be kept. What happened while nobody looked has no count,
// and none is made up.
import type { Entry, Overview } from '../placement/admin-contract.ts';
import type { CountedFlip } from '../placement/history.ts';
import type { HostRow } from '../placement/tables.ts';
import type { Rates } from './rates.ts';
import type { PictureFlip } from './shared/picture-shape.ts';
import { servesInWords } from './shared/words.ts';

interface Seen {
  readonly flip: Omit<PictureFlip, 'draining' | 'failed' | 'over'>;
  readonly to: Pick<Entry, 'placement' | 'percent'>;
  /** Failed ones of the module before it. */
  readonly before: number;
  readonly begun: number;
  failed: number;
  draining: number;
  over: boolean;
  overAt?: string;
}

export class Flips {
  readonly #serves = new Map<string, { words: string; changedAt: string; failed: number }>();
  readonly #seen = new Map<string, Seen>();
  readonly #settlesMs: number;
  #counted: CountedFlip[] = [];

  constructor(settlesMs: number) {
    this.#settlesMs = settlesMs;
  }

  /** After a look at counts, which came before the look at placements: what failed since the look before counts with it. */
  look(now: number, { modules }: Pick<Overview, 'modules'>, hosts: readonly HostRow[], rates: Rates): void {
    for (const entry of modules) {
      const { module, changedAt, changedBy: by } = entry;
      const words = servesInWords(entry);
      const known = this.#serves.get(module);
      const failed = rates.failed(module);
      if (known && known.words !== words) {
        // The next one ends it.
        this.#count(module);
        this.#seen.set(module, {
          flip: { from: known.words, to: words, at: changedAt, by },
          to: { placement: entry.placement, percent: entry.percent },
          before: known.failed,
          begun: now,
          failed: 0,
          draining: 0,
          over: false,
        });
      }
      this.#serves.set(module, { words, changedAt, failed });
      const seen = this.#seen.get(module);
      if (!seen || seen.over) continue;
      seen.failed = failed - seen.before;
      seen.draining = leavesService(entry) ? underWay(hosts, module) : 0;
      if (seen.draining > 0 || now - seen.begun < this.#settlesMs) continue;
      this.#count(module);
      seen.over = true;
      seen.overAt = new Date(now).toISOString();
    }
  }

  /** What flips came to that are over since the last call. */
  takeCounted(): CountedFlip[] {
    return this.#counted.splice(0);
  }

  #count(module: string): void {
    const seen = this.#seen.get(module);
    if (!seen || seen.over) return;
    this.#counted.push({ module, ...seen.to, changedAt: seen.flip.at, failed: seen.failed });
  }

  /** Nobody looked for a while. */
  forget(): void {
    this.#serves.clear();
    for (const seen of this.#seen.values()) seen.over = true;
  }

  of(module: string): PictureFlip | undefined {
    const seen = this.#seen.get(module);
    if (!seen) return undefined;
    const { flip, draining, failed, over, overAt } = seen;
    return { ...flip, draining, failed, over, ...(overAt !== undefined && { overAt }) };
  }
}

const leavesService = ({ placement }: Pick<Entry, 'placement'>) =>
  placement === 'in-process' || placement === 'shadow';

/** Requests on their way to the service side of a module, as senders and as processes say: the larger of both. */
function underWay(hosts: readonly HostRow[], module: string): number {
  let [sent, served] = [0, 0];
  for (const { live, role, inflight, busy } of hosts) {
    if (!live) continue;
    sent += inflight[module] ?? 0;
    if (role === 'service') served += busy[module] ?? 0;
  }
  return Math.max(sent, served);
}
