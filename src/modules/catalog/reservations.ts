// Stock set aside for orders: for all of an order's products or for none. The row of the order decides
// whether a step takes effect; a repeated or late one finds another state and changes nothing.
//
//   (no row) ── reserve ──> reserved ── sell ─────> sold
//                       │            └─ release ──> released
//                       └─> refused
//   (no row) ── release ──> released      the order ended before it was placed here: it gets nothing
//
// Everybody locks the order's row first and then the products in the order of their ids, so steps that
// meet queue up and never hold each other. (Products first: a repeated reserve deadlocks with a release.)
// The statement that reserves is the clever one of all modules (ADR 175): stock is what orders share, so it is held as
// briefly as can be, and taken from the rows that were locked, since the statement's own snapshot may be older.
import type { DataOf, Sql, Transaction } from '#banyan';
import type { orders } from '../orders/contract.ts';
import { catalog } from './contract.ts';

export type WantedOrder = DataOf<(typeof orders.events)['order-placed']>;
type Line = WantedOrder['lines'][number];

export type ReservationState = 'reserved' | 'refused' | 'sold' | 'released';

/**
 * Takes the order's row, waits for all of its products, reads the stock of the moment it got them, and takes from it
 * if there is enough of each; nothing where the row was there before. Answers that, and the products that are short.
 */
const TAKE = `
  WITH mine AS (INSERT INTO reservations (order_id, state, lines, changed_at) VALUES ($1, 'reserved', $4, now())
    ON CONFLICT (order_id) DO NOTHING RETURNING order_id),
  wanted AS (SELECT id, quantity FROM mine, unnest($2::uuid[], $3::int[]) AS line (id, quantity)),
  there AS MATERIALIZED (
    SELECT id, stock FROM products WHERE id = ANY($2) AND EXISTS (SELECT FROM mine) ORDER BY id FOR UPDATE),
  short AS MATERIALIZED (SELECT wanted.id FROM wanted LEFT JOIN there USING (id)
    WHERE there.id IS NULL OR there.stock < wanted.quantity),
  taken AS (UPDATE products SET stock = there.stock - wanted.quantity FROM wanted JOIN there USING (id)
    WHERE products.id = there.id AND NOT EXISTS (SELECT FROM short))
  SELECT EXISTS (SELECT FROM mine) AS new, ARRAY(SELECT id FROM short ORDER BY id) AS short`;

/** An upsert, because it waits for a reservation that is being written and then sees it. */
const END_RESERVATION = `
  INSERT INTO reservations (order_id, state, lines, changed_at) VALUES ($1, 'released', '[]', now())
  ON CONFLICT (order_id) DO UPDATE SET state = 'released', changed_at = now()
  WHERE reservations.state = 'reserved'
  RETURNING lines`;

const GIVE_BACK = `
  WITH wanted AS (
    SELECT id, quantity FROM unnest($1::uuid[], $2::int[]) AS line (id, quantity)
  ), there AS MATERIALIZED (
    SELECT id FROM products WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE
  )
  UPDATE products SET stock = products.stock + wanted.quantity
  FROM wanted JOIN there USING (id) WHERE products.id = wanted.id`;

/**
 * Sets everything aside that the order wants, or nothing, and publishes which; answers where the reservation stands,
 * and whether it stood there before.
 */
export async function reserve(
  tx: Transaction,
  order: WantedOrder,
  attempts = 1,
): Promise<{ state: ReservationState; repeated: boolean }> {
  const { orderId } = order;
  const lines = perProduct(order.lines);
  const wanted = [orderId, ...columns(lines), JSON.stringify(lines)];
  const { rows } = await tx.sql.query<{ new: boolean; short: string[] }>(TAKE, wanted);
  const { new: first, short: productIds } = rows[0]!;
  if (!first) return { state: await stateOf(tx.sql, orderId), repeated: true };
  if (productIds.length > 0) {
    await end(tx.sql, orderId, 'refused');
    await tx.publish(catalog.events['stock-refused'], { orderId, productIds, attempts });
    return { state: 'refused', repeated: false };
  }
  await publishReserved(tx, order, lines, attempts);
  return { state: 'reserved', repeated: false };
}

/** Says again what became of a reservation: somebody asked once more because an answer is missing. */
export async function repeat(tx: Transaction, order: WantedOrder, state: ReservationState): Promise<void> {
  const { orderId } = order;
  if (state === 'reserved') await publishReserved(tx, order, perProduct(order.lines), 1);
  if (state === 'refused') await tx.publish(catalog.events['stock-refused'], { orderId, productIds: [] });
}

async function publishReserved(
  tx: Transaction,
  order: WantedOrder,
  lines: Line[],
  attempts: number,
): Promise<void> {
  const { orderId, userId, totalCents, currency, paymentToken, saga } = order;
  const about = { orderId, userId, lines, totalCents, currency, paymentToken, attempts };
  await tx.publish(catalog.events['stock-reserved'], saga ? { ...about, saga } : about);
}

async function stateOf(sql: Sql, orderId: string): Promise<ReservationState> {
  const { rows } = await sql.query<{ state: ReservationState }>(
    'SELECT state FROM reservations WHERE order_id = $1',
    [orderId],
  );
  return rows[0]!.state;
}

/** The order was not bought: what it had can be sold again, and what it has not yet asked for it never gets. */
export async function release(tx: Transaction, orderId: string, attempts = 1): Promise<void> {
  const { rows } = await tx.sql.query<{ lines: Line[] }>(END_RESERVATION, [orderId]);
  const lines = rows[0]?.lines ?? [];
  if (lines.length === 0) return;
  await tx.sql.query(GIVE_BACK, columns(lines));
  await tx.publish(catalog.events['stock-released'], { orderId, lines, attempts });
}

/** The order was bought: its stock is gone for good. */
export async function sell(sql: Sql, orderId: string): Promise<void> {
  await end(sql, orderId, 'sold');
}

async function end(sql: Sql, orderId: string, state: 'refused' | 'sold'): Promise<void> {
  await sql.query(
    `UPDATE reservations SET state = $2, changed_at = now() WHERE order_id = $1 AND state = 'reserved'`,
    [orderId, state],
  );
}

/** A product that is named twice is one demand on the stock. */
function perProduct(lines: readonly Line[]): Line[] {
  const quantities = new Map<string, number>();
  for (const { productId, quantity } of lines) {
    const id = productId.toLowerCase();
    quantities.set(id, (quantities.get(id) ?? 0) + quantity);
  }
  return [...quantities].map(([productId, quantity]) => ({ productId, quantity }));
}

function columns(lines: readonly Line[]): [string[], number[]] {
  return [lines.map((line) => line.productId), lines.map((line) => line.quantity)];
}
