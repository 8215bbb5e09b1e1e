// The rows of orders. Placing is SQL, as by Prisma it costs five times the CPU (ADR 175); what customers read is Prisma.
// Of concurrent requests with one key, the first to insert into idempotency_keys creates the order; the others read its
// answer.
import type { Store, Transaction } from '#banyan';
import type { PrismaClient } from '../../../prisma/orders/client/client.ts';
import type { Order, OrderStatus, RejectReason, SagaStyle } from './contract.ts';

export interface GivenAnswer {
  readonly fingerprint: string;
  readonly answer: Order;
}

/** Whose request with which key was answered by which order. */
export interface Claim {
  readonly userId: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly order: Order;
}

export class OrderRepository {
  readonly #store: Store<PrismaClient>;

  constructor(store: Store<PrismaClient>) {
    this.#store = store;
  }

  /** False when the key has an order already. Waits for an equal request that is being written. */
  async claim({ sql }: Transaction, { userId, key, fingerprint, order }: Claim): Promise<boolean> {
    const { rowCount } = await sql.query(
      `INSERT INTO idempotency_keys (user_id, key, fingerprint, order_id, answer, created_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
      [userId, key, fingerprint, order.id, JSON.stringify(order), order.createdAt],
    );
    return rowCount === 1;
  }

  async insert({ sql }: Transaction, userId: string, order: Order, paymentToken: string): Promise<void> {
    await Promise.all([
      sql.query('INSERT INTO orders SELECT * FROM json_populate_record(NULL::orders, $1)', [
        JSON.stringify(rowOf(userId, order, paymentToken)),
      ]),
      sql.query('INSERT INTO order_lines SELECT * FROM json_populate_recordset(NULL::order_lines, $1)', [
        JSON.stringify(lineRowsOf(order)),
      ]),
    ]);
  }

  /** What the first request with this key was answered. */
  async answerTo(userId: string, key: string): Promise<GivenAnswer | undefined> {
    const { rows } = await this.#store.sql.query<{ fingerprint: string; answer: Partial<Order> }>(
      'SELECT fingerprint, answer FROM idempotency_keys WHERE user_id = $1 AND key = $2',
      [userId, key],
    );
    const [row] = rows;
    // Answers given before there were two styles do not name theirs.
    return row && { fingerprint: row.fingerprint, answer: { saga: 'choreography', ...row.answer } as Order };
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

/** What is written with an order, by the names of the columns. */
function rowOf(userId: string, order: Order, paymentToken: string) {
  const { id, status, reason, totalCents, currency, saga, createdAt } = order;
  const open = status === 'placed';
  return {
    ...{ id, status, reason, currency, saga },
    user_id: userId,
    total_cents: totalCents,
    created_at: createdAt,
    decided_at: open ? null : createdAt,
    payment_token: open ? paymentToken : null,
  };
}

function lineRowsOf({ id, lines }: Order) {
  return lines.map(({ productId, name, quantity, unitCents }, index) => {
    return {
      order_id: id,
      position: index + 1,
      product_id: productId,
      name,
      quantity,
      unit_cents: unitCents,
    };
  });
}

interface Row {
  id: string;
  status: string;
  reason: string | null;
  totalCents: bigint;
  currency: string;
  saga: string;
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
    saga: row.saga as SagaStyle,
    createdAt: row.createdAt.toISOString(),
  };
}
