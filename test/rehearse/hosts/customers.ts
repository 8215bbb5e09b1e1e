// Customers of the shop on hosts: they order (the writers of the rehearsal of stores, each order with a key, asked again until it
// is answered) and read what is far and what is near. Every single request is noted as it was seen. Guarantee: what they were
// promised is in the writers' book. They must not know which faults are struck.
import { setTimeout as pause } from 'node:timers/promises';
import type { Ask, Reply } from '../../asked.ts';
import { Writers } from '../store/writers.ts';
import type { Seen } from './seen.ts';
import type { HostsShop } from './stage.ts';

export interface Pace {
  readonly ordersPerSecond: number;
  readonly readsPerSecond: number;
}

/** A gateway answers within its own 15 s. */
const PATIENCE_MS = 20_000;
/** One of so many orders is of what there is, and goes through every step of its saga. */
const PLENTY_EACH = 2;

export class Customers {
  readonly seen: Seen[] = [];
  readonly writers: Writers;
  readonly #shop: HostsShop;
  readonly #pace: Pace;
  readonly #open = new Set<Promise<unknown>>();
  #reading: Promise<void> | undefined;
  #stopped = false;

  constructor(shop: HostsShop, pace: Pace) {
    this.#shop = shop;
    this.#pace = pace;
    const { customers, products } = shop;
    const ask = (_: number, one: Ask) => this.#ask(one, 202);
    const options = { perSecond: pace.ordersPerSecond, patient: true, plentyEach: PLENTY_EACH };
    this.writers = new Writers({ customers, products, monoliths: [undefined], ask }, options);
  }

  start(): void {
    this.writers.start();
    this.#reading = this.#read();
  }

  /** Resolves when the last one was answered. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.writers.stop(), this.#reading]);
    await Promise.all(this.#open);
  }

  async #read(): Promise<void> {
    const everyMs = 1_000 / this.#pace.readsPerSecond;
    const began = performance.now();
    for (let n = 0; !this.#stopped; n += 1) {
      const wait = began + n * everyMs - performance.now();
      if (wait > 1) await pause(wait);
      const one = this.#ask(this.#readOf(n), 200).catch(() => {});
      this.#open.add(one);
      void one.then(() => this.#open.delete(one));
    }
  }

  /** By the link between hosts, by the proxy, of two services, and of a module that monoliths serve. */
  #readOf(n: number): Ask {
    const { customers, products } = this.#shop;
    const { token } = customers[n % customers.length]!;
    const paths = [
      `/api/catalog/products/${products.plenty}`,
      '/api/orders?limit=20',
      '/api/catalog/products?limit=5',
      '/api/users/me',
    ];
    return { method: 'GET', path: paths[n % paths.length]!, token };
  }

  async #ask(one: Ask, right: number): Promise<Reply> {
    const began = performance.now();
    const what = `${one.method} ${areaOf(one.path)}`;
    const note = (failure?: string) => this.seen.push({ what, began, ended: performance.now(), failure });
    try {
      const reply = await this.#shop.ask({ ...one, timeoutMs: PATIENCE_MS });
      note(reply.status === right ? undefined : `${reply.status} ${reply.body?.detail ?? ''}`);
      return reply;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      note(code ?? message);
      throw error;
    }
  }
}

/** `/api/orders`, whatever was asked of it. */
const areaOf = (path: string): string => /^\/api\/\w+/.exec(path)?.[0] ?? path;
