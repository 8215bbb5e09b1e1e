// How often the process of one number ended, and whether for the same reason: from it follow the wait before the next
// try, the line in the log and what the row says. One that ends ten times in a row for the same reason, before it was
// healthy, is tried once a minute, and the log says so once. It starts and ends nothing.
import type { Logger } from 'pino';
import { waitAfter } from '../context/backoff.ts';
import { sameCause } from '../identity/hop.ts';

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;
const SAME_REASON_MOST = 10;
const SAME_REASON_WAIT_MS = 60_000;
const STEADY_MS = 10_000;

export class Setbacks {
  readonly #id: string;
  readonly #log: Logger;
  readonly #note: (failures: number, lastExit: string | null) => Promise<void>;
  /** In a row, since it was healthy. */
  #failures = 0;
  /** Since it was healthy for 10 s. */
  #tries = 0;
  #reason = '';
  #sameReason = 0;

  /** @param note stores what the row says of it; must not reject. */
  constructor(id: string, log: Logger, note: (failures: number, lastExit: string | null) => Promise<void>) {
    this.#id = id;
    this.#log = log;
    this.#note = note;
  }

  /** It failed to become healthy twice: whoever waits for it need not wait longer. */
  get isFailing(): boolean {
    return this.#failures >= 2;
  }

  becameHealthy(): void {
    this.#failures = 0;
    void this.#note(this.#failures, null);
  }

  /** @param healthyMs for how long it was healthy; absent: it never was. */
  async ended(reason: string, healthyMs?: number): Promise<void> {
    const wasHealthy = healthyMs !== undefined;
    if (wasHealthy && healthyMs > STEADY_MS) this.#tries = 0;
    this.#failures = wasHealthy ? 1 : this.#failures + 1;
    this.#sameReason = !wasHealthy && sameCause(this.#reason || undefined, reason) ? this.#sameReason + 1 : 1;
    this.#reason = reason;
    const said = { id: this.#id, reason };
    if (this.#sameReason < SAME_REASON_MOST) this.#log.error(said, 'a service ended, starting it again');
    else if (this.#sameReason === SAME_REASON_MOST)
      this.#log.error(said, 'a service does not start; it is tried once a minute');
    await this.#note(this.#failures, reason);
  }

  /** Nothing is started for now. @param failing that is a failure, and the row says so. */
  async held(reason: string, failing: boolean): Promise<void> {
    const said = { id: this.#id, reason };
    if (failing) this.#log.error(said, 'a service cannot be started');
    else this.#log.info(said, 'no process is started');
    this.#failures = failing ? 2 : 0;
    await this.#note(this.#failures, failing ? reason : null);
  }

  /** How long to wait before one more try, in milliseconds. */
  nextWait(): number {
    this.#tries += 1;
    const longestMs = this.#sameReason >= SAME_REASON_MOST ? SAME_REASON_WAIT_MS : LONGEST_WAIT_MS;
    return waitAfter(this.#tries, { firstMs: FIRST_WAIT_MS, longestMs });
  }
}
