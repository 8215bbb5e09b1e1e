// Work in small groups: keys that are handled in one transaction, and so wait for the disk once. A group is made
// of what waits when a lane is free: nothing is held back to fill one. It is bounded by count and by the time that
// its pieces will probably take, so that a fast event never waits behind many slow ones.
// Guarantees: the pieces of one chain are done in order and never twice at once; a group that fails is done
// again piece by piece, and what fails then is that piece's own affair.
// It must not know what a piece is.

export interface GroupsOptions<T> {
  /** Groups in hand at once. */
  readonly atOnce: number;
  /** Does all of them or, when it throws, none. Each list is part of one chain. */
  readonly together: (lists: readonly (readonly T[])[]) => Promise<void>;
  /** Does them one after the other; rejects when they must come again. */
  readonly alone: (list: readonly T[]) => Promise<void>;
  /** Milliseconds that a piece will probably take. */
  readonly estimate: (piece: T) => number;
  /** What is done alone keeps others waiting at most so long, in milliseconds. Default: until it is done. */
  readonly patienceMs?: number;
  /** A group failed; its pieces are done alone. */
  readonly onApart?: (error: unknown) => void;
}

interface Chain<T> {
  readonly pieces: readonly T[];
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
export const LARGEST = 64;
export const BUDGET_MS = 40;

export class Groups<T> {
  readonly #options: GroupsOptions<T>;
  readonly #queue: Chain<T>[] = [];
  #running = 0;
  /** Halved by each group that fails, so that a conflict or a defect does not make all work twice as long. */
  #largest = LARGEST;
  #pumping = false;

  constructor(options: GroupsOptions<T>) {
    this.#options = options;
  }

  /** Resolves when every piece is done. Once the signal is aborted nothing more of it is begun. */
  add(pieces: readonly T[], signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ pieces, next: 0, resolve, reject, signal });
      if (this.#pumping) return;
      // What else comes in this turn belongs into the same group.
      this.#pumping = true;
      queueMicrotask(() => {
        this.#pumping = false;
        this.#pump();
      });
    });
  }

  #pump(): void {
    while (this.#running < this.#options.atOnce) {
      const group = this.#compose();
      if (group.length === 0) return;
      this.#running += 1;
      let held = true;
      const release = () => {
        if (!held) return;
        held = false;
        this.#running -= 1;
        this.#pump();
      };
      void this.#do(group, release).finally(() => {
        release();
        this.#pump();
      });
    }
  }

  /** The next pieces, chain by chain, for as long as there is room. At least one, however long it takes. */
  #compose(): Part<T>[] {
    const group: Part<T>[] = [];
    let count = 0;
    let ms = 0;
    while (this.#queue[0] && count < this.#largest) {
      const chain = this.#queue[0];
      if (chain.signal.aborted) {
        this.#queue.shift();
        chain.reject(new Stopped());
        continue;
      }
      const from = chain.next;
      let to = from;
      while (to < chain.pieces.length && count < this.#largest) {
        const more = this.#options.estimate(chain.pieces[to]!);
        if (count > 0 && ms + more > BUDGET_MS) break;
        ms += more;
        count += 1;
        to += 1;
      }
      if (to === from) break;
      group.push({ chain, pieces: chain.pieces.slice(from, to) });
      this.#queue.shift();
      if (to < chain.pieces.length) break;
    }
    return group;
  }

  async #do(group: readonly Part<T>[], release: () => void): Promise<void> {
    const single = group.length === 1 && group[0]!.pieces.length === 1;
    if (!single) {
      try {
        await this.#options.together(group.map(({ pieces }) => pieces));
        this.#largest = Math.min(LARGEST, this.#largest + 1);
        for (const part of group) this.#done(part);
        return;
      } catch (error) {
        this.#options.onApart?.(error);
        // At least two: a single piece is never done as a group, so the size would never grow again.
        this.#largest = Math.max(2, Math.floor(this.#largest / 2));
      }
    }
    const { patienceMs } = this.#options;
    const patience = patienceMs === undefined ? undefined : setTimeout(release, patienceMs);
    await Promise.all(
      group.map(async (part) => {
        try {
          await this.#options.alone(part.pieces);
          this.#done(part);
        } catch (error) {
          part.chain.reject(error);
        }
      }),
    );
    clearTimeout(patience);
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
export class Pace {
  readonly #ms = new Map<string, number>();

  of(kind: string): number {
    return this.#ms.get(kind) ?? BUDGET_MS / 4;
  }

  took(kind: string, ms: number): void {
    const before = this.#ms.get(kind);
    this.#ms.set(kind, before === undefined ? ms : before + (ms - before) / 8);
  }
}
