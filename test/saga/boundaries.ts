// Kills at the boundaries of a saga's steps. A deferred trigger holds the very commit of a step on a lock of ours:
// its process has asked for the commit and has no answer. Then it is killed, and the commit either never happens
// or happens without anybody left who knows.
import pg from 'pg';
import type { SagaStyle } from '../../src/modules/orders/contract.ts';
import type { Shop } from '../shop.ts';

export interface Boundary {
  readonly name: string;
  /** Who runs the step. */
  readonly module: string;
  readonly table: string;
  readonly on: 'INSERT' | 'UPDATE';
  readonly when: string;
}

const row = (name: string, module: string, table: string, on: Boundary['on'], when = 'true'): Boundary => {
  return { name, module, table, on, when };
};
const moved = (name: string, when: string) =>
  row(name, 'orders', 'orders.sagas', 'UPDATE', `OLD.step <> NEW.step AND ${when}`);

/** Of an order that is bought. */
const forward: readonly Boundary[] = [
  row('order placed', 'orders', 'orders.orders', 'INSERT'),
  row('stock reserved', 'catalog', 'catalog.reservations', 'INSERT', `NEW.state = 'reserved'`),
  row('payment requested', 'payments', 'payments.payments', 'INSERT'),
  row('charged at the network', 'payments', 'card_network.charges', 'INSERT'),
  row('payment captured', 'payments', 'payments.payments', 'UPDATE', `NEW.status = 'captured'`),
  row('order confirmed', 'orders', 'orders.orders', 'UPDATE', `NEW.status = 'confirmed'`),
  row('stock sold', 'catalog', 'catalog.reservations', 'UPDATE', `NEW.state = 'sold'`),
  row(
    'mail written',
    'notifications',
    'notifications.notifications',
    'INSERT',
    `NEW.type = 'order-confirmed'`,
  ),
  row(
    'mail sent',
    'notifications',
    'notifications.notifications',
    'UPDATE',
    `NEW.status = 'sent' AND NEW.order_id IS NOT NULL`,
  ),
];

/** Of one whose card is declined. */
const backward: readonly Boundary[] = [
  row('payment failed', 'payments', 'payments.payments', 'UPDATE', `NEW.status = 'failed'`),
  row('order rejected', 'orders', 'orders.orders', 'UPDATE', `NEW.status = 'rejected'`),
  row('stock released', 'catalog', 'catalog.reservations', 'UPDATE', `NEW.state = 'released'`),
];

export function boundariesOf(style: SagaStyle): { token: string; boundary: Boundary }[] {
  const all = (token: string, some: readonly Boundary[]) => some.map((boundary) => ({ token, boundary }));
  const own =
    style === 'choreography'
      ? []
      : [
          ...all('tok_ok', [
            moved('on to the payment', `NEW.step = 'capture-payment'`),
            moved('on to the mail', `NEW.step = 'mail-customer'`),
            row('over', 'orders', 'orders.sagas', 'UPDATE', `OLD.path <> 'done' AND NEW.path = 'done'`),
          ]),
          ...all('tok_declined', [
            moved('turned round', `NEW.path = 'undo'`),
            moved('on to the bad news', `NEW.path = 'after' AND NEW.step = 'mail-customer'`),
          ]),
        ];
  return [...all('tok_ok', forward), ...all('tok_declined', backward), ...own];
}

const LOCK = 471_147;

/** Holds the next commit of this boundary. */
export class Held {
  readonly #client: pg.Client;
  readonly #trigger: string;

  private constructor(client: pg.Client, trigger: string) {
    this.#client = client;
    this.#trigger = trigger;
  }

  static async at({ table, on, when }: Boundary, shop: Shop): Promise<Held> {
    const client = new pg.Client({ connectionString: shop.started.databaseUrl });
    await client.connect();
    await client.query(`
      SELECT pg_advisory_lock(${LOCK});
      CREATE OR REPLACE FUNCTION public.hold_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        PERFORM pg_advisory_xact_lock_shared(${LOCK});
        RETURN NULL;
      END $$;
      CREATE CONSTRAINT TRIGGER hold_commit AFTER ${on} ON ${table} DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION public.hold_commit();`);
    return new Held(client, table);
  }

  /** The database session whose commit is held; undefined while none is. */
  async waiting(): Promise<number | undefined> {
    const { rows } = await this.#client.query(
      `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = ${LOCK} AND database =
         (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    return rows[0]?.pid as number | undefined;
  }

  /** The commit never happens. */
  async refuse(): Promise<void> {
    const pid = await this.waiting();
    if (pid) await this.#client.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
  }

  /** Whoever waits commits; nobody waits any more. */
  async release(): Promise<void> {
    await this.#client.query(`SELECT pg_advisory_unlock(${LOCK})`);
    await this.#client.query(`DROP TRIGGER hold_commit ON ${this.#trigger}`);
    await this.#client.end();
  }
}
