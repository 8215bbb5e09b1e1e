// Customers who place orders at an even pace while the store of orders moves, each order with a key of its own. What they
// were answered is kept: it must be in the store, once. `patient` ones ask again with the same key where no answer came,
// as a client would that knows of faults; the others count every answer but 202 as failed.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Reply } from '../../asked.ts';
import type { StoreShop } from './stage.ts';

export interface Answered {
  readonly key: string;
  readonly user: string;
  readonly id: string;
  /** By performance.now(). */
  readonly began: number;
  readonly ended: number;
}

export interface WritersOptions {
  readonly perSecond: number;
  readonly patient?: boolean;
  /** Every n-th order is of what there is, and goes all the way. */
  readonly plentyEach?: number;
}

const PATIENCE_MS = 60_000;
const AGAIN_MS = 100;
/** On a machine that is too slow for the pace, those that are late do not pile up without end. */
const MOST_OPEN = 400;

/** Of a shop what customers need. */
export type Counter = Pick<StoreShop, 'products' | 'customers' | 'ask'> & {
  readonly monoliths: readonly unknown[];
};

export class Writers {
  readonly answered: Answered[] = [];
  /** What was answered instead, or why nothing was. */
  readonly failed: string[] = [];
  readonly #shop: Counter;
  readonly #options: WritersOptions;
  readonly #open = new Set<Promise<void>>();
  #running: Promise<void> | undefined;
  #stopped = false;
  #count = 0;

  constructor(shop: Counter, options: WritersOptions) {
    this.#shop = shop;
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Until one who asks from now on is answered: all is well for customers. Rejects when nobody is within the time. */
  async untilServed(withinMs: number): Promise<void> {
    const from = performance.now();
    while (!this.answered.some(({ began }) => began >= from)) {
      if (performance.now() - from > withinMs) throw new Error(`no order was taken for ${withinMs / 1000} s`);
      await pause(AGAIN_MS);
    }
  }

  /** Resolves when the last one was answered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await Promise.all(this.#open);
  }

  /** Of those that were under way within the span: how long the longest waited. */
  longest(from: number, until: number): number {
    const waits = this.#within(from, until).map(({ began, ended }) => ended - began);
    return Math.max(0, ...waits);
  }

  /** Of those that began within the span, in ms. */
  waits(from: number, until: number): number[] {
    return this.answered
      .filter(({ began }) => began >= from && began < until)
      .map(({ began, ended }) => ended - began);
  }

  /** The longest time within the span in which nobody was answered. */
  gap(from: number, until: number): number {
    const ends = this.#within(from, until)
      .map(({ ended }) => ended)
      .filter((at) => at >= from && at <= until)
      .sort((a, b) => a - b);
    return Math.max(0, ...ends.slice(1).map((at, n) => at - ends[n]!));
  }

  #within(from: number, until: number): readonly Answered[] {
    return this.answered.filter(({ began, ended }) => ended >= from && began <= until);
  }

  async #run(): Promise<void> {
    const everyMs = 1000 / this.#options.perSecond;
    const began = performance.now();
    for (let n = 0; !this.#stopped; n += 1) {
      const wait = began + n * everyMs - performance.now();
      if (wait > 1) await pause(wait);
      while (this.#open.size >= MOST_OPEN && !this.#stopped) await pause(5);
      if (this.#stopped) return;
      const one: Promise<void> = this.#write().finally(() => this.#open.delete(one));
      this.#open.add(one);
    }
  }

  async #write(): Promise<void> {
    this.#count += 1;
    const { products, customers, monoliths } = this.#shop;
    const { plentyEach = 10, patient = false } = this.#options;
    // The first one is nobody's: its session may be ended.
    const customer = customers[1 + (this.#count % (customers.length - 1))]!;
    const productId = this.#count % plentyEach === 0 ? products.plenty : products.none;
    const key = `store-${randomUUID()}`;
    const began = performance.now();
    let said = '';
    for (let n = this.#count; performance.now() - began < PATIENCE_MS; n += 1) {
      const reply = await this.#ask(n % monoliths.length, customer.token, key, productId);
      if (typeof reply !== 'string' && reply.status === 202) {
        this.answered.push({ key, user: customer.id, id: reply.body.id, began, ended: performance.now() });
        return;
      }
      said = typeof reply === 'string' ? reply : `${reply.status} ${JSON.stringify(reply.body)}`;
      if (!patient) break;
      await pause(AGAIN_MS);
    }
    this.failed.push(`${said} after ${Math.round(performance.now() - began)} ms`);
  }

  #ask(at: number, token: string, key: string, productId: string): Promise<Reply | string> {
    const body = { lines: [{ productId, quantity: 1 }], paymentToken: 'tok_ok' };
    return this.#shop
      .ask(at, { method: 'POST', path: '/api/orders', token, headers: { 'idempotency-key': key }, body })
      .catch((error: Error) => error.message);
  }
}
