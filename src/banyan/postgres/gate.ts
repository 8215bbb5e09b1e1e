// A gate before a module's store. While it is shut whoever comes waits, for as long as its own deadline lets it and five
// seconds at most, and then hears 503 with the time to come again; when it opens all of them go on, in the order they came.
// It must not know what is behind it.
import { currentFlow } from '../context/call.ts';

/** Nobody is kept for longer, whatever its deadline. */
export const MOST_WAIT_MS = 5_000;

export class Gate {
  #waiting = new Set<() => void>();
  #shut = false;

  get shut(): boolean {
    return this.#shut;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  close(): void {
    this.#shut = true;
  }

  open(): void {
    this.#shut = false;
    const all = this.#waiting;
    this.#waiting = new Set();
    for (const go of all) go();
  }

  /** Resolves when it is open. Whoever asks again after it must look again: it may have been shut meanwhile. */
  pass(): Promise<void> {
    if (!this.#shut) return Promise.resolve();
    const left = (currentFlow()?.deadline ?? Number.POSITIVE_INFINITY) - Date.now();
    if (left <= 0) return Promise.reject(keptTooLong());
    return new Promise((resolve, reject) => {
      const go = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(
        () => {
          this.#waiting.delete(go);
          reject(keptTooLong());
        },
        Math.min(left, MOST_WAIT_MS),
      );
      this.#waiting.add(go);
    });
  }
}

/** In the words by which an outage is known (outage.ts), by Prisma too: a caller hears 503 and when to come again. */
function keptTooLong(): Error {
  return Object.assign(new Error('The store was held for longer than could be waited; nothing was done'), {
    code: 'ETIMEDOUT',
  });
}
