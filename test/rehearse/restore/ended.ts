// What a shop that was put back comes to once nothing is under way any more: its books over all modules, what verification
// says, and a new order that goes all the way. It must not know what was there before.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ArchivedServer } from './archived-server.ts';
import { type RestoreShop, STOCK } from './stage.ts';

export interface Ended {
  /** Orders that are not final, events that were not sent, and deliveries that wait. */
  readonly open: number;
  readonly lost: number;
  readonly doubled: number;
  readonly inverted: number;
  readonly ahead: number;
  readonly dropped: number;
  /** Pieces that were neither sold nor given back, and confirmed orders that nobody paid for. */
  readonly stockOff: number;
  readonly unpaid: number;
  /** A new order was confirmed. */
  readonly goesOn: boolean;
}

const PATIENCE_MS = 60_000;

export async function atRest(shop: RestoreShop, server: ArchivedServer): Promise<Ended> {
  const open = await settled(() => underWay(server));
  const goesOn = await newOrder(shop);
  const events = await eventsOf(shop);
  const [books] = await server.query<{ off: number; unpaid: number }>(BOOKS, [shop.products.plenty]);
  return { open, ...events, stockOff: Math.abs(books!.off), unpaid: books!.unpaid, goesOn };
}

export async function ordersAt(server: ArchivedServer): Promise<ReadonlySet<string>> {
  const rows = await server.query<{ id: string }>('SELECT id FROM orders.orders');
  return new Set(rows.map(({ id }) => id));
}

/** What there was is there, or was sold. */
const BOOKS = `
  SELECT (${STOCK} - (SELECT stock FROM catalog.products WHERE id = $1::uuid)
     - (SELECT coalesce(sum(l.quantity), 0) FROM orders.order_lines l JOIN orders.orders o ON o.id = l.order_id
        WHERE o.status = 'confirmed' AND l.product_id = $1::uuid))::int AS off,
   (SELECT count(*)::int FROM orders.orders o WHERE o.status = 'confirmed'
      AND NOT EXISTS (SELECT FROM payments.payments p WHERE p.order_id = o.id AND p.status = 'captured')) AS unpaid`;

const MODULES = ['users', 'catalog', 'media', 'orders', 'payments', 'notifications'];

async function underWay(server: ArchivedServer): Promise<number> {
  const waits = MODULES.map(
    (module) => `(SELECT count(*) FROM ${module}.event_outbox)
      + (SELECT count(*) FROM ${module}.event_delivery WHERE state NOT IN ('done', 'dropped'))`,
  );
  const [row] = await server.query<{ n: number }>(
    `SELECT ((SELECT count(*) FROM orders.orders WHERE status = 'placed') + ${waits.join(' + ')})::int AS n`,
  );
  return row!.n;
}

/** Until nothing is under way; what is left then. */
async function settled(look: () => Promise<number>): Promise<number> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const n = await look();
    if (n === 0 || Date.now() > deadline) return n;
    await pause(100);
  }
}

async function newOrder(shop: RestoreShop): Promise<boolean> {
  const { token } = shop.customers[1]!;
  const body = { lines: [{ productId: shop.products.plenty, quantity: 1 }], paymentToken: 'tok_ok' };
  const headers = { 'idempotency-key': `restore-${randomUUID()}` };
  const placed = await shop.ask(0, { method: 'POST', path: '/api/orders', token, headers, body });
  if (placed.status !== 202) throw new Error(`A new order: ${placed.status} ${JSON.stringify(placed.body)}`);
  const state = async () =>
    (await shop.ask(0, { method: 'GET', path: `/api/orders/${placed.body.id}`, token })).body.status;
  return (
    (await settled(async () => ((await state()) === 'placed' ? 1 : 0))) === 0 &&
    (await state()) === 'confirmed'
  );
}

async function eventsOf(shop: RestoreShop) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await shop.admin('GET', '/admin/events/verify');
    const { lost, doubled, inverted, ahead, inFlight } = found;
    if (inFlight > 0 && Date.now() < deadline) {
      await pause(200);
      continue;
    }
    const consumers = found.topics.flatMap((one: { consumers: { dropped: number }[] }) => one.consumers);
    const dropped = consumers.reduce((sum: number, one: { dropped: number }) => sum + one.dropped, 0);
    return { lost, doubled, inverted, ahead, dropped };
  }
}
