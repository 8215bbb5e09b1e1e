// The rows of orders, by Prisma.
// The primary key of idempotency_keys decides which of several equal requests made the order; the others read its answer.
import type { Store, Transaction, TransactionClient } from '#banyan';
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

type Tx = Transaction<TransactionClient<PrismaClient>>;

export class OrderRepository {
  readonly #store: Store<PrismaClient>;

  constructor(store: Store<PrismaClient>) {
    this.#store = store;
  }

  /** False when the key has an order already. Waits for an equal request that is being written. */
  async claim(tx: Tx, { userId, key, fingerprint, order }: Claim): Promise<boolean> {
    const { id: orderId, createdAt } = order;
    const { count } = await tx.prisma.idempotencyKey.createMany({
      data: [{ userId, key, fingerprint, orderId, answer: order, createdAt }],
      skipDuplicates: true,
    });
    return count === 1;
  }

  async insert(tx: Tx, userId: string, { lines, ...order }: Order, paymentToken: string): Promise<void> {
    const open = order.status === 'placed';
    await tx.prisma.order.create({
      data: {
        ...order,
        userId,
        decidedAt: open ? null : order.createdAt,
        paymentToken: open ? paymentToken : null,
        lines: { create: lines.map((line, index) => ({ ...line, position: index + 1 })) },
      },
      select: { id: true },
    });
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
