// Work of a host's own that goes on in rounds: each says when the next one is due, and whoever knows of something to do asks
// for one at once. Guarantees: one round at a time; one that is asked for comes, also when it is asked for as another ends;
// it belongs to no request, whoever asked; it keeps no process alive. A module's job is loop.ts's.
import { AsyncLocalStorage } from 'node:async_hooks';

export class Rounds {
  readonly #round: () => Promise<number>;
  readonly #alone = AsyncLocalStorage.snapshot();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #asked = false;
  #stopped = false;

  /** @param round answers in how many milliseconds the next one is due. It must not throw. */
  constructor(round: () => Promise<number>) {
    this.#round = round;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** A round now, or as soon as the present one is over. */
  ask(): void {
    this.#asked = true;
    this.#after(0);
  }

  /** Answers when the last one is over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #after(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    const begin = () => {
      this.#running = this.#running.then(() => this.#next());
    };
    this.#timer = this.#alone(() => setTimeout(begin, ms).unref());
  }

  async #next(): Promise<void> {
    if (this.#stopped) return;
    this.#asked = false;
    const wait = await this.#round();
    if (!this.#asked) this.#after(wait);
  }
}
