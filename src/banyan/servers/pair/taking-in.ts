// Tables that a migration made since a pair began: the publications have to show them, and the subscriptions to follow them.
// Guarantee: the owner's rows of such a table are copied, and only what is fenced is emptied for it.
import pg from 'pg';
import { isFenced } from './fence.ts';
import { linkOf, type Moving } from './moving.ts';
import type { End } from './subscription.ts';
import { type FollowedTable, tableName } from './tables-of.ts';

const { escapeIdentifier: quoted } = pg;

/** What provisioning wrote there would be in the copy's way. */
export async function empty(
  client: pg.Client,
  moving: Moving,
  tables: readonly Pick<FollowedTable, 'name'>[],
): Promise<void> {
  await client.query(`TRUNCATE ${tables.map(({ name }) => tableName(moving, name)).join(', ')}`);
}

/** The publication has them. */
export async function takeIn(
  from: End,
  to: End,
  moving: Moving,
  tables: readonly FollowedTable[],
): Promise<void> {
  const name = linkOf(from.server, to.server, moving);
  const known = await knownTables(to.client, name);
  const more = tables.filter((one) => !known.has(one.name));
  if (more.length === 0 && known.size === tables.length) return;
  // The owner's rows are copied; the other way there is nothing that it has not got.
  const copy = await isFenced(to.client, moving);
  if (copy && more.length > 0) await empty(to.client, moving, more);
  await to.client.query(`ALTER SUBSCRIPTION ${quoted(name)} REFRESH PUBLICATION WITH (copy_data = ${copy})`);
}

/** What a subscription follows. @param states as the server has them: `r` alone is a table that is copied and streams. */
export async function knownTables(
  client: pg.Client,
  name: string,
  states = 'idfsr',
): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_subscription s JOIN pg_subscription_rel r ON r.srsubid = s.oid
     JOIN pg_class c ON c.oid = r.srrelid WHERE s.subname = $1 AND strpos($2, r.srsubstate::text) > 0`,
    [name, states],
  );
  return new Set(rows.map((one) => one.name));
}
