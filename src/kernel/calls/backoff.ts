// How long a process that refused is left alone: 50 ms, doubled with every refusal up to 2 s, give or take a
// quarter so that many callers do not return in step. The first success forgets it all. It keeps no timer:
// the next call after that time is the attempt.
const FIRST_MS = 50;
const LONGEST_MS = 2000;

export class Backoff {
  #refusals = 0;
  #until = 0;

  refused(): void {
    const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#refusals);
    this.#refusals += 1;
    this.#until = Date.now() + wait * (0.75 + Math.random() / 2);
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
