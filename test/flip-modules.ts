// Moves modules to and fro, as fast as the monolith acknowledges it.
import { expect } from 'vitest';
import type { Answer, Shop } from './shop.ts';

export function place(
  shop: Pick<Shop, 'call' | 'adminToken'>,
  module: string,
  placement: string,
): Promise<Answer> {
  const path = `/admin/placements/${module}`;
  return shop.call('PUT', path, { token: shop.adminToken, body: { placement } });
}

/** PUT /admin/services/:module. */
export function scale(
  shop: Pick<Shop, 'call' | 'adminToken'>,
  module: string,
  instances: number,
  timeoutMs?: number,
): Promise<Answer> {
  const body = { instances, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  return shop.call('PUT', `/admin/services/${module}`, { token: shop.adminToken, body });
}

/** Modules that move, each on its own and as fast as it is acknowledged, until they are told to stop. */
export class Moving {
  /** How often each module was moved out and back. */
  readonly flips: Record<string, number>;
  /** Flips that some host had not applied after 2 s: on a machine that has much else to do. */
  lagging = 0;
  /** Flips not taken: the store did not answer for 2 s, or a host was silent for 3. This machine may have much else to do. */
  deferred = 0;
  /** How often the processes of a module were ended while it was at home, and started anew. */
  restarts = 0;
  readonly #shop: Shop;
  readonly #every: number;
  readonly #ended: Promise<unknown>;
  #over = false;

  /** @param every the processes of a module are ended and started again on every so manieth of its ways home. */
  constructor(shop: Shop, modules: readonly string[], every = Number.POSITIVE_INFINITY) {
    this.#shop = shop;
    this.#every = every;
    this.flips = Object.fromEntries(modules.map((module) => [module, 0]));
    this.#ended = Promise.allSettled(modules.map((module) => this.#move(module))).then((all) => {
      for (const one of all) if (one.status === 'rejected') throw one.reason;
    });
    this.#ended.catch(() => {});
  }

  /** Whether every module moved so often, or none moves any more. */
  reached(flips: number): boolean {
    return this.#over || Object.values(this.flips).every((count) => count >= flips);
  }

  /** Every module ends as a service. Throws what a flip was answered that is no answer of a flip. */
  async stop(): Promise<void> {
    this.#over = true;
    await this.#ended;
  }

  async #move(module: string): Promise<void> {
    const { desired } = await overview(this.#shop, module);
    while (!this.#over) {
      await this.#put(() => place(this.#shop, module, 'in-process'));
      this.flips[module]! += 1;
      if (this.flips[module]! % this.#every === 0) {
        for (const count of [0, desired]) await this.#put(() => scale(this.#shop, module, count));
        this.restarts += 1;
      }
      await this.#put(() => place(this.#shop, module, 'service'));
    }
  }

  async #put(ask: () => Promise<Answer>): Promise<void> {
    let { status, body } = await ask();
    // A flip that was not taken is asked for again; what may not fail are the requests meanwhile.
    const later = () => status === 503 || ['no-healthy-instance', 'instance-refuses'].includes(body.code);
    for (let attempt = 1; later() && attempt <= 30; attempt += 1) {
      this.deferred += 1;
      await new Promise((resolve) => setTimeout(resolve, 1000));
      ({ status, body } = await ask());
    }
    this.#over ||= status !== 200;
    expect(status, JSON.stringify(body)).toBe(200);
    if (body.lagging) this.lagging += 1;
  }
}

/** What GET /admin/placements says of the module. */
export async function overview(shop: Pick<Shop, 'call' | 'adminToken'>, module: string): Promise<ModuleView> {
  const { body } = await shop.call('GET', '/admin/placements', { token: shop.adminToken });
  return body.modules.find((one: ModuleView) => one.module === module);
}

interface ModuleView {
  readonly module: string;
  readonly placement: string;
  readonly desired: number;
  readonly instances: {
    readonly id: string;
    readonly pid: number;
    readonly url: string;
    readonly healthy: boolean;
  }[];
}
