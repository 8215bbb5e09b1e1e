// The rows of orders. What every order does is SQL: it is written with its event by one statement (Prisma's interactive
// transactions cost four times as much). Everything else is Prisma.
// The primary key of idempotency_keys decides which of several equal requests made the order; the others read its answer.
import { type BeginValues, beginIn, type EventArguments, type Store, styles } from '#banyan';
import type { PrismaClient } from '../../../prisma/orders/client/client.ts';
import type { Order, OrderStatus, RejectReason, SagaStyle } from './contract.ts';

export interface GivenAnswer {
  readonly fingerprint: string;
  readonly answer: Order;
}

export interface NewOrder {
  readonly userId: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly order: Omit<Order, 'saga'>;
  readonly paymentToken: string;
  /** What is published with it; the statement adds the style to its data. */
  readonly event: EventArguments;
  /** Begins its saga. */
  readonly begins: BeginValues;
}

/** The style is the first field of the answer and of the event's data, which are objects with other fields. */
const withStyle = (json: string) => `('{"saga":"' || style || '",' || substr(${json}, 2))::json`;

/**
 * The style in force is read by the statement that inserts: whoever changed it before this began is obeyed.
 * Nothing is written when the key is taken: each insert selects from the row that the first one made.
 */
const insertOrder = `
  WITH mine AS (
    INSERT INTO idempotency_keys (user_id, key, fingerprint, order_id, answer, created_at)
    SELECT $1, $2, $3, $4, ${withStyle('$5')}, $6 FROM ${styles}
    ON CONFLICT (user_id, key) DO NOTHING
    RETURNING order_id AS id, answer ->> 'saga' AS style
  ), placed AS (
    INSERT INTO orders (id, user_id, status, reason, total_cents, currency, created_at, decided_at, saga, payment_token)
    SELECT id, $1, $7, $8, $9, $10, $6, CASE WHEN $7 = 'placed' THEN NULL ELSE $6::timestamptz END, style,
      CASE WHEN $7 = 'placed' THEN $11 END
    FROM mine
  ), lines AS (
    INSERT INTO order_lines (order_id, position, product_id, name, quantity, unit_cents)
    SELECT mine.id, line.position, line.product_id, line.name, line.quantity, line.unit_cents
    FROM mine, unnest($12::uuid[], $13::text[], $14::int[], $15::bigint[])
      WITH ORDINALITY AS line (product_id, name, quantity, unit_cents, position)
  ), ${beginIn('mine', 24)}
  SELECT style, emit_event($16::uuid, $17, $18, $19, ${withStyle('$20')}, $21, $22, $23) FROM mine`;

export class OrderRepository {
  readonly #store: Store<PrismaClient>;

  constructor(store: Store<PrismaClient>) {
    this.#store = store;
  }

  /**
   * Writes the order, its key and its event, and begins its saga; answers the style in which it goes on.
   * Undefined when the key has an order already. Waits for an equal request that is being written.
   */
  async insert(given: NewOrder): Promise<SagaStyle | undefined> {
    const { userId, key, fingerprint, order, paymentToken, event, begins } = given;
    const { lines } = order;
    const { rows } = await this.#store.writes.query<{ style: SagaStyle }>(
      insertOrder,
      [
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
        paymentToken,
        lines.map((line) => line.productId),
        lines.map((line) => line.name),
        lines.map((line) => line.quantity),
        lines.map((line) => line.unitCents),
        ...event,
        ...begins,
      ],
      'orders-insert',
    );
    if (rows.length > 0) this.#store.committed();
    return rows[0]?.style;
  }

  /** What the first request with this key was answered. */
  async answerTo(userId: string, key: string): Promise<GivenAnswer | undefined> {
    const { rows } = await this.#store.sql.query<{ fingerprint: string; answer: Partial<Order> }>(
      'SELECT fingerprint, answer FROM idempotency_keys WHERE user_id = $1 AND key = $2',
      [userId, key],
      'orders-answer',
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
