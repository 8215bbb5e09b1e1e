// The rows of payments as they are listed, and as they are leased; what changes their status is in lifecycle.ts.
import type { JobTable, Store } from '#banyan';
import type { PrismaClient } from '../../../prisma/payments/client/client.ts';
import type { Payment } from './contract.ts';
import { type ClaimedPayment, publicStatus, type Status } from './lifecycle.ts';

/** Payments with something to do at the network; `undo` of lifecycle.ts makes a row due that somebody holds. */
export const charges: JobTable<ClaimedPayment> = {
  name: 'payments',
  columns: { id: 'id', state: 'status', due: 'due_at', attempts: 'asks', cause: 'cause' },
  reads: ['order_id', 'user_id', 'amount_cents', 'currency', 'token', 'silences'],
  jobOf: (row) => ({
    id: row.id,
    orderId: row.order_id,
    userId: row.user_id,
    amountCents: Number(row.amount_cents),
    currency: row.currency,
    token: row.token,
    status: row.status,
    asks: row.asks,
    silences: row.silences,
  }),
};

export class PaymentRepository {
  readonly #store: Store<PrismaClient>;

  constructor(store: Store<PrismaClient>) {
    this.#store = store;
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
