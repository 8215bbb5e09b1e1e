// How long a pause may take, and what each part of it took. Guarantee: whoever waits within it goes on when it is over, also
// where a server does not answer at all.
import { setTimeout as pause } from 'node:timers/promises';

export class OverBudget extends Error {}

export class Budget {
  readonly numbers: Record<string, number> = {};
  readonly #begun = performance.now();
  readonly #ms: number;
  #kept = 0;

  constructor(ms: number) {
    this.#ms = ms;
  }

  get left(): number {
    return Math.max(0, this.#ms - this.#kept - this.taken);
  }

  /** Kept for the end: what comes before has so much less. */
  keep(ms: number): void {
    this.#kept = ms;
  }

  get taken(): number {
    return performance.now() - this.#begun;
  }

  /**
   * Rejects with OverBudget when the time is up first; what was begun is not taken back by that.
   * @param most this part's share.
   */
  async spend<T>(part: string, work: () => Promise<T>, most = Number.POSITIVE_INFINITY): Promise<T> {
    if (this.left === 0) throw new OverBudget(this.#words(part));
    const begun = performance.now();
    const timer = new AbortController();
    const over = pause(Math.min(most, this.left), undefined, { signal: timer.signal }).then(
      () => Promise.reject(new OverBudget(this.#words(part))),
      () => undefined as never,
    );
    const working = work();
    working.catch(() => {});
    try {
      return await Promise.race([working, over]);
    } finally {
      timer.abort();
      this.note(part, begun);
    }
  }

  /** @param begun as of performance.now(). */
  note(part: string, begun: number): void {
    this.numbers[part] = Math.round(performance.now() - begun);
  }

  /** How long it took is said once, when all of it is over: letting go comes on top. */
  #words(part: string): string {
    return `no time was left of ${this.#ms} ms (${part})`;
  }
}
