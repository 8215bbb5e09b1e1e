// Moves modules to and fro, as fast as the monolith acknowledges it.
import { expect } from 'vitest';
import type { Answer, Shop } from './shop.ts';

/** How often each module was moved out and back. */
export type Flips = Record<string, number>;

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

/** Every module on its own, until `enough`; each ends where it began, as a service. */
export async function flipUntil(
  shop: Shop,
  modules: readonly string[],
  flips: Flips,
  enough: () => boolean,
): Promise<void> {
  for (const module of modules) flips[module] = 0;
  const move = async (module: string) => {
    while (!enough()) {
      for (const placement of ['in-process', 'service']) {
        const { status, body } = await place(shop, module, placement);
        expect(status, JSON.stringify(body)).toBe(200);
        expect(body.lagging, `${module} to ${placement}`).toBeUndefined();
      }
      flips[module]! += 1;
    }
  };
  await Promise.all(modules.map(move));
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
