// What a shop that was put back comes to once nothing is under way any more: its books over all modules, what verification
// says, and a new order that goes all the way. It must not know what was there before.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Server } from '../store/servers.ts';
import { type RestoreShop, STOCK } from './stage.ts';

export interface Ended {
  /** Orders that are not final, events that were not sent, and deliveries that wait. */
  readonly open: number;
  readonly lost: number;
  readonly doubled: number;
  readonly inverted: number;
  readonly ahead: number;
  readonly dropped: number;
  /** Pieces that are neither there nor sold to an order that there is, and confirmed orders that nobody paid for. */
  readonly stockOff: number;
  readonly unpaid: number;
  /** A new order was confirmed. */
  readonly goesOn: boolean;
}

const PATIENCE_MS = 60_000;

type Asked = Pick<Server, 'query'>;

/** Where the stores are: that of orders may be elsewhere. */
export interface Servers {
  readonly shared: Asked;
  readonly orders: Asked;
}

export async function atRest(shop: RestoreShop, servers: Servers): Promise<Ended> {
  const open = await settled(() => underWay(servers));
  const goesOn = await newOrder(shop);
  const events = await eventsOf(shop);
  return { open, ...events, ...(await booksOf(shop, servers)), goesOn };
}

export async function ordersAt(orders: Asked): Promise<ReadonlySet<string>> {
  const rows = await orders.query<{ id: string }>('SELECT id FROM orders.orders');
  return new Set(rows.map(({ id }) => id));
}

/** What there was is there, or was sold; and who was told that it is his has paid. */
async function booksOf(
  { products }: RestoreShop,
  { shared, orders }: Servers,
): Promise<Pick<Ended, 'stockOff' | 'unpaid'>> {
  const confirmed = await orders.query<{ id: string; pieces: number }>(
    `SELECT o.id, coalesce(sum(l.quantity) FILTER (WHERE l.product_id = $1::uuid), 0)::int AS pieces
     FROM orders.orders o JOIN orders.order_lines l ON l.order_id = o.id WHERE o.status = 'confirmed' GROUP BY o.id`,
    [products.plenty],
  );
  const [{ stock }] = (await shared.query<{ stock: number }>(
    'SELECT stock FROM catalog.products WHERE id = $1::uuid',
    [products.plenty],
  )) as [{ stock: number }];
  const paid = await shared.query<{ id: string }>(
    `SELECT order_id AS id FROM payments.payments WHERE status = 'captured'`,
  );
  const payers = new Set(paid.map(({ id }) => id));
  const sold = confirmed.reduce((sum, { pieces }) => sum + pieces, 0);
  return {
    stockOff: STOCK - stock - sold,
    unpaid: confirmed.filter(({ id }) => !payers.has(id)).length,
  };
}

const MODULES = ['users', 'catalog', 'media', 'payments', 'notifications'];

async function underWay({ shared, orders }: Servers): Promise<number> {
  const waits = (module: string) => `(SELECT count(*) FROM ${module}.event_outbox)
    + (SELECT count(*) FROM ${module}.event_delivery WHERE state NOT IN ('done', 'dropped'))`;
  const [there, here] = await Promise.all([
    orders.query<{ n: number }>(
      `SELECT ((SELECT count(*) FROM orders.orders WHERE status = 'placed') + ${waits('orders')})::int AS n`,
    ),
    shared.query<{ n: number }>(`SELECT (${MODULES.map(waits).join(' + ')})::int AS n`),
  ]);
  return there[0]!.n + here[0]!.n;
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
