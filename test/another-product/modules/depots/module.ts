// Depots as a module: it hears of parcels and counts them.
import { defineModule, type Module, on } from '#banyan';
import { parcels } from '../parcels/contract.ts';
import { depots } from './contract.ts';

const COUNT = `
  INSERT INTO depots (name, parcels) VALUES ($1, 1)
  ON CONFLICT (name) DO UPDATE SET parcels = depots.parcels + 1`;

export default function depotsModule(): Module {
  return defineModule({
    contract: depots,
    setup({ store }) {
      return {
        operations: {
          async waiting({ name }) {
            const { rows } = await store.sql.query<{ parcels: number }>(
              'SELECT parcels FROM depots WHERE name = $1',
              [name],
            );
            return { name, parcels: rows[0]?.parcels ?? 0 };
          },
        },
        listeners: [
          on(parcels.events['parcel-sent'], async ({ depot }, { tx }) => {
            await tx.sql.query(COUNT, [depot]);
          }),
        ],
      };
    },
  });
}
