// What was begun, to be ended in the opposite order. One part that fails to end does not keep the others up, and
// neither does one that does not end: each has a time of its own, all together have one, and what is not over by then
// is named in the log and left. It knows nothing of the parts; one that can end what it waits for is told its time.
import type { Logger } from 'pino';

/** Milliseconds that a step may take where nothing else is said, and has left when the time of all is up. */
const STEP_MS = 2_000;
const LEAST_MS = 50;
/** What was begun first, the database, is ended by force where it must, and that takes its time. */
const LAST_MS = 1_000;

/** @param leftMs how long it is waited for. */
export type Step = (leftMs: number) => Promise<unknown> | unknown;

interface Named {
  readonly name: string;
  readonly step: Step;
  readonly mostMs: number;
}

export class Undo {
  readonly #steps: Named[] = [];
  readonly #log: Logger;
  #over = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** What a start began after it was given up is ended at once. */
  push(name: string, step: Step, mostMs = STEP_MS): void {
    if (this.#over) void this.end(name, step, mostMs);
    else this.#steps.push({ name, step, mostMs });
  }

  /** @param by by performance.now(). */
  async all(by: number): Promise<void> {
    for (let one = this.#steps.pop(); one; one = this.#steps.pop()) {
      const least = this.#steps.length === 0 ? LAST_MS : LEAST_MS;
      const left = Math.max(least, Math.min(one.mostMs, by - performance.now()));
      await this.end(one.name, one.step, left);
    }
    this.#over = true;
  }

  /** One step at most so long. Never rejects. */
  async end(name: string, step: Step, ms: number): Promise<void> {
    try {
      const work = Promise.resolve(step(ms)).then(() => true);
      if (!(await within(ms, work)))
        this.#log.warn({ part: name, ms: Math.round(ms) }, 'a part did not end in time');
    } catch (error) {
      this.#log.warn({ err: error, part: name }, 'a part did not end cleanly');
    }
  }
}

/** What the work comes to; undefined when it takes longer. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
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
