// Customers of the shop while the console is looked at: at an even pace they look at products and at their orders, at who they
// are, and order. What was not answered well is counted, and said. It does not know what is moved meanwhile.
import { randomUUID } from 'node:crypto';
import type { Ask } from '../test/asked.ts';
import type { DefectiveShop } from '../test/defects/shop.ts';

const EVERY_MS = 20;
/** On a machine that is too slow for the pace, those that are late do not pile up. */
const MOST_OPEN = 32;
const READS_PER_SECOND = 50;
const ORDERS_PER_SECOND = 4;

export class CustomersAtWork {
  readonly #shop: DefectiveShop;
  readonly #open = new Set<Promise<void>>();
  readonly #failed = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #answered = 0;
  #asked = 0;

  constructor(shop: DefectiveShop) {
    this.#shop = shop;
  }

  /** Also when they are at it. */
  start(): void {
    let [began, due] = [performance.now(), 0];
    this.#timer ??= setInterval(() => {
      due += ((performance.now() - began) / 1000) * (READS_PER_SECOND + ORDERS_PER_SECOND);
      began = performance.now();
      for (; due >= 1; due -= 1) if (this.#open.size < MOST_OPEN) this.#ask();
    }, EVERY_MS);
  }

  async stop(): Promise<{ answered: number; failed: readonly string[] }> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    return {
      answered: this.#answered,
      failed: [...this.#failed].map(([what, count]) => `${what} ${count}×`),
    };
  }

  #ask(): void {
    const next = this.#next(this.#asked++);
    const one: Promise<void> = this.#shop
      .ask(next)
      .then(({ status }) => (status < 300 ? '' : `${status}`))
      .catch((error: Error) => error.message)
      .then((wrong) => this.#count(wrong && `${next.method ?? 'GET'} ${next.path}: ${wrong}`))
      .finally(() => this.#open.delete(one));
    this.#open.add(one);
  }

  #count(wrong: string): void {
    if (wrong === '') this.#answered += 1;
    else this.#failed.set(wrong, (this.#failed.get(wrong) ?? 0) + 1);
  }

  #next(n: number): Ask {
    const { product, customer } = this.#shop;
    const { token } = customer;
    if (n % Math.round((READS_PER_SECOND + ORDERS_PER_SECOND) / ORDERS_PER_SECOND) === 0)
      return {
        ...{ method: 'POST', path: '/api/orders', token, headers: { 'idempotency-key': randomUUID() } },
        body: { lines: [{ productId: product, quantity: 1 }], paymentToken: 'tok_ok' },
      };
    if (n % 4 === 1) return { path: '/api/orders?limit=5', token };
    if (n % 8 === 2) return { path: '/api/users/me', token };
    return { path: `/api/catalog/products/${product}` };
  }
}
