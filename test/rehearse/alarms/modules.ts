// Modules moved for a fault, and a service in another language in the place of one, which does as it is told.
import { catalog } from '../../../src/modules/catalog/contract.ts';
import { type Foreign, startForeign } from '../../foreign-service.ts';
import type { AlarmShop } from './stage.ts';

/** So many processes of it and all its requests there; none: back in the monolith. */
export async function serviceOf({ admin }: AlarmShop, module: string, instances: number): Promise<void> {
  const wanted = () => admin('PUT', `/admin/services/${module}`, { instances });
  const placed = (placement: string) => admin('PUT', `/admin/placements/${module}`, { placement });
  if (instances > 0) {
    await wanted();
    await placed('service');
  } else {
    await placed('in-process');
    await wanted();
  }
}

/** catalog-1 is ours, and gets a share of the requests; 100: all of them, 0: none yet. */
export async function foreignCatalog(shop: AlarmShop, percent: number): Promise<Foreign> {
  const words = ['in-process', 'canary', 'service'];
  const foreign = await startForeign(catalog, shop.internal, shop.installation, 1, words);
  const placement = percent === 100 ? { placement: 'service' } : { placement: 'canary', percent };
  if (percent > 0) await shop.admin('PUT', '/admin/placements/catalog', placement);
  return foreign;
}

export async function withoutForeign(shop: AlarmShop, foreign: Foreign): Promise<void> {
  await shop.admin('PUT', '/admin/placements/catalog', { placement: 'in-process' });
  await foreign.close();
}
