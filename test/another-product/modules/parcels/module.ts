// Parcels as a module: rows by SQL, a setting of the product's own, an event.
import { randomUUID } from 'node:crypto';
import { defineModule, type Module, problem } from '#banyan';
import { parcels } from './contract.ts';

export default function parcelsModule({ archiveUrl }: { readonly archiveUrl: string }): Module {
  return defineModule({
    contract: parcels,
    setup({ store }) {
      return {
        operations: {
          send: ({ depot }) =>
            store.transaction(async (tx) => {
              const id = randomUUID();
              await tx.sql.query('INSERT INTO parcels (id, depot) VALUES ($1, $2)', [id, depot]);
              await tx.publish(parcels.events['parcel-sent'], { parcelId: id, depot });
              return { id, depot, archive: archiveUrl };
            }),
          async show({ id }) {
            const { rows } = await store.sql.query<{ depot: string }>(
              'SELECT depot FROM parcels WHERE id = $1',
              [id],
            );
            if (!rows[0]) throw problem(parcels, 'parcel-unknown');
            return { id, depot: rows[0].depot, archive: archiveUrl };
          },
        },
      };
    },
  });
}
