// The sandbox network's books: one row per charge, whose status is the present one. Each function is one
// statement, so that two requests with one key cannot both be the first. No card's token is in them.

import { v7 } from 'uuid';
import type { Sql } from '#banyan';
import type { ChargeKey, ChargeStatus } from '../card-network.ts';
import type { Charge } from '../contract.ts';

const COLUMNS = 'id, order_id, amount_cents, currency, status, idempotency_key, created_at';

/** Takes the key, or reads how it ended: the update changes nothing and is there to return the row. */
const ENTER = `
  INSERT INTO card_network.charges (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, now())
  ON CONFLICT (idempotency_key) DO UPDATE SET idempotency_key = EXCLUDED.idempotency_key
  RETURNING order_id, amount_cents, currency, status`;

/** Closes the key, whether or not a charge has come: a late one finds the row. */
const CLOSE = `
  INSERT INTO card_network.charges (${COLUMNS}) VALUES ($1, $2, $3, $4, 'voided', $5, now())
  ON CONFLICT (idempotency_key) DO UPDATE
    SET status = CASE charges.status WHEN 'captured' THEN 'voided' ELSE charges.status END`;

export class Ledger {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** The status under this key: the given one if the key is new, else what the first request came to. */
  async enter(request: ChargeKey, status: ChargeStatus): Promise<ChargeStatus> {
    const { idempotencyKey, orderId, amountCents, currency } = request;
    const { rows } = await this.#sql.query(ENTER, [
      v7(),
      orderId,
      amountCents,
      currency,
      status,
      idempotencyKey,
    ]);
    const row = rows[0]!;
    if (row.order_id !== orderId || Number(row.amount_cents) !== amountCents || row.currency !== currency)
      throw new Error(`the key ${idempotencyKey} was used for another charge`);
    return row.status;
  }

  async status(idempotencyKey: string): Promise<ChargeStatus | undefined> {
    const { rows } = await this.#sql.query(
      'SELECT status FROM card_network.charges WHERE idempotency_key = $1',
      [idempotencyKey],
    );
    return rows[0]?.status;
  }

  async void({ idempotencyKey, orderId, amountCents, currency }: ChargeKey): Promise<void> {
    await this.#sql.query(CLOSE, [v7(), orderId, amountCents, currency, idempotencyKey]);
  }

  async refund({ idempotencyKey }: ChargeKey): Promise<void> {
    await this.#sql.query(
      `UPDATE card_network.charges SET status = 'refunded' WHERE idempotency_key = $1 AND status = 'captured'`,
      [idempotencyKey],
    );
  }

  /** Counts one more failure of this key; in the database, so that a killed network goes on counting. */
  async countFailure(idempotencyKey: string): Promise<number> {
    const { rows } = await this.#sql.query(
      `INSERT INTO card_network.failures AS f (idempotency_key, count) VALUES ($1, 1)
       ON CONFLICT (idempotency_key) DO UPDATE SET count = f.count + 1 RETURNING count`,
      [idempotencyKey],
    );
    return rows[0]!.count;
  }

  /** Newest first, optionally of one order, optionally those before an id. */
  async newest(orderId: string | undefined, before: string | undefined, limit: number): Promise<Charge[]> {
    const { rows } = await this.#sql.query(
      `SELECT ${COLUMNS} FROM card_network.charges
       WHERE ($1::uuid IS NULL OR order_id = $1) AND ($2::uuid IS NULL OR id < $2)
       ORDER BY id DESC LIMIT $3`,
      [orderId ?? null, before ?? null, limit],
    );
    return rows.map((row) => ({
      id: row.id,
      orderId: row.order_id,
      amountCents: Number(row.amount_cents),
      currency: row.currency,
      status: row.status,
      idempotencyKey: row.idempotency_key,
      createdAt: row.created_at.toISOString(),
    }));
  }
}
