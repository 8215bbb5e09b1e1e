// A delivery at rest is given up: it has no effect, the reason is kept, and later events of its key go on.
import { textual } from '../cloudevents.ts';
import type { DeliveryState } from '../delivery.ts';
import { type ModuleEvents, nameOf } from '../module-events.ts';
import { type Decided, lockResting, outcome } from './at-rest.ts';
import { audit } from './audit.ts';

const droppable: readonly DeliveryState[] = ['dead', 'unknown-version'];

/** All or none. */
export async function drop(
  of: ModuleEvents,
  ids: readonly string[],
  { by, why }: { by: string; why: string },
): Promise<Decided[]> {
  const schema = nameOf(of);
  const decided = await of.store.transaction(async ({ sql }) => {
    const rows = await lockResting(sql, schema, ids, droppable);
    await audit(
      sql,
      schema,
      rows.map(({ id, state, reason, attempts }) => ({
        action: 'drop',
        by,
        eventId: id,
        why,
        detail: { state, reason, attempts },
      })),
    );
    for (const { id } of rows) {
      await sql.query(`SELECT ${schema}.event_settle($1::uuid, 'dropped', $2::text)`, [
        id,
        textual(`dropped: ${why}`),
      ]);
    }
    return outcome(sql, schema, ids);
  });
  of.wake();
  return decided;
}
