// The rows of orders. A new order and its event are written by one statement (the hot path: Prisma's
// interactive transactions cost four times as much); everything else is Prisma.
// The primary key of idempotency_keys decides which of several equal requests made the order.
import type { PrismaClient } from '../../../prisma/orders/client/client.ts';
import type { EventArguments } from '../../kernel/events/publisher.ts';
import type { Store } from '../../kernel/store/store.ts';
import type { Order, OrderStatus, RejectReason } from './contract.ts';

export interface GivenAnswer {
  readonly fingerprint: string;
  readonly answer: Order;
}

export interface NewOrder {
  readonly userId: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly order: Order;
  /** What is published with it. */
  readonly event: EventArguments;
}

/** Nothing at all is written when the key is taken: each insert feeds on the row that the first one made. */
const insertOrder = `
  WITH mine AS (
    INSERT INTO idempotency_keys (user_id, key, fingerprint, order_id, answer, created_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (user_id, key) DO NOTHING
    RETURNING order_id
  ), placed AS (
    INSERT INTO orders (id, user_id, status, reason, total_cents, currency, created_at, decided_at)
    SELECT order_id, $1, $7, $8, $9, $10, $6, CASE WHEN $7 = 'placed' THEN NULL ELSE $6::timestamptz END
    FROM mine
  ), lines AS (
    INSERT INTO order_lines (order_id, position, product_id, name, quantity, unit_cents)
    SELECT mine.order_id, line.position, line.product_id, line.name, line.quantity, line.unit_cents
    FROM mine, unnest($11::uuid[], $12::text[], $13::int[], $14::bigint[])
      WITH ORDINALITY AS line (product_id, name, quantity, unit_cents, position)
  )
  SELECT emit_event($15::uuid, $16, $17, $18, $19::json, $20, $21, $22) FROM mine`;

export class OrderRepository {
  readonly #store: Store<PrismaClient>;

  constructor(store: Store<PrismaClient>) {
    this.#store = store;
  }

  /**
   * Writes the order, its key and its event; false when the key has an order already. Waits for an equal
   * request that is being written.
   */
  async insert({ userId, key, fingerprint, order, event }: NewOrder): Promise<boolean> {
    const { lines } = order;
    const { rowCount } = await this.#store.pool.query(insertOrder, [
      userId,
      key,
      fingerprint,
      order.id,
      JSON.stringify(order),
      order.createdAt,
      order.status,
      order.reason ?? null,
      order.totalCents,
      order.currency,
      lines.map((line) => line.productId),
      lines.map((line) => line.name),
      lines.map((line) => line.quantity),
      lines.map((line) => line.unitCents),
      ...event,
    ]);
    if (rowCount) this.#store.committed();
    return rowCount === 1;
  }

  /** What the first request with this key was answered. */
  async answerTo(userId: string, key: string): Promise<GivenAnswer | undefined> {
    const row = await this.#store.prisma.idempotencyKey.findUnique({
      where: { userId_key: { userId, key } },
    });
    return row ? { fingerprint: row.fingerprint, answer: row.answer as unknown as Order } : undefined;
  }

  async find(userId: string, id: string): Promise<Order | undefined> {
    const row = await this.#store.prisma.order.findUnique({
      where: { id, userId },
      include: { lines: { orderBy: { position: 'asc' } } },
    });
    return row ? orderOf(row) : undefined;
  }

  /** Newest first; ids are UUIDv7, so the id is the time. */
  async newest(userId: string, before: string | undefined, limit: number): Promise<Order[]> {
    const rows = await this.#store.prisma.order.findMany({
      where: { userId, ...(before ? { id: { lt: before } } : {}) },
      orderBy: { id: 'desc' },
      take: limit,
      include: { lines: { orderBy: { position: 'asc' } } },
    });
    return rows.map(orderOf);
  }
}

interface Row {
  id: string;
  status: string;
  reason: string | null;
  totalCents: bigint;
  currency: string;
  createdAt: Date;
  lines: { productId: string; name: string; quantity: number; unitCents: bigint }[];
}

function orderOf(row: Row): Order {
  return {
    id: row.id,
    status: row.status as OrderStatus,
    ...(row.reason ? { reason: row.reason as RejectReason } : {}),
    lines: row.lines.map(({ productId, name, quantity, unitCents }) => ({
      productId,
      name,
      quantity,
      unitCents: Number(unitCents),
    })),
    totalCents: Number(row.totalCents),
    currency: row.currency,
    createdAt: row.createdAt.toISOString(),
  };
}
