// The rows of payments that are read or leased; what changes their status is in lifecycle.ts.
import type { PrismaClient } from '../../../prisma/payments/client/client.ts';
import type { Store } from '../../kernel/store/store.ts';
import type { Payment } from './contract.ts';
import { type Claimed, publicStatus, type Status } from './lifecycle.ts';

/**
 * Longer than one ask of the network may take (2 s) and its record; what a killed host held is free again
 * after it, early enough for an order that was killed once to end within its 15 s.
 */
const leaseSeconds = 5;

/**
 * Picks what is due, skips what another host is picking, and leases it, in one statement. Unhurried: a lease that a
 * crash of the database server loses is only taken again, and the key is the order's.
 */
const claim = `
  UPDATE payments SET due_at = now() + interval '${leaseSeconds} seconds', asks = asks + 1
  WHERE id = ANY (ARRAY(
    SELECT id FROM payments WHERE due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
  ))
  RETURNING id, order_id, user_id, amount_cents, currency, token, status, asks, silences, cause`;

export class PaymentRepository {
  readonly #store: Store<PrismaClient>;

  constructor(store: Store<PrismaClient>) {
    this.#store = store;
  }

  async claim(limit: number): Promise<Claimed[]> {
    const { rows } = await this.#store.unhurried.query(claim, [limit], 'payments-claim');
    return rows.map((row) => ({
      id: row.id,
      orderId: row.order_id,
      userId: row.user_id,
      amountCents: Number(row.amount_cents),
      currency: row.currency,
      token: row.token,
      status: row.status,
      asks: row.asks,
      silences: row.silences,
      cause: row.cause,
    }));
  }

  /** Ends the lease; the payment is due again after `waitMs`. */
  async release({ id, status }: Claimed, waitMs: number): Promise<void> {
    await this.#store.pool.query(
      `UPDATE payments SET due_at = now() + $3 * interval '1 millisecond' WHERE id = $1 AND status = $2`,
      [id, status, waitMs],
    );
  }

  /** The network did not answer; due again at once. */
  async countSilence({ id, status }: Claimed): Promise<void> {
    await this.#store.pool.query(
      'UPDATE payments SET silences = silences + 1, due_at = now() WHERE id = $1 AND status = $2',
      [id, status],
    );
  }

  /** Newest first. Orders that ended before anything could be charged have no payment to show. */
  async newest(
    userId: string,
    orderId: string | undefined,
    before: string | undefined,
    limit: number,
  ): Promise<Payment[]> {
    const rows = await this.#store.prisma.payment.findMany({
      where: { userId, orderId, status: { not: 'forestalled' }, ...(before ? { id: { lt: before } } : {}) },
      orderBy: { id: 'desc' },
      take: limit,
    });
    return rows.map((row) => ({
      id: row.id,
      orderId: row.orderId,
      amountCents: Number(row.amountCents),
      currency: row.currency,
      status: publicStatus(row.status as Status),
      createdAt: row.createdAt.toISOString(),
    }));
  }
}
