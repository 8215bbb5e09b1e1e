// How an order ends: the steps that turn `placed` into something final, the same in both styles.
//
//   placed ── confirm ──> confirmed      the pivot: from here the order only goes forward
//          ── reject ───> rejected       stock, payment, or a user who may not buy
//          ── cancel ───> cancelled      by its customer, or by an operator
//
// Each is one conditional statement, so the database decides between two that meet, and a repeated or
// late one changes nothing. Who says "next" is not known here; each step publishes what it did.
import { noteDone, type Published, type Transaction } from '#banyan';
import { orders, type RejectReason, type SagaStyle } from './contract.ts';

export interface Ended {
  readonly id: string;
  readonly user_id: string;
  readonly total_cents: string;
  readonly currency: string;
  readonly status: 'confirmed' | 'rejected' | 'cancelled';
  readonly reason: RejectReason | null;
  readonly saga: SagaStyle;
}

const RETURNING = 'RETURNING id, user_id, total_cents, currency, status, reason, saga';

/** Choreography only: payment captured, confirm the order. If its user was blocked or deleted meanwhile, reject it instead. */
export async function confirm(tx: Transaction, orderId: string, attempts = 1): Promise<boolean> {
  const update = `
    UPDATE orders SET (status, reason) = (
      SELECT CASE WHEN barred THEN 'rejected' ELSE 'confirmed' END, CASE WHEN barred THEN 'user-blocked' END
      FROM (SELECT EXISTS (SELECT FROM barred_users WHERE user_id = orders.user_id)) AS b (barred)
    ), decided_at = now(), payment_token = NULL
    WHERE id = $1 AND status = 'placed' AND saga = 'choreography' ${RETURNING}`;
  return (await end(tx, update, [orderId], attempts)).length > 0;
}

/** Orchestration only: confirm the order, or leave it as it is, to be taken back, if its user may not buy any more. */
export async function confirmUnlessBarred(tx: Transaction, orderId: string): Promise<boolean> {
  const update = `
    UPDATE orders SET status = 'confirmed', decided_at = now(), payment_token = NULL
    WHERE id = $1 AND status = 'placed'
      AND NOT EXISTS (SELECT FROM barred_users WHERE user_id = orders.user_id) ${RETURNING}`;
  return (await end(tx, update, [orderId])).length > 0;
}

/** `saga`: who decides about it; an order of the other style is left alone. */
export async function reject(
  tx: Transaction,
  orderId: string,
  saga: SagaStyle,
  reason: RejectReason,
  attempts = 1,
): Promise<boolean> {
  const update = `
    UPDATE orders SET status = 'rejected', reason = $2, decided_at = now(), payment_token = NULL
    WHERE id = $1 AND status = 'placed' AND saga = $3 ${RETURNING}`;
  return (await end(tx, update, [orderId, reason, saga], attempts)).length > 0;
}

export function cancel(tx: Transaction, orderId: string): Promise<Ended[]> {
  const update = `
    UPDATE orders SET status = 'cancelled', decided_at = now(), payment_token = NULL
    WHERE id = $1 AND status = 'placed' ${RETURNING}`;
  return end(tx, update, [orderId]);
}

/** A user may not buy any more: open choreographed orders are rejected now; orders being inserted are caught in `confirm`. */
export async function bar(tx: Transaction, userId: string): Promise<void> {
  await tx.sql.query('INSERT INTO barred_users (user_id, since) VALUES ($1, now()) ON CONFLICT DO NOTHING', [
    userId,
  ]);
  const update = `
    UPDATE orders SET status = 'rejected', reason = 'user-blocked', decided_at = now(), payment_token = NULL
    WHERE user_id = $1 AND status = 'placed' AND saga = 'choreography' ${RETURNING}`;
  await end(tx, update, [userId]);
}

export async function unbar(tx: Transaction, userId: string): Promise<void> {
  await tx.sql.query('DELETE FROM barred_users WHERE user_id = $1', [userId]);
}

/** Publishes how an order ended. */
export function tellEnd(tx: Transaction, row: Ended): Promise<Published> {
  const { id: orderId, user_id: userId, currency, status, reason, saga } = row;
  const about = { orderId, userId, totalCents: Number(row.total_cents), currency, saga };
  return status === 'rejected'
    ? tx.publish(orders.events['order-rejected'], { ...about, reason: reason! })
    : tx.publish(orders.events[`order-${status}`], about);
}

const steps = { confirmed: 'confirm-order', rejected: 'reject-order', cancelled: 'cancel-order' } as const;

async function end(
  tx: Transaction,
  update: string,
  values: readonly unknown[],
  attempts = 1,
): Promise<Ended[]> {
  const { rows } = await tx.sql.query<Ended & Record<string, unknown>>(update, values);
  for (const row of rows) {
    const told = await tellEnd(tx, row);
    noteDone(tx, told, row.id, { step: steps[row.status], status: 'done', attempts, why: row.reason });
  }
  return rows;
}
