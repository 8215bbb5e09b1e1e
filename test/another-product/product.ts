// A product that is no shop, as small as one can be: parcels are sent, and depots count them. It stands on the library as
// the shop does, from folders of its own.
import type { App } from '#banyan';

export const carrier: App = {
  title: 'Carrier',
  version: '2.0.0',
  modules: new URL('./modules/', import.meta.url),
  prisma: new URL('./prisma/', import.meta.url),
  service: (module) => new URL(`./services/${module}.ts`, import.meta.url),
  settings: {
    archiveUrl: {
      of: ['parcels'],
      variable: 'ARCHIVE_URL',
      protocols: ['file:'],
      example: 'file:///var/lib/carrier',
      folder: 'archive',
    },
  },
  example: 'parcels',
};
