// docs/events-catalogue.md is what the contracts and the listeners of the modules say now, and names every one of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listenersOf } from '../../pipeline/catalogue/listening.ts';
import { CATALOGUE, madeCatalogue } from '../../pipeline/catalogue/made.ts';
import { cataloguePage } from '../../pipeline/catalogue/page.ts';
import { defineContract, event } from '../../src/banyan/contract/contract.ts';
import { Type } from '../../src/banyan/contract/type.ts';
import { shopApp } from '../../src/shop.ts';

const page = readFileSync(join(import.meta.dirname, '../..', CATALOGUE), 'utf8');

test('it is current; npm run catalogue writes it anew', async () => {
  expect(await madeCatalogue(shopApp)).toBe(page);
});

test('what a module hears is found without a host', async () => {
  const found = await listenersOf(shopApp, ['catalog', 'media', 'users']);
  const heard = (module: string) => found.get(module)!.map(({ event: { type } }) => type);
  expect(heard('catalog')).toContain('orders.order-placed.v1');
  expect(heard('users')).toEqual(['notifications.notification-sent.v1']);
  expect(heard('media')).toEqual([]);
});

test('a page has who publishes, who listens, the data down to its leaves, and those without events', () => {
  const parcels = defineContract('parcels', {
    summary: 'What is carried',
    operations: {},
    events: {
      'parcel-sent': event({
        summary: 'A parcel left',
        version: 2,
        key: 'id',
        data: Type.Object({
          id: Type.String({ format: 'uuid' }),
          way: Type.Union([Type.Literal('air'), Type.Literal('sea')]),
          lines: Type.Array(
            Type.Object({ weight: Type.Optional(Type.Integer({ minimum: 1, description: 'In g' })) }),
          ),
        }),
      }),
    },
  });
  const silent = defineContract('silent', { summary: 'Says nothing', operations: {} });
  const listener = { event: parcels.events['parcel-sent'], handle: async () => {}, replayable: true };
  const text = cataloguePage([parcels, silent], new Map([['silent', [listener as never]]]));
  expect(text).toContain('| [parcels.parcel-sent](#parcelsparcel-sent) | 2 | A parcel left | silent |');
  expect(text).toContain(
    '`parcels.parcel-sent.v2`: A parcel left. Key: `id`. Listeners: silent. Replayable to silent.',
  );
  expect(text).toContain('| `id` | string (uuid) |  |');
  expect(text).toContain('| `way` | `"air"` or `"sea"` |  |');
  expect(text).toContain('| `lines[].weight` | integer from 1 | may be missing; In g |');
  expect(text).toContain('- **silent** (Says nothing). It listens to parcels.');
});
