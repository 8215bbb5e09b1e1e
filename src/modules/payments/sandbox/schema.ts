// The sandbox network's own database schema, under its own role: payments cannot read it and it cannot
// read payments, as with a network across the street.
import type { RoleSchema } from '#banyan';

export const cardNetworkSchema: RoleSchema = {
  schema: 'card_network',
  role: 'banyan_card_network',
  ddl: `
    CREATE TABLE IF NOT EXISTS charges (
      id uuid PRIMARY KEY,
      order_id uuid NOT NULL,
      amount_cents bigint NOT NULL,
      currency text NOT NULL,
      status text NOT NULL CHECK (status IN ('captured', 'declined', 'voided', 'refunded')),
      idempotency_key text NOT NULL UNIQUE,
      created_at timestamptz(3) NOT NULL
    );
    CREATE INDEX IF NOT EXISTS charges_order_id_idx ON charges (order_id);
    CREATE TABLE IF NOT EXISTS failures (
      idempotency_key text PRIMARY KEY,
      count integer NOT NULL
    );`,
};
