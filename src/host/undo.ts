// What was begun, to be ended in the opposite order. One part that fails to end does not keep the others up.
import type { Logger } from 'pino';

export class Undo {
  readonly #steps: (() => Promise<unknown> | unknown)[] = [];
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  push(step: () => Promise<unknown> | unknown): void {
    this.#steps.push(step);
  }

  async all(): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        this.#log.warn({ err: error }, 'a part did not end cleanly');
      }
    }
  }
}

/**
 * Waits for the work, but not once the host was told to stop: then it rejects at once. For work that leaves
 * nothing which is not in the list of what is to be ended.
 */
export async function unlessStopped<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const stopped = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([work, stopped]);
}
