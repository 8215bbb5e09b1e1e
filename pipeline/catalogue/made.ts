// The catalogue of a product's events as its code says them now.
import type { App } from '../../src/banyan/config/app.ts';
import { moduleNames } from '../../src/banyan/config/environment.ts';
import { loadContract } from '../../src/banyan/host/load.ts';
import { listenersOf } from './listening.ts';
import { cataloguePage } from './page.ts';

/** Where it stands in the repository. */
export const CATALOGUE = 'docs/events-catalogue.md';

export async function madeCatalogue(app: App): Promise<string> {
  const modules = moduleNames(app);
  const contracts = await Promise.all(modules.map((name) => loadContract(app, name)));
  return cataloguePage(contracts, await listenersOf(app, modules));
}
