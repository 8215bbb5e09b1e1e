// An event published by a person: through the owner's outbox like any other, checked against the same schema,
// with an audit row in the same transaction.
import type { EventDefinition } from '../../contract/contract.ts';
import { type ModuleEvents, nameOf } from '../module-events.ts';
import { audit } from './audit.ts';

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
