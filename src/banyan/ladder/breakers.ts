// When a host leaves off mirroring, so that clients never pay for a comparison: too much of it under way, a budget that is
// reached too often, an event loop that is late. It pauses and goes on by itself. Pure but for the clock that it is given.

/** Shadows of one host under way at once; of those a process tries two at a time (store/rolled-back.ts). */
export const MOST_IN_FLIGHT = 64;
/** Of so many the last ones, such a part may reach its budget. */
const LAST = 100;
const MOST_LATE = 5;
/** Of the event loop, by its 99th percentile. */
export const MOST_LOOP_MS = 50;
export const PAUSE_MS = 30_000;

export class Breakers {
  readonly #now: () => number;
  readonly #opened: (why: string) => void;
  #inFlight = 0;
  #last: boolean[] = [];
  #until = 0;
  #why: string | undefined;

  /** @param opened hears once of each pause, and why. */
  constructor(opened: (why: string) => void, now: () => number = Date.now) {
    this.#opened = opened;
    this.#now = now;
  }

  /** Why nothing is mirrored now. */
  get paused(): string | undefined {
    return this.#now() < this.#until ? this.#why : undefined;
  }

  /** Whether one more may begin; who gets yes says `over`. */
  begins(): boolean {
    if (this.#now() < this.#until) return false;
    if (this.#inFlight >= MOST_IN_FLIGHT) {
      this.#open(`${MOST_IN_FLIGHT} shadows were under way at once`);
      return false;
    }
    this.#inFlight += 1;
    return true;
  }

  /** @param late it reached its budget. */
  over(late: boolean): void {
    this.#inFlight -= 1;
    this.#last.push(late);
    if (this.#last.length > LAST) this.#last.shift();
    const reached = this.#last.filter(Boolean).length;
    if (late && this.#last.length === LAST && reached >= MOST_LATE)
      this.#open(`${reached} of the last ${LAST} shadows reached their budget`);
  }

  /** How late the event loop was lately. */
  loop(p99Ms: number): void {
    if (p99Ms > MOST_LOOP_MS && this.#now() >= this.#until)
      this.#open(`the event loop of this host is ${Math.round(p99Ms)} ms late (p99)`);
  }

  #open(why: string): void {
    this.#until = this.#now() + PAUSE_MS;
    this.#why = why;
    this.#last = [];
    this.#opened(why);
  }
}
