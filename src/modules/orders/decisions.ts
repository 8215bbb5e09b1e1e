// How an order ends: the four steps that turn `placed` into something final.
//
//   placed ── confirm ──> confirmed      the pivot: from here the order only goes forward
//          ── reject ───> rejected       stock, payment, or a user who may not buy
//          ── cancel ───> cancelled      by its customer
//
// Each is one conditional statement, so the database decides between two that meet, and a repeated or
// late one changes nothing. Who says "next" is not known here; each step publishes what it did.
import type { Transaction } from '../../kernel/store/store.ts';
import { orders, type RejectReason } from './contract.ts';

interface Ended {
  readonly id: string;
  readonly user_id: string;
  readonly total_cents: string;
  readonly currency: string;
  readonly status: 'confirmed' | 'rejected' | 'cancelled';
  readonly reason: RejectReason | null;
}

const returning = 'RETURNING id, user_id, total_cents, currency, status, reason';

/** The money is there. A user who was blocked or deleted since the order was placed is rejected instead. */
export async function confirm(tx: Transaction, orderId: string): Promise<void> {
  await end(
    tx,
    `UPDATE orders SET (status, reason) = (
       SELECT CASE WHEN barred THEN 'rejected' ELSE 'confirmed' END, CASE WHEN barred THEN 'user-blocked' END
       FROM (SELECT EXISTS (SELECT FROM barred_users WHERE user_id = orders.user_id)) AS b (barred)
     ), decided_at = now()
     WHERE id = $1 AND status = 'placed' ${returning}`,
    [orderId],
  );
}

export async function reject(tx: Transaction, orderId: string, reason: RejectReason): Promise<void> {
  await end(
    tx,
    `UPDATE orders SET status = 'rejected', reason = $2, decided_at = now()
     WHERE id = $1 AND status = 'placed' ${returning}`,
    [orderId, reason],
  );
}

/** False when the order was already final, or is not this user's. */
export async function cancel(tx: Transaction, userId: string, orderId: string): Promise<boolean> {
  const ended = await end(
    tx,
    `UPDATE orders SET status = 'cancelled', decided_at = now()
     WHERE id = $1 AND user_id = $2 AND status = 'placed' ${returning}`,
    [orderId, userId],
  );
  return ended > 0;
}

/** A user may not buy any more: what is open is rejected now, what is being written meets `confirm`. */
export async function bar(tx: Transaction, userId: string): Promise<void> {
  await tx.sql.query('INSERT INTO barred_users (user_id, since) VALUES ($1, now()) ON CONFLICT DO NOTHING', [
    userId,
  ]);
  await end(
    tx,
    `UPDATE orders SET status = 'rejected', reason = 'user-blocked', decided_at = now()
     WHERE user_id = $1 AND status = 'placed' ${returning}`,
    [userId],
  );
}

export async function unbar(tx: Transaction, userId: string): Promise<void> {
  await tx.sql.query('DELETE FROM barred_users WHERE user_id = $1', [userId]);
}

async function end(tx: Transaction, update: string, values: readonly unknown[]): Promise<number> {
  const { rows } = await tx.sql.query<Ended & Record<string, unknown>>(update, values);
  for (const row of rows) await publishEnd(tx, row);
  return rows.length;
}

async function publishEnd(tx: Transaction, row: Ended): Promise<void> {
  const { id: orderId, user_id: userId, currency, status, reason } = row;
  const about = { orderId, userId, totalCents: Number(row.total_cents), currency };
  if (status === 'rejected') await tx.publish(orders.events['order-rejected'], { ...about, reason: reason! });
  else await tx.publish(orders.events[`order-${status}`], about);
}
