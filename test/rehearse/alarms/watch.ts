// Which alarms fire, by the Prometheus that was asked at intervals: when each began to be seen, and when it was seen no more. It
// knows no fault.
import { setTimeout as pause } from 'node:timers/promises';
import type { Expected } from './fault.ts';
import type { Firing, Prometheus } from './prometheus.ts';

export class Watch {
  readonly #prometheus: Prometheus;
  readonly #everyMs: number;
  readonly #looking: Promise<void>;
  #over = false;
  #now: readonly Firing[] = [];
  #lost: Error | undefined;
  /** Names of all that ever fired, in their order. */
  readonly seen = new Set<string>();

  constructor(prometheus: Prometheus, everyMs: number) {
    this.#prometheus = prometheus;
    this.#everyMs = everyMs;
    this.#looking = this.#look();
  }

  /** What fires now. */
  get now(): readonly Firing[] {
    return this.#now;
  }

  find({ alarm, labels }: Expected): Firing | undefined {
    return this.#now.find(
      (one) =>
        one.name === alarm && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
    );
  }

  /** Until it fires, or ends. Undefined: not within that time. */
  async until(
    expected: Expected,
    fires: boolean,
    withinMs: number,
    signal?: AbortSignal,
  ): Promise<Firing | true | undefined> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      signal?.throwIfAborted();
      if (this.#lost) throw this.#lost;
      const found = this.find(expected);
      if (fires && found) return found;
      if (!fires && !found) return true;
      if (performance.now() > deadline) return undefined;
      await pause(this.#everyMs);
    }
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#looking;
  }

  async #look(): Promise<void> {
    for (let failures = 0; !this.#over; ) {
      try {
        this.#now = await this.#prometheus.firing();
        failures = 0;
      } catch (error) {
        failures += 1;
        // A machine that is busy; a Prometheus that is gone stays so.
        if (failures > 20) this.#lost = error as Error;
      }
      for (const { name } of this.#now) this.seen.add(name);
      await pause(this.#everyMs);
    }
  }
}
