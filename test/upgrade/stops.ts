// Where orders of a recording stand still: a trigger that fails the very step of a customer's orders, as often as it is
// tried. The product is not changed and knows nothing of it; once the triggers are dropped, nothing of them is left in
// the database. Which orders have come to a stop is told by the server's log, since a failed step leaves no row.
import { readFileSync } from 'node:fs';
import type pg from 'pg';

interface Stop {
  readonly table: string;
  readonly on: 'INSERT' | 'UPDATE';
  readonly when: string;
  /** The column with the order's id. */
  readonly order: string;
}

const stop = (table: string, on: Stop['on'], when: string, order = 'order_id'): Stop => {
  return { table, on, when, order };
};

export const stops = {
  'stock-reserved': stop('catalog.reservations', 'INSERT', `NEW.state = 'reserved'`),
  'stock-sold': stop('catalog.reservations', 'UPDATE', `NEW.state = 'sold'`),
  'stock-released': stop('catalog.reservations', 'UPDATE', `NEW.state = 'released'`),
  'payment-requested': stop('payments.payments', 'INSERT', `NEW.status = 'pending'`),
  'payment-captured': stop('payments.payments', 'UPDATE', `NEW.status = 'captured'`),
  'payment-failed': stop('payments.payments', 'UPDATE', `NEW.status = 'failed'`),
  refunded: stop('card_network.charges', 'UPDATE', `NEW.status = 'refunded'`),
  confirmed: stop('orders.orders', 'UPDATE', `NEW.status = 'confirmed'`, 'id'),
  rejected: stop('orders.orders', 'UPDATE', `NEW.status = 'rejected'`, 'id'),
  'mail-written': stop('notifications.notifications', 'INSERT', 'NEW.order_id IS NOT NULL'),
  'mail-sent': stop('notifications.notifications', 'UPDATE', `NEW.status = 'sent'`),
  'mail-noted': stop('orders.saga_steps', 'INSERT', `NEW.step = 'send-mail'`, 'saga_id'),
} as const satisfies Record<string, Stop>;

export type StopName = keyof typeof stops;

/** Makes the triggers, and stops the orders of those customers at their steps. */
export async function raiseStops(database: pg.Pool): Promise<void> {
  await database.query(`
    CREATE SCHEMA recording;
    CREATE TABLE recording.stopped (user_id uuid, stop text, PRIMARY KEY (user_id, stop));
    CREATE FUNCTION recording.stop() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    DECLARE
      of_order uuid := to_jsonb(NEW) ->> TG_ARGV[1];
    BEGIN
      IF EXISTS (
        SELECT FROM recording.stopped s JOIN orders.orders o USING (user_id)
        WHERE o.id = of_order AND s.stop = TG_ARGV[0]
      ) THEN RAISE EXCEPTION 'stopped at % %', TG_ARGV[0], of_order; END IF;
      RETURN NEW;
    END $$;
    CREATE FUNCTION recording.no_log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION 'the log takes nothing';
    END $$;`);
  for (const [name, { table, on, when, order }] of Object.entries(stops))
    await database.query(`
      CREATE TRIGGER "stop at ${name}" BEFORE ${on} ON ${table} FOR EACH ROW WHEN (${when})
      EXECUTE FUNCTION recording.stop('${name}', '${order}')`);
}

export async function stopAt(database: pg.Pool, userId: string, at: readonly StopName[]): Promise<void> {
  await database.query('INSERT INTO recording.stopped SELECT $1::uuid, unnest($2::text[])', [userId, at]);
}

/** From now on what is published stays in the outboxes. */
export async function closeLog(database: pg.Pool): Promise<void> {
  await database.query(`
    CREATE TRIGGER "no log" BEFORE INSERT ON banyan_log.record FOR EACH STATEMENT EXECUTE FUNCTION recording.no_log()`);
}

export async function dropStops(database: pg.Pool): Promise<void> {
  await database.query('DROP SCHEMA recording CASCADE');
}

/** What came to a stop so far: `<stop> <order>`. */
export function stoppedIn(serverLog: string): Set<string> {
  const lines = readFileSync(serverLog, 'utf8').matchAll(/stopped at (\S+) ([0-9a-f-]{36})/g);
  return new Set([...lines].map(([, name, order]) => `${name} ${order}`));
}
