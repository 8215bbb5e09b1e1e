// Claimed work in flight, bounded: what a job does with its rows when each waits for somebody outside.
// The job's run claims as much as the pool has room for and returns; one piece that waits long holds up
// nobody else, and the job is woken when a full pool has room again.
// It knows nothing of the work: claiming, leases and retries are the job's own, in its database.
import type { Logger } from 'pino';
import { currentFlow } from '../context/call.ts';
import { becauseOf, type Cause } from '../context/cause.ts';
import { noTracing, type Tracing } from '../telemetry/tracing.ts';

/**
 * A timer may fire a millisecond early, and a due time is rounded to whole ones: a look just before it would find
 * nothing, and the next is a whole interval later.
 */
const ROUNDING_MS = 2;

export interface WorkerPoolOptions {
  /** What a piece of work is called in traces. */
  readonly name: string;
  /** Whose work it is. */
  readonly module?: string;
  /** Pieces in flight at most. */
  readonly limit: number;
  /** Wakes the job that feeds the pool. */
  readonly wake: () => void;
  readonly log: Logger;
  readonly tracing?: Tracing;
  /** Hears of the end of each attempt at a row. */
  readonly attempted?: (failed: boolean) => void;
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #closing = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** How many pieces may start now. */
  get room(): number {
    return this.#closing.signal.aborted ? 0 : this.#options.limit - this.#inFlight.size;
  }

  /**
   * Starts one piece, in the trace and chain of events of what caused its row; what it throws is logged, and its
   * row's lease decides when it is tried again.
   */
  start(cause: Cause | null, work: (signal: AbortSignal) => Promise<void>): void {
    const piece = becauseOf(cause, () => this.#traced(cause, work))
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted) this.#options.log.error({ err: error }, 'a piece of work failed');
      })
      .finally(() => {
        const wasFull = this.room <= 0;
        this.#inFlight.delete(piece);
        if (wasFull) this.#options.wake();
      });
    this.#inFlight.add(piece);
  }

  async #traced(cause: Cause | null, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { name, module, tracing = noTracing } = this.#options;
    const { traceparent } = currentFlow()!;
    const startMs = Date.now();
    let failed = true;
    try {
      await work(this.#closing.signal);
      failed = false;
    } finally {
      if (tracing.enabled) {
        const parent = cause?.traceparent.slice(36, 52);
        const span = { name, kind: 'internal', traceparent, parent, startMs, endMs: Date.now() } as const;
        tracing.record({ ...span, failed, module, attributes: {} });
      }
    }
  }

  /** An attempt at a row has ended, and not because the host stops. */
  attempted(failed: boolean): void {
    this.#options.attempted?.(failed);
  }

  /** Wakes the job: there is work for it. */
  wake(): void {
    if (!this.#closing.signal.aborted) this.#options.wake();
  }

  /** Wakes the job when something that was postponed so long is due again. */
  wakeIn(milliseconds: number): void {
    if (this.#closing.signal.aborted) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#options.wake();
    }, milliseconds + ROUNDING_MS);
    this.#timers.add(timer);
  }

  /** Aborts what is in flight and waits until it has let go. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#inFlight);
  }
}
