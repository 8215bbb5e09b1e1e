// A latch to wait on: raised once or a thousand times while nobody waits, it wakes the next wait once.
// What it wakes must look at the database anyway; a signal only makes it look sooner.

export class Signal {
  #raised = false;
  #wake: (() => void) | undefined;

  /** Raised since the last wait. */
  get raised(): boolean {
    return this.#raised;
  }

  raise(): void {
    this.#raised = true;
    this.#wake?.();
  }

  /** Forgets that it was raised: the caller looks now anyway. */
  lower(): void {
    this.#raised = false;
  }

  /** Resolves when raised since the last wait, with true, or after `ms`, with false. One waiter at a time. */
  async wait(ms: number): Promise<boolean> {
    if (!this.#raised) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    const raised = this.#raised;
    this.#raised = false;
    return raised;
  }
}

/** The safety net of what is woken by signals: the more looks in a row found nothing, the rarer, down to a fifth. */
export function pollInterval(pollMs: number, empty: number): number {
  return pollMs * Math.min(5, Math.max(1, empty));
}
