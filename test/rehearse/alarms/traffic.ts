// What customers do while faults are struck: look, order, and ask after their orders, a few times a second. What fails is counted
// and held up by nobody; it is for the alarms to say.
import type { AlarmShop, Reply } from './stage.ts';

const EVERY_MS = 1_000;
const LOOKS = 4;

export class Traffic {
  asked = 0;
  /** Answered 5xx, or not at all. */
  failed = 0;
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

  #count(answer: Promise<Reply>): void {
    this.asked += 1;
    const fails = () => {
      this.failed += 1;
    };
    answer.then(({ status }) => status >= 500 && fails(), fails);
  }
}
