// An event published by a person: through the owner's outbox like any other, checked against the same schema,
// with an audit row in the same transaction.
import type { EventDefinition } from '../../contract/contract.ts';
import { type ModuleEvents, nameOf } from '../module-events.ts';
import { eventArguments } from '../publisher.ts';
import { audit } from './audit.ts';

/** Answers the event's id. Throws EventRefused with paths into the data. */
export async function publishByHand(
  of: ModuleEvents,
  event: EventDefinition,
  data: object,
  by: string,
): Promise<string> {
  const schema = nameOf(of);
  const values = eventArguments(event, data as never);
  await of.store.rawTransaction(async ({ sql }) => {
    await sql.query(
      `SELECT ${schema}.emit_event($1::uuid, $2::text, $3::text, $4::text, $5::json, $6::text, $7::text, $8::text)`,
      values,
    );
    await audit(sql, schema, [
      { action: 'publish', by, eventId: values[0], detail: { type: event.type, key: values[2] } },
    ]);
  });
  of.store.committed();
  return values[0];
}
