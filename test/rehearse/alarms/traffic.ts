// What customers do while faults are struck: look, order, and ask after their orders, a few times a second each. What fails is
// counted and waited for by nobody; it is for the alarms to say.
import type { AlarmShop, Reply } from './stage.ts';

const EVERY_MS = 1_000;
const LOOKS = 4;

export class Traffic {
  /** Answers by their status; 0: there was none. */
  readonly answers = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(shop: AlarmShop) {
    const { token } = shop;
    this.#timer = setInterval(() => {
      for (let n = 0; n < LOOKS; n += 1)
        this.#count(shop.ask('GET', '/api/catalog/products?limit=5', n % 2 ? { token } : {}));
      this.#count(shop.order());
      this.#count(shop.ask('GET', '/api/orders?limit=5', { token }));
    }, EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #count(asked: Promise<Reply>): void {
    asked.then(
      ({ status }) => this.#note(status),
      () => this.#note(0),
    );
  }

  #note(status: number): void {
    this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
  }
}
