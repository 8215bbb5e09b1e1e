// When a host leaves off mirroring, so that clients never pay for a comparison: for one module, where too much of it is under
// way or a budget is reached too often; for all, where the event loop is late, which they share. It pauses and goes on by
// itself. While the event loop has work to do reads are tried one at a time in the whole host, with a long rest after each: the
// longer one takes, the fewer there are, and what is left out is counted. The rests are of chance, so that requests in step with
// them are not always left out. Writes are few, neither left out for that nor a reason to rest. Pure but for the clock and the dice
// that it is given.

/** Shadows of one module under way at once; of those a process tries two at a time (store/rolled-back.ts). */
export const MOST_IN_FLIGHT = 64;
/** Of so many the last ones, such a part may reach its budget. */
const LAST = 100;
const MOST_LATE = 5;
/** Of the event loop, by its 99th percentile. */
export const MOST_LOOP_MS = 50;
export const PAUSE_MS = 30_000;
/** An event loop that works so much of its time is busy: what is done besides makes somebody wait. */
export const BUSY = 0.25;
/**
 * After a read's shadow in a busy process there is none for so many times as long as it took on average, and for so long at the
 * most: so for nine tenths of the time requests have none beside them.
 */
const REST = 9;
const MOST_REST_MS = 50;

/** Pauses that follow each other sooner than this are one trouble: it is told once, until it went well for so long. */
export const WELL_MS = 300_000;

/** Hears of a pause, and why; not of those that soon follow another. */
export type Opened = (why: string) => void;

class Pause {
  readonly #now: () => number;
  readonly #opened: Opened;
  #until = Number.NEGATIVE_INFINITY;
  #why: string | undefined;

  constructor(opened: Opened, now: () => number = () => performance.now()) {
    this.#opened = opened;
    this.#now = now;
  }

  /** Why nothing is mirrored now. */
  get paused(): string | undefined {
    return this.#now() < this.#until ? this.#why : undefined;
  }

  protected open(why: string): void {
    const now = this.#now();
    const again = now - this.#until < WELL_MS;
    this.#until = now + PAUSE_MS;
    this.#why = why;
    if (!again) this.#opened(why);
  }
}

/** Of the whole host. */
export class LoopBreaker extends Pause {
  readonly #clock: () => number;
  readonly #dice: () => number;
  #busy = false;
  #reading = 0;
  #lastBegan = 0;
  #restUntil = 0;

  /** @param dice from 0 to 1. */
  constructor(
    opened: Opened,
    now: () => number = () => performance.now(),
    dice: () => number = () => Math.random(),
  ) {
    super(opened, now);
    this.#clock = now;
    this.#dice = dice;
  }

  /** Whether one more may begin; who gets yes says `over`. */
  begins(isRead: boolean): boolean {
    if (!isRead) return true;
    if (this.#busy && (this.#reading > 0 || this.#clock() < this.#restUntil)) return false;
    this.#reading += 1;
    this.#lastBegan = this.#clock();
    return true;
  }

  over(isRead: boolean): void {
    if (!isRead) return;
    this.#reading -= 1;
    const now = this.#clock();
    const rest = Math.min(REST * (now - this.#lastBegan), MOST_REST_MS);
    this.#restUntil = now + rest * (0.5 + this.#dice());
  }

  /** Which part of its time the event loop worked lately. */
  works(part: number): void {
    this.#busy = part > BUSY;
  }

  /** How late the event loop was lately. */
  look(p99Ms: number): void {
    if (p99Ms > MOST_LOOP_MS && this.paused === undefined)
      this.open(`the event loop of this host is ${Math.round(p99Ms)} ms late (p99)`);
  }
}

/** Of one module. */
export class Breakers extends Pause {
  readonly #host: LoopBreaker;
  #inFlight = 0;
  #last: boolean[] = [];

  constructor(host: LoopBreaker, opened: Opened, now?: () => number) {
    super(opened, now);
    this.#host = host;
  }

  override get paused(): string | undefined {
    return super.paused ?? this.#host.paused;
  }

  /** Whether one more may begin; who gets yes says `over`. */
  begins(isRead: boolean): boolean {
    if (this.paused !== undefined) return false;
    if (this.#inFlight >= MOST_IN_FLIGHT) {
      this.open(`${MOST_IN_FLIGHT} shadows were under way at once`);
      return false;
    }
    if (!this.#host.begins(isRead)) return false;
    this.#inFlight += 1;
    return true;
  }

  /** @param late it reached its budget. */
  over(isRead: boolean, late: boolean): void {
    this.#inFlight -= 1;
    this.#host.over(isRead);
    this.#last.push(late);
    if (this.#last.length > LAST) this.#last.shift();
    const reached = this.#last.filter(Boolean).length;
    if (late && this.#last.length === LAST && reached >= MOST_LATE)
      this.open(`${reached} of the last ${LAST} shadows reached their budget`);
  }

  protected override open(why: string): void {
    this.#last = [];
    super.open(why);
  }
}
