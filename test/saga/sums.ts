// Whether money, stock and mail agree, read from every module's own tables and from the card network's own
// ledger, as the superuser: no product code has a part in it.
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Shop } from '../shop.ts';

const AGAIN_MS = 250;

/** Anything with a database of its own: a shop under test, or a stage. */
type Ground = { readonly started: { readonly databaseUrl: string } };

const pools = new Map<string, pg.Pool>();

function poolOf({ started }: Ground): pg.Pool {
  let pool = pools.get(started.databaseUrl);
  if (!pool) {
    pool = new pg.Pool({ connectionString: started.databaseUrl, max: 3 });
    // The shop's database is dropped under it.
    pool.on('error', () => {});
    pools.set(started.databaseUrl, pool);
  }
  return pool;
}

export async function ask(shop: Ground, text: string, values: readonly unknown[] = []) {
  return (await poolOf(shop).query(text, values as unknown[])).rows;
}

export async function chargesOf(shop: Shop, orderId: string): Promise<{ status: string }[]> {
  return (await ask(shop, 'SELECT status FROM card_network.charges WHERE order_id = $1', [orderId])) as {
    status: string;
  }[];
}

/** The kinds of mail that left about an order. */
export async function mailsOf(shop: Shop, orderId: string): Promise<string[]> {
  const rows = await ask(
    shop,
    `SELECT type FROM notifications.notifications WHERE order_id = $1 AND status = 'sent'`,
    [orderId],
  );
  return rows.map((row) => row.type as string);
}

/** Each sentence is something that does not agree. Stock: of what tests added and never set. */
const checks: Readonly<Record<string, string>> = {
  'orders that are not final': `SELECT id::text AS what FROM orders.orders WHERE status = 'placed'`,
  'sagas that are not over': `SELECT id::text AS what FROM orders.sagas WHERE path <> 'done'`,
  'orders charged more than once': `
    SELECT order_id::text AS what FROM card_network.charges GROUP BY order_id HAVING count(*) > 1`,
  'confirmed and not captured for exactly its total': `
    SELECT o.id::text AS what FROM orders.orders o LEFT JOIN card_network.charges c ON c.order_id = o.id
    WHERE o.status = 'confirmed' AND (c.status IS DISTINCT FROM 'captured' OR c.amount_cents <> o.total_cents)`,
  'captured and not confirmed': `
    SELECT c.order_id::text AS what FROM card_network.charges c LEFT JOIN orders.orders o ON c.order_id = o.id
    WHERE c.status = 'captured' AND o.status IS DISTINCT FROM 'confirmed'`,
  'the payments table and the network differ': `
    SELECT p.order_id::text || ' ' || p.status || ' ' || coalesce(c.status, 'nothing') AS what
    FROM payments.payments p LEFT JOIN card_network.charges c USING (order_id)
    WHERE (p.status = 'captured') <> (coalesce(c.status, '') = 'captured')`,
  'captured less refunded is not what confirmed orders cost': `
    SELECT captured || ' and ' || confirmed AS what FROM
      (SELECT coalesce(sum(amount_cents), 0) AS captured FROM card_network.charges WHERE status = 'captured') c,
      (SELECT coalesce(sum(total_cents), 0) AS confirmed FROM orders.orders WHERE status = 'confirmed') o
    WHERE captured <> confirmed`,
  'confirmed and its stock not sold, or the other way round': `
    SELECT o.id::text || ' ' || o.status || ' ' || coalesce(r.state, 'nothing') AS what
    FROM orders.orders o LEFT JOIN catalog.reservations r ON r.order_id = o.id
    WHERE (o.status = 'confirmed') <> (coalesce(r.state, '') = 'sold')`,
  'reservations that are still held': `SELECT order_id::text AS what FROM catalog.reservations WHERE state = 'reserved'`,
  'not exactly one mail of the final kind': `
    SELECT o.id::text || ' ' || o.status || ': ' || coalesce(string_agg(n.type, ', '), 'none') AS what
    FROM orders.orders o LEFT JOIN notifications.notifications n ON n.order_id = o.id AND n.status = 'sent'
    WHERE o.status <> 'placed'
    GROUP BY o.id, o.status HAVING count(n.id) <> 1 OR max(n.type) <> 'order-' || o.status`,
};

/** `initial` stock of products: what is there now plus what was sold must be that. */
export async function discrepancies(
  shop: Ground,
  initial: ReadonlyMap<string, number> = new Map(),
): Promise<string[]> {
  const found: string[] = [];
  for (const [name, sql] of Object.entries(checks)) {
    const rows = await ask(shop, sql);
    if (rows.length > 0) {
      const examples = rows.slice(0, 3).map((row) => row.what);
      found.push(`${name}: ${rows.length}, for example ${examples.join(' | ')}`);
    }
  }
  const rows = await ask(
    shop,
    `SELECT p.id, p.stock + coalesce(sum((line ->> 'quantity')::int), 0)::int AS total
     FROM catalog.products p LEFT JOIN (
       SELECT jsonb_array_elements(lines) AS line FROM catalog.reservations WHERE state IN ('sold', 'reserved')
     ) r ON (line ->> 'productId')::uuid = p.id WHERE p.id = ANY ($1::uuid[]) GROUP BY p.id`,
    [[...initial.keys()]],
  );
  for (const { id, total } of rows)
    if (total !== initial.get(id)) found.push(`stock of ${id}: ${initial.get(id)} at first, ${total} now`);
  return found;
}

/** What is still wrong when nothing moves any more, or when patience ends. */
export async function wrongAtRest(
  databaseUrl: string,
  stock: ReadonlyMap<string, number>,
  patienceMs: number,
  signal?: AbortSignal,
): Promise<string[]> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    signal?.throwIfAborted();
    const wrong = await discrepancies({ started: { databaseUrl } }, stock);
    if (wrong.length === 0 || Date.now() > deadline) return wrong;
    await pause(AGAIN_MS);
  }
}
