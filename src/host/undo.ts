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
