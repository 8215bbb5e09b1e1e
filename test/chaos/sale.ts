// The business change of the chaos run: a sale of a key gets the key's next number under the row lock of its
// account, and the event is published in the same transaction. Some transactions are rolled back at the end:
// their events must never be seen.
import { shop } from '../../src/banyan/events/testing/shop.ts';
import type { OpenStore } from '../../src/banyan/store/create.ts';

/** A change of heart after everything was written, not a failure. */
class Undone extends Error {}

/** Answers whether it was committed. Throws when that is not known. */
export async function sell(store: OpenStore<undefined>, key: string, undo = false): Promise<boolean> {
  try {
    await store.transaction(async (tx) => {
      const { rows } = await tx.sql.query<{ n: number }>(
        `INSERT INTO shop.account (key, n) VALUES ($1, 1)
         ON CONFLICT (key) DO UPDATE SET n = account.n + 1 RETURNING n`,
        [key],
      );
      const { n } = rows[0]!;
      await tx.sql.query('INSERT INTO shop.sale (key, n) VALUES ($1, $2)', [key, n]);
      await tx.publish(shop.events.sold, { orderId: key, n });
      if (undo) throw new Undone();
    });
    return true;
  } catch (error) {
    if (error instanceof Undone) return false;
    throw error;
  }
}
