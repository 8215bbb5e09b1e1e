// One direction of a pair: a subscription at the server that follows, and its slot at the other. It takes only what was
// written there itself (origin = none), so that two directions make no circle. Every step looks for what is there first:
// whoever is killed between two of them is followed by somebody who goes on.
import pg from 'pg';
import { conninfo } from './conninfo.ts';
import { linkOf, type Moving, publicationOf, type ServerAt } from './moving.ts';
import { createSlot, dropCopySlots, dropSlot } from './slots.ts';

const { escapeIdentifier: quoted, escapeLiteral: text } = pg;

export interface End {
  readonly server: ServerAt;
  readonly client: pg.Client;
}

export interface Subscription {
  readonly oid: number;
  readonly enabled: boolean;
}

export async function readSubscription(client: pg.Client, name: string): Promise<Subscription | undefined> {
  const { rows } = await client.query<Subscription>(
    `SELECT oid::int8::float8 AS oid, subenabled AS enabled FROM pg_subscription
     WHERE subname = $1 AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [name],
  );
  return rows[0];
}

/** Whether somebody applies what the other server sends, at this moment. */
export async function worksOn(client: pg.Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query(
    'SELECT FROM pg_stat_subscription WHERE subname = $1 AND pid IS NOT NULL AND relid IS NULL',
    [name],
  );
  return rowCount! > 0;
}

/** @param copy false: the follower has it all. */
export async function subscribe(from: End, to: End, moving: Moving, copy: boolean): Promise<void> {
  const name = linkOf(from.server, to.server, moving);
  await dropSlot(from.client, name);
  await dropCopySlots(from.client, to.client);
  await createSlot(from.client, name);
  await quietly(
    to.client,
    // Without waiting for its disk: one flush for each transaction would fall behind. What was applied is flushed with the
    // grant that ends a pause; until then the slot says what is.
    `CREATE SUBSCRIPTION ${quoted(name)} CONNECTION ${text(conninfo(from.server, moving))} PUBLICATION ${quoted(publicationOf(moving))}
     WITH (create_slot = false, slot_name = ${text(name)}, copy_data = ${copy}, origin = none, streaming = parallel,
       synchronous_commit = off)`,
  );
}

/** A server that was started again may be elsewhere. Who is no superuser cannot read where it was sought, and says it again. */
export async function readdress(from: End, to: End, moving: Moving): Promise<void> {
  const name = linkOf(from.server, to.server, moving);
  const wanted = conninfo(from.server, moving);
  const { rows } = await to.client.query<{ superuser: boolean }>(
    'SELECT rolsuper AS superuser FROM pg_roles WHERE rolname = current_user',
  );
  if (rows[0]!.superuser) {
    const { rowCount } = await to.client.query(
      'SELECT FROM pg_subscription WHERE subname = $1 AND subconninfo = $2',
      [name, wanted],
    );
    if (rowCount! > 0) return;
  }
  await quietly(to.client, `ALTER SUBSCRIPTION ${quoted(name)} CONNECTION ${text(wanted)}`);
}

/** Its slot goes too, where the server that it followed answers. Repeatable. */
export async function unsubscribe(from: End | undefined, to: End | undefined, name: string): Promise<void> {
  if (to && (await readSubscription(to.client, name))) {
    const subscription = `ALTER SUBSCRIPTION ${quoted(name)}`;
    await to.client.query(`${subscription} DISABLE`);
    await to.client.query(`${subscription} SET (slot_name = NONE)`);
    await to.client.query(`DROP SUBSCRIPTION ${quoted(name)}`);
  }
  if (from) await dropSlot(from.client, name);
  if (from && to) await dropCopySlots(from.client, to.client);
}

/** A server writes a statement that failed into its log: not one with a password in it, where we may say so. */
async function quietly(client: pg.Client, statement: string): Promise<void> {
  await client.query(`DO $$ BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN SET log_min_error_statement = panic; END IF;
  END $$`);
  await client.query(statement);
}
