// Sales at a steady rate, spread over the hosts, until exactly so many are committed. What a killed host took
// with it is seen by counting the rows, never by what a host said.
import type { Crew } from './crew.ts';
import type { Ground } from './ground.ts';

const EVERY_MS = 50;

export class Sales {
  readonly #crew: Crew;
  readonly #ground: Ground;
  readonly #total: number;
  /** At most so many are committed: all that was ever ordered, and the probes. */
  #upper = 0;
  #due = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Kept for the strikes to come. */
  reserve = 0;

  constructor(crew: Crew, ground: Ground, total: number) {
    this.#crew = crew;
    this.#ground = ground;
    this.#total = total;
  }

  get ordered(): number {
    return this.#upper;
  }

  /** @param atMost then it waits for the next start: a strike that takes long must not bury the shop in sales. */
  start(perSecond: number, atMost = Number.POSITIVE_INFINITY): void {
    this.stop();
    const ceiling = this.#upper + Math.ceil(atMost);
    this.#timer = setInterval(() => {
      this.#due += (perSecond * EVERY_MS) / 1000;
      const rest = Math.min(ceiling, this.#total - this.reserve) - this.#upper;
      const count = Math.min(Math.floor(this.#due), rest);
      if (count <= 0) return;
      this.#due -= count;
      this.#upper += count;
      this.#crew.sell(count);
    }, EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#due = 0;
  }

  /** Sold outside of the rate. */
  note(count: number): void {
    this.#upper += count;
  }

  async committed(): Promise<number> {
    const { rows } = await this.#ground
      .at('shop')
      .query<{ n: number }>('SELECT count(*)::int AS n FROM shop.sale');
    return rows[0]!.n;
  }

  /** Sells what is missing at this rate. Resolves when exactly the total is committed. */
  async finish(perSecond: number, wait: () => Promise<unknown>): Promise<void> {
    this.reserve = 0;
    for (;;) {
      this.start(perSecond);
      while (this.#upper < this.#total || this.#crew.open > 0) await wait();
      this.stop();
      this.#upper = await this.committed();
      if (this.#upper >= this.#total) return;
    }
  }
}
