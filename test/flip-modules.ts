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
  readonly #shop: Shop;
  readonly #ended: Promise<unknown>;
  #over = false;

  constructor(shop: Shop, modules: readonly string[]) {
    this.#shop = shop;
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
    while (!this.#over) {
      for (const placement of ['in-process', 'service']) {
        const { status, body } = await place(this.#shop, module, placement);
        this.#over ||= status !== 200;
        expect(status, JSON.stringify(body)).toBe(200);
        if (body.lagging) this.lagging += 1;
      }
      this.flips[module]! += 1;
    }
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
