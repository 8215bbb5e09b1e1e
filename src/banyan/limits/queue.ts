// Work that is dear (a password's hash, a picture's decoding) one after the other: so much at once, so much waiting,
// and whoever comes beyond that hears 503 at once instead of waiting for an answer that comes too late.
// Guarantee: what nobody waits for any more, because the client left or its deadline passed, is not begun.
// It knows nothing of the work. (p-queue bounds what runs, and neither the number nor the bytes that wait.)
import { libraryProblem } from '../contract/problem.ts';

export interface QueueOptions {
  /** What is busy, for people: "The module checks more passwords than it can". */
  readonly busy: string;
  readonly atOnce: number;
  /** How many may wait. */
  readonly waiting: number;
  /** What may wait and run in all, in the unit of the callers' weights (bytes). Default: no bound. */
  readonly weight?: number;
  /** Who has waited so long, in milliseconds, hears 503, too: the work takes longer than it should. */
  readonly maxWaitMs: number;
  /** Seconds after which to come again. */
  readonly retryAfter: number;
}

/** Who waits for the work; a `Call` is one. */
export interface Waiting {
  readonly signal?: AbortSignal | undefined;
  readonly deadline: number;
}

interface Entry {
  begin(): void;
}

export class BoundedQueue {
  readonly #options: QueueOptions;
  readonly #waiting = new Set<Entry>();
  #running = 0;
  #weight = 0;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  async run<T>(who: Waiting, work: () => Promise<T>, weight = 0): Promise<T> {
    const { atOnce, waiting, weight: most = Number.POSITIVE_INFINITY } = this.#options;
    const idle = this.#running < atOnce;
    if ((!idle && this.#waiting.size >= waiting) || (this.#weight > 0 && this.#weight + weight > most)) {
      throw this.#busy();
    }
    this.#weight += weight;
    try {
      if (idle) this.#running += 1;
      else await this.#turn(who);
      try {
        if (who.signal?.aborted || who.deadline < Date.now()) throw tooLate();
        return await work();
      } finally {
        this.#next();
      }
    } finally {
      this.#weight -= weight;
    }
  }

  /** Resolves at its turn. Rejects, and leaves the queue, when the signal aborts or it waited too long. */
  #turn({ signal }: Waiting): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', left);
        this.#waiting.delete(entry);
      };
      const left = () => {
        settle();
        reject(tooLate());
      };
      const timer = setTimeout(() => {
        settle();
        reject(this.#busy());
      }, this.#options.maxWaitMs);
      const entry: Entry = {
        begin: () => {
          settle();
          resolve();
        },
      };
      this.#waiting.add(entry);
      if (signal?.aborted) left();
      else signal?.addEventListener('abort', left, { once: true });
    });
  }

  #busy() {
    const { busy, retryAfter } = this.#options;
    return libraryProblem('unavailable', { detail: `${busy} Try again in a moment.`, retryAfter });
  }

  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#running -= 1;
      return;
    }
    first.begin();
  }
}

function tooLate() {
  return libraryProblem('deadline-exceeded', { detail: 'Nobody waits for this any more; it was not done.' });
}
