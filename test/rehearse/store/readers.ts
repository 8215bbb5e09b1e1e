// Customers who read while the store of orders moves: their lists, and single orders. How long each waited is kept. They must
// not know what is written.
import { setTimeout as pause } from 'node:timers/promises';
import type { StoreShop } from './stage.ts';

interface Read {
  /** By performance.now(). */
  readonly began: number;
  readonly ms: number;
}

export class Readers {
  /** What was answered instead of 200. */
  readonly failed: string[] = [];
  readonly #reads: Read[] = [];
  readonly #shop: StoreShop;
  readonly #perSecond: number;
  readonly #open = new Set<Promise<void>>();
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(shop: StoreShop, perSecond: number) {
    this.#shop = shop;
    this.#perSecond = perSecond;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await Promise.all(this.#open);
  }

  /** Of those that began within the span, in ms. */
  waits(from: number, until: number): number[] {
    return this.#reads.filter(({ began }) => began >= from && began < until).map(({ ms }) => ms);
  }

  async #run(): Promise<void> {
    const everyMs = 1000 / this.#perSecond;
    const began = performance.now();
    for (let n = 0; !this.#stopped; n += 1) {
      const wait = began + n * everyMs - performance.now();
      if (wait > 1) await pause(wait);
      const one: Promise<void> = this.#read(n).finally(() => this.#open.delete(one));
      this.#open.add(one);
    }
  }

  /** A list, then an order that was on it, and so on. */
  #known: { readonly token: string; readonly id: string } | undefined;

  async #read(n: number): Promise<void> {
    const { customers, monoliths } = this.#shop;
    const { token } = customers[1 + (n % (customers.length - 1))]!;
    const show = n % 2 === 1 ? this.#known : undefined;
    const path = show ? `/api/orders/${show.id}` : '/api/orders?limit=20';
    const began = performance.now();
    try {
      const of = { method: 'GET', path, token: show?.token ?? token } as const;
      const { status, body } = await this.#shop.ask(n % monoliths.length, of);
      this.#reads.push({ began, ms: performance.now() - began });
      if (status !== 200) this.failed.push(`GET ${path}: ${status} ${JSON.stringify(body)}`);
      else if (!show && body.items[0]) this.#known = { token, id: body.items.at(-1).id };
    } catch (error) {
      this.failed.push(`GET ${path}: ${(error as Error).message}`);
    }
  }
}
