// An event published by a person: through the owner's outbox like any other, checked against the same schema,
// with an audit row in the same transaction; and who it was, for those who look at the event.
import type { Static } from 'typebox';
import type { EventDefinition } from '../../contract/contract.ts';
import { type ModuleEvents, nameOf } from '../module-events.ts';
import { audit } from './audit.ts';
import type { ByHand } from './schemas.ts';

/** Answers the event's id. Throws EventRefused with paths into the data. */
export async function publishByHand(
  of: ModuleEvents,
  event: EventDefinition,
  data: object,
  by: string,
): Promise<string> {
  const schema = nameOf(of);
  return of.store.transaction(async (tx) => {
    const { id } = await tx.publish(event, data as never);
    const key = (data as Record<string, unknown>)[event.key];
    await audit(tx.sql, schema, [{ action: 'publish', by, eventId: id, detail: { type: event.type, key } }]);
    return id;
  });
}

/** Null: the product itself published it, or the store of the module that did is not within this host's reach. */
export async function publishedByHand(
  modules: readonly ModuleEvents[],
  id: string,
): Promise<Static<typeof ByHand> | null> {
  const found = await Promise.all(
    modules.map((one) =>
      one.store.pool.query<{ by: string; at: Date }>(
        `SELECT by, at FROM ${nameOf(one)}.event_audit WHERE event_id = $1 AND action = 'publish'`,
        [id],
      ),
    ),
  );
  const row = found.flatMap(({ rows }) => rows)[0];
  return row ? { by: row.by, at: row.at.toISOString() } : null;
}
