// One timer for all calls under way: a timer per call costs 0.3 to 0.5 us and is almost always cancelled.
// It rings at the earliest deadline it was told of; whoever owns the calls then looks for those that are due
// and answers with the next earliest. It knows no call.
import { AsyncLocalStorage } from 'node:async_hooks';

/** What a call gets that nobody set a deadline for. */
export const DEFAULT_DEADLINE_MS = 5000;

/** Kept back on every hop, so that the one asked gives up first and can say what it was waiting for. */
export const HOP_MARGIN_MS = 10;

export class DeadlineTimer {
  readonly #due: (now: number) => number;
  // A timer keeps the asynchronous context it was made in; the flow of one call must not ring for others.
  readonly #outside = AsyncLocalStorage.snapshot();
  #timer: NodeJS.Timeout | undefined;
  #at = Number.POSITIVE_INFINITY;

  /** @param due ends what is due by `now` and answers the earliest deadline left (Infinity: none). */
  constructor(due: (now: number) => number) {
    this.#due = due;
  }

  /** A deadline, in milliseconds since the epoch. A comparison, when an earlier one is known. */
  watch(deadline: number): void {
    if (deadline < this.#at) this.#arm(deadline);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#at = Number.POSITIVE_INFINITY;
  }

  #arm(deadline: number): void {
    clearTimeout(this.#timer);
    this.#at = deadline;
    if (deadline === Number.POSITIVE_INFINITY) return;
    const wait = Math.max(1, deadline - Date.now());
    this.#timer = this.#outside(setTimeout, () => this.#ring(), wait);
    this.#timer?.unref();
  }

  #ring(): void {
    this.#at = Number.POSITIVE_INFINITY;
    this.#arm(Math.min(this.#at, this.#due(Date.now())));
  }
}
