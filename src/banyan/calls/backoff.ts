// How long a process that refused is left alone: 50 ms, doubled with every refusal up to 2 s, give or take a
// quarter so that many callers do not return in step. The first success forgets it all. It keeps no timer:
// the next call after that time is the attempt.
import { waitAfter } from '../context/backoff.ts';

const waits = { firstMs: 50, longestMs: 2000, between: [0.75, 1.25] } as const;

export class Backoff {
  #refusals = 0;
  #until = 0;

  refused(): void {
    this.#refusals += 1;
    this.#until = Date.now() + waitAfter(this.#refusals, waits);
  }

  succeeded(): void {
    this.#refusals = 0;
    this.#until = 0;
  }

  /** It refused and has not been reached since. */
  get failing(): boolean {
    return this.#refusals > 0;
  }

  overAt(now: number): boolean {
    return now >= this.#until;
  }
}
