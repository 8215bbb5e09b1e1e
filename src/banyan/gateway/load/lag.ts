// The second gate: how late the event loop is. Latency says nothing of requests that wait in sockets because the loop
// has no turn for them; this does. While the loop stays late, a share of the requests is let through that is halved again
// and again; once it keeps time the share grows back. LagShare is the calculation, watchLag the timer under it.

/** A pause of the garbage collector or of a busy machine is shorter, or is not there three times in a row. */
const LATE_MS = 300;
const IN_TIME_MS = 100;
const IN_A_ROW = 3;
const LEAST_SHARE = 1 / 16;
const STEP_UP = 1 / 8;
const TICK_MS = 100;

export class LagShare {
  #share = 1;
  #late = 0;
  #credit = 0;

  get share(): number {
    return this.#share;
  }

  /** A tick that came so much too late. */
  tick(lagMs: number): void {
    if (lagMs > LATE_MS) {
      this.#late += 1;
      if (this.#late >= IN_A_ROW) this.#share = Math.max(LEAST_SHARE, this.#share / 2);
      return;
    }
    this.#late = 0;
    if (lagMs < IN_TIME_MS) this.#share = Math.min(1, this.#share + STEP_UP);
  }

  /** Whether this request is one of the share; evenly, without chance. */
  passes(): boolean {
    if (this.#share === 1) return true;
    this.#credit += this.#share;
    if (this.#credit < 1) return false;
    this.#credit -= 1;
    return true;
  }
}

export interface Lag {
  readonly share: LagShare;
  /** Milliseconds for which the loop has had no turn: what is read now may have waited as long. */
  stoodFor(now: number): number;
  stop(): void;
}

export function watchLag(clock: () => number = () => performance.now()): Lag {
  const share = new LagShare();
  let last = clock();
  const timer = setInterval(() => {
    const now = clock();
    share.tick(now - last - TICK_MS);
    last = now;
  }, TICK_MS).unref();
  return { share, stoodFor: (now) => now - last, stop: () => clearInterval(timer) };
}
