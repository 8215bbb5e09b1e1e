// Work in small batches: keys that are handled in one transaction, and so wait for the disk once. A batch is made
// of what waits when a slot is free: nothing is held back to fill one. It is bounded by count and by the time that
// its pieces will probably take, so that a fast event never waits behind many slow ones: for as long as it has waited, if
// that is more than a moment, and not for longer.
// Guarantees: the pieces of one chain are done in order and never twice at once; a batch that fails is done
// again piece by piece, and what fails then is that piece's own affair.
// It must not know what a piece is.

export interface BatcherOptions<T> {
  /** Batches in hand at once. */
  readonly atOnce: number;
  /** Does all of them or, when it throws, none. Each list is part of one chain. */
  readonly together: (lists: readonly (readonly T[])[]) => Promise<void>;
  /** Does them one after the other; rejects when they must come again. */
  readonly alone: (list: readonly T[]) => Promise<void>;
  /** Milliseconds that a piece will probably take. */
  readonly estimate: (piece: T) => number;
  /** What is done alone keeps others waiting at most so long, in milliseconds. Default: until it is done. */
  readonly releaseAfterMs?: number;
  /** A batch failed; its pieces are done alone. */
  readonly onSplit?: (error: unknown) => void;
}

interface Chain<T> {
  readonly pieces: readonly T[];
  readonly since: number;
  next: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal;
}

interface Part<T> {
  readonly chain: Chain<T>;
  readonly pieces: readonly T[];
}

/** One commit costs about as much as handling ten events; beyond some dozens nothing more is won. */
export const MAX_BATCH = 64;
export const BATCH_BUDGET_MS = 40;
/**
 * What has waited for longer may be in a batch that takes as long again, up to this, which is less than what a batch waits
 * for a row that another has (250 ms). In a busy process all pieces take
 * longer: if batches became smaller for it, more transactions would make it busier, and it would not catch up.
 */
export const LONGEST_BATCH_MS = 200;

export class Batcher<T> {
  readonly #options: BatcherOptions<T>;
  readonly #queue: Chain<T>[] = [];
  #running = 0;
  /** Halved by each batch that fails, so that a conflict or a defect does not make all work twice as long. */
  #maxBatch = MAX_BATCH;
  #pumping = false;

  constructor(options: BatcherOptions<T>) {
    this.#options = options;
  }

  /** Resolves when every piece is done. Once the signal is aborted nothing more of it is begun. */
  add(pieces: readonly T[], signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ pieces, since: performance.now(), next: 0, resolve, reject, signal });
      if (this.#pumping) return;
      // What else comes in this turn belongs into the same batch.
      this.#pumping = true;
      queueMicrotask(() => {
        this.#pumping = false;
        this.#pump();
      });
    });
  }

  #pump(): void {
    while (this.#running < this.#options.atOnce) {
      const batch = this.#compose();
      if (batch.length === 0) return;
      this.#running += 1;
      let held = true;
      const release = () => {
        if (!held) return;
        held = false;
        this.#running -= 1;
        this.#pump();
      };
      void this.#do(batch, release).finally(() => {
        release();
        this.#pump();
      });
    }
  }

  /** The next pieces, chain by chain, for as long as there is room. At least one, however long it takes. */
  #compose(): Part<T>[] {
    const batch: Part<T>[] = [];
    const budget = this.#budget();
    let count = 0;
    let ms = 0;
    while (this.#queue[0] && count < this.#maxBatch) {
      const chain = this.#queue[0];
      if (chain.signal.aborted) {
        this.#queue.shift();
        chain.reject(new Stopped());
        continue;
      }
      const from = chain.next;
      let to = from;
      while (to < chain.pieces.length && count < this.#maxBatch) {
        const more = this.#options.estimate(chain.pieces[to]!);
        if (count > 0 && ms + more > budget) break;
        ms += more;
        count += 1;
        to += 1;
      }
      if (to === from) break;
      batch.push({ chain, pieces: chain.pieces.slice(from, to) });
      this.#queue.shift();
      if (to < chain.pieces.length) break;
    }
    return batch;
  }

  /** Milliseconds that the next batch may probably take. */
  #budget(): number {
    const waited = performance.now() - (this.#queue[0]?.since ?? Number.POSITIVE_INFINITY);
    return Math.min(Math.max(waited, BATCH_BUDGET_MS), LONGEST_BATCH_MS);
  }

  async #do(batch: readonly Part<T>[], release: () => void): Promise<void> {
    const single = batch.length === 1 && batch[0]!.pieces.length === 1;
    if (!single) {
      try {
        await this.#options.together(batch.map(({ pieces }) => pieces));
        this.#maxBatch = Math.min(MAX_BATCH, this.#maxBatch + 1);
        for (const part of batch) this.#done(part);
        return;
      } catch (error) {
        this.#options.onSplit?.(error);
        // At least two: a single piece is never done as a batch, so the size would never grow again.
        this.#maxBatch = Math.max(2, Math.floor(this.#maxBatch / 2));
      }
    }
    const { releaseAfterMs } = this.#options;
    const timer = releaseAfterMs === undefined ? undefined : setTimeout(release, releaseAfterMs);
    await Promise.all(
      batch.map(async (part) => {
        try {
          await this.#options.alone(part.pieces);
          this.#done(part);
        } catch (error) {
          part.chain.reject(error);
        }
      }),
    );
    clearTimeout(timer);
  }

  /** The rest of a chain comes before what has waited less. */
  #done({ chain, pieces }: Part<T>): void {
    chain.next += pieces.length;
    if (chain.next === chain.pieces.length) chain.resolve();
    else this.#queue.unshift(chain);
  }
}

/** The partition was taken away or the consumer stops: the rest of the batch is for others. */
export class Stopped extends Error {
  constructor() {
    super('The consumer was stopped');
    this.name = 'Stopped';
  }
}

/** How long pieces of a kind take, as a moving average; a kind that is not known yet is taken for slow. */
export class DurationAverages {
  readonly #ms = new Map<string, number>();

  of(kind: string): number {
    return this.#ms.get(kind) ?? BATCH_BUDGET_MS / 4;
  }

  record(kind: string, ms: number): void {
    const before = this.#ms.get(kind);
    this.#ms.set(kind, before === undefined ? ms : before + (ms - before) / 8);
  }
}
