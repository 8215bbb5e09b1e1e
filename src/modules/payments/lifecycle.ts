// The life of a payment, one row per order. What the network is asked happens between these steps, never
// inside one; each is one conditional statement, so a repeated, late or overtaken step changes nothing.
//
//   pending      to be charged, or being charged
//     captured     the money is ours                                 -> payment-captured
//     giving-up    the network never answered; to be voided there, then
//       failed       declined, or given up and voided                -> payment-failed
//     voiding      the order ended while a charge may be on its way; to be voided there, then
//       voided       nothing is left captured (at once when never asked)  -> payment-voided
//   captured
//     refunding    the order ended; to be refunded there, then
//       refunded     the money went back                             -> payment-refunded
//   forestalled  the order ended before its stock was reserved: a late charge finds this row
//
// The card's token, sealed, is there while a payment is pending: whatever ends that takes it away.
import { v7 } from 'uuid';
import { presentCause, type Sql, type Store, type Transaction } from '#banyan';
import { type Payment, payments } from './contract.ts';

export type Status = Payment['status'] | 'giving-up' | 'voiding' | 'refunding' | 'forestalled';

/** How a customer sees it: what is still to be done at the network is our business. */
export function publicStatus(status: Status): Payment['status'] {
  if (status === 'giving-up' || status === 'voiding') return 'pending';
  if (status === 'refunding') return 'captured';
  return status === 'forestalled' ? 'voided' : status;
}

interface AboutOrder {
  readonly orderId: string;
  readonly userId: string;
  readonly totalCents: number;
  readonly currency: string;
}

/** Where the charge of an order stands. */
export interface Standing {
  readonly id: string;
  readonly status: Status;
  readonly reason: 'payment-declined' | 'payment-timeout' | null;
  readonly asks: number;
}

/**
 * The stock of an order is reserved: charge it, unless it has a payment (or is forestalled). Answers where that
 * stands; undefined: it is new, and there is work.
 */
export async function request(
  sql: Sql,
  order: AboutOrder & { paymentToken: string },
): Promise<Standing | undefined> {
  const { orderId, userId, totalCents, currency, paymentToken } = order;
  const { rowCount } = await sql.query(
    `INSERT INTO payments (id, order_id, user_id, amount_cents, currency, token, status, due_at, cause, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, 'pending', now(), $7, now(), now())
     ON CONFLICT (order_id) DO NOTHING`,
    [v7(), orderId, userId, totalCents, currency, paymentToken, presentCause()],
  );
  return rowCount > 0 ? undefined : standing(sql, orderId);
}

export async function standing(sql: Sql, orderId: string): Promise<Standing> {
  const { rows } = await sql.query('SELECT id, status, reason, asks FROM payments WHERE order_id = $1', [
    orderId,
  ]);
  return rows[0] as unknown as Standing;
}

/** Says again how a charge ended: somebody asked once more because the answer is missing. */
export async function repeat(tx: Transaction, order: AboutOrder, at: Standing): Promise<void> {
  const { orderId, userId, totalCents: amountCents, currency } = order;
  const about = { orderId, userId, paymentId: at.id, amountCents, currency, attempts: at.asks };
  if (at.status === 'captured') await tx.publish(payments.events['payment-captured'], about);
  if (at.status === 'failed')
    await tx.publish(payments.events['payment-failed'], {
      ...about,
      reason: at.reason ?? 'payment-declined',
    });
}

/** The order was rejected or cancelled: what was taken goes back, nothing is taken any more. True: there is work. */
export async function undo(tx: Transaction, order: AboutOrder): Promise<boolean> {
  const { orderId, userId, totalCents, currency } = order;
  const { rows } = await tx.sql.query(
    `INSERT INTO payments AS p (id, order_id, user_id, amount_cents, currency, status, cause, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, 'forestalled', $6, now(), now())
     ON CONFLICT (order_id) DO UPDATE SET
       status = CASE WHEN p.status = 'captured' THEN 'refunding' WHEN p.asks = 0 THEN 'voided' ELSE 'voiding' END,
       due_at = CASE WHEN p.status = 'pending' AND p.asks = 0 THEN NULL ELSE now() END,
       token = NULL,
       cause = EXCLUDED.cause,
       updated_at = now()
     WHERE p.status IN ('pending', 'captured')
     RETURNING id, status, due_at`,
    [v7(), orderId, userId, totalCents, currency, presentCause()],
  );
  for (const { id: paymentId, status } of rows) {
    const about = { orderId, userId, paymentId, amountCents: totalCents, currency, attempts: 0 };
    if (status === 'voided') await tx.publish(payments.events['payment-voided'], about);
  }
  return rows.some((row) => row.due_at !== null);
}

export interface ClaimedPayment {
  readonly id: string;
  readonly orderId: string;
  readonly userId: string;
  readonly amountCents: number;
  readonly currency: string;
  /** Sealed; null where nothing will be charged any more. */
  readonly token: string | null;
  readonly status: 'pending' | 'giving-up' | 'voiding' | 'refunding';
  readonly asks: number;
  readonly silences: number;
}

export interface Answer {
  readonly to: Status;
  readonly event?: 'payment-captured' | 'payment-refunded' | 'payment-voided' | 'payment-failed';
  readonly reason?: 'payment-declined' | 'payment-timeout';
  /** There is more to do at the network. */
  readonly due?: boolean;
}

/** Records what came of a claimed payment, with its event; false when another host or the order's end was first. */
export async function record(store: Store, payment: ClaimedPayment, answer: Answer): Promise<boolean> {
  const { id, status } = payment;
  const { to, due = false, reason = null } = answer;
  return store.transaction(async (tx) => {
    const { rowCount } = await tx.sql.query(
      `UPDATE payments SET status = $3, due_at = CASE WHEN $4::boolean THEN now() END, reason = $5, token = NULL,
         updated_at = now()
       WHERE id = $1 AND status = $2`,
      [id, status, to, due, reason],
    );
    if (rowCount === 0) return false;
    await tell(tx, payment, answer);
    return true;
  });
}

async function tell(tx: Transaction, payment: ClaimedPayment, { event, reason }: Answer): Promise<void> {
  const { id: paymentId, orderId, userId, amountCents, currency, asks: attempts } = payment;
  const about = { orderId, userId, paymentId, amountCents, currency, attempts };
  const { events } = payments;
  if (event === 'payment-failed') await tx.publish(events[event], { ...about, reason: reason! });
  else if (event) await tx.publish(events[event], about);
}

/** Hosts of the version before leave the token where it is: those of the last two days are looked through. */
export async function forgetTokens(sql: Sql): Promise<void> {
  await sql.query(
    `UPDATE payments SET token = NULL WHERE id > $1 AND token IS NOT NULL AND status <> 'pending'`,
    [v7({ msecs: Date.now() - 2 * 86_400_000 })],
  );
}
