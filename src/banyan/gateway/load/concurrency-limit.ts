// How many requests of one module may be worked on at once, by the latency that they see. A pure calculation: it is told
// what begins and ends and when, and holds no timer. Guarantees: never below MIN_LIMIT, so that what 64 connections ask
// is never refused; it shrinks after two bad windows without a good one between them. Bad: the median is over both bounds
// (several times what the module needs when it has little to do, and an absolute one) and the queue is not shrinking. So
// neither a pause nor a slow operation shrinks it.

/** 64 connections that each wait for their answer are normal operation, however slow the machine. */
export const MIN_LIMIT = 64;
/** At 1,000 a second a second's standstill passes; in a flood it is there for half a second before it shrinks. */
export const MAX_LIMIT = 1000;

const WINDOW_MS = 250;
/** Fewer say nothing of a median. */
const SAMPLES = 10;
/** Medians below this are nobody's trouble: it is 64 in flight at 250 a second. */
const FINE_MS = 250;
/** So many times what it takes when there is little to do. */
const TOLERANCE = 4;
/** A module whose operations take seconds by nature is not given more than this, of a request's 15 s. */
const MAX_TOLERATED_MS = 4000;
/** With no more than so many at once latency is the module's own, not that of a queue. */
const LITTLE = 8;
/** What is left of those in flight after a window in which a queue got shorter. */
const SHORTER = 0.9;
/** A window's latencies; of more than this the later are left out. */
const KEPT = 512;

export class ConcurrencyLimit {
  #limit = MAX_LIMIT;
  #inFlight = 0;
  /** The most at once in this window. */
  #peak = 0;
  /** In flight when this window began. */
  #before = 0;
  #windowEnds: number;
  readonly #latencies = new Float64Array(KEPT);
  #count = 0;
  /** Median when there was little to do, smoothed; 0: not known yet. */
  #own = 0;
  #badWindows = 0;

  constructor(now: number) {
    this.#windowEnds = now + WINDOW_MS;
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get full(): boolean {
    return this.#inFlight >= this.#limit;
  }

  begin(): void {
    this.#inFlight += 1;
    if (this.#inFlight > this.#peak) this.#peak = this.#inFlight;
  }

  /** @param ms how long it took, however it ended. @param now of the same clock as everywhere here. */
  end(ms: number, now: number): void {
    this.#inFlight -= 1;
    if (this.#count < KEPT) this.#latencies[this.#count++] = ms;
    if (now >= this.#windowEnds && this.#count >= SAMPLES) this.#closeWindow(now);
  }

  #closeWindow(now: number): void {
    const median = this.#latencies.subarray(0, this.#count).sort()[this.#count >> 1]!;
    const tolerated = Math.min(Math.max(FINE_MS, TOLERANCE * this.#own), MAX_TOLERATED_MS);
    if (this.#peak <= LITTLE) this.#own = this.#own === 0 ? median : this.#own * 0.9 + median * 0.1;
    if (median <= tolerated) this.#good();
    else if (this.#inFlight >= this.#before * SHORTER) this.#bad(tolerated / median);
    this.#count = 0;
    this.#peak = this.#inFlight;
    this.#before = this.#inFlight;
    this.#windowEnds = now + WINDOW_MS;
  }

  /** By as much as latency is too high, from what was really in flight: a limit that nobody reached limits nothing. */
  #bad(gradient: number): void {
    this.#badWindows += 1;
    if (this.#badWindows < 2) return;
    this.#limit = Math.max(MIN_LIMIT, Math.min(this.#limit, this.#peak) * Math.max(0.5, gradient));
  }

  /** Also when little of it was used: the next flood finds it high, and shrinks it within a second. */
  #good(): void {
    this.#badWindows = 0;
    this.#limit = Math.min(MAX_LIMIT, this.#limit + Math.max(4, this.#limit / 20));
  }
}
