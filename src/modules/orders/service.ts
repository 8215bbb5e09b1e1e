// What a customer can do with orders. Placing asks users and catalog first and then writes order, answer
// and event in one statement; what becomes of the order is decided later (see listeners.ts).
// It knows nothing of HTTP, and nothing of where users and catalog run.
import { setTimeout as pause } from 'node:timers/promises';
import { v7, validate } from 'uuid';
import {
  type BeginValues,
  type Client,
  type Engine,
  type EventArguments,
  eventArguments,
  kernelProblem,
  problem,
  type Store,
} from '#banyan';
import type { PrismaClient } from '../../../prisma/orders/client/client.ts';
import type { catalog } from '../catalog/contract.ts';
import type { users } from '../users/contract.ts';
import { type Order, orders, type TimelineItem } from './contract.ts';
import { fingerprintOf } from './fingerprint.ts';
import { type Bill, billFor, type WantedLine } from './pricing.ts';
import type { GivenAnswer, OrderRepository } from './repository.ts';
import type { SagaOperator } from './saga/operator.ts';
import type { Checkout } from './saga/orchestration.ts';
import { timelineOf } from './saga/words.ts';

/** Where prices take longer than this, a repeat is looked for before the order is written. */
const PATIENCE_MS = 100;

export interface PlaceOrder {
  readonly idempotencyKey: string;
  readonly lines: readonly WantedLine[];
  readonly paymentToken: string;
}

export interface OrderServiceParts {
  readonly store: Store<PrismaClient>;
  readonly repository: OrderRepository;
  readonly users: Client<typeof users>;
  readonly catalog: Client<typeof catalog>;
  readonly coordinator: Engine<Checkout>;
  readonly operator: SagaOperator;
}

export class OrderService {
  readonly #parts: OrderServiceParts;

  constructor(parts: OrderServiceParts) {
    this.#parts = parts;
  }

  /** The order as first answered, also for every repeat of the same key and body. */
  async place(userId: string, request: PlaceOrder): Promise<Order> {
    const { repository, users } = this.#parts;
    const { idempotencyKey: key, paymentToken, lines } = request;
    const fingerprint = fingerprintOf(request);
    const billing = this.#billFor(lines).catch((error: unknown) => ({ error }));
    const [user, prompt] = await Promise.all([
      users.getUser({ userId }),
      Promise.race([billing, pause(PATIENCE_MS, undefined, { ref: false })]),
    ]);
    if (!user) throw kernelProblem('unauthenticated', { detail: 'The user of this session is gone.' });
    if (!prompt || 'error' in prompt) {
      // A repeat is answered even when the product is gone, or catalog away or slow.
      const given = await repository.answerTo(userId, key);
      if (given) return sameAnswer(given, fingerprint);
    }
    const bill = await billing;
    if ('error' in bill) throw bill.error;
    const order: Omit<Order, 'saga'> = {
      id: v7(),
      status: user.blocked ? 'rejected' : 'placed',
      ...(user.blocked ? { reason: 'user-blocked' } : {}),
      ...bill,
      createdAt: new Date().toISOString(),
    };
    const event = firstEvent(userId, order, paymentToken);
    const begins = this.#begins(userId, order, paymentToken, event);
    const saga = await repository.insert({ userId, key, fingerprint, order, paymentToken, event, begins });
    if (saga === 'orchestration') this.#parts.coordinator.wake();
    if (saga) return { ...order, saga };
    // The key is taken: this is a repeat, or one of several at once.
    const winner = await repository.answerTo(userId, key);
    if (!winner) throw new Error(`the answer to key ${key} of user ${userId} vanished`);
    return sameAnswer(winner, fingerprint);
  }

  async list(userId: string, { limit = 20, cursor }: { limit?: number; cursor?: string }) {
    if (cursor !== undefined && !validate(cursor)) {
      throw problem(orders, 'bad-cursor', {
        errors: [{ path: '/cursor', message: 'is not a nextCursor of this list' }],
      });
    }
    const found = await this.#parts.repository.newest(userId, cursor, limit + 1);
    const items = found.slice(0, limit);
    return { items, nextCursor: found.length > limit ? items.at(-1)!.id : null };
  }

  async show(userId: string, id: string): Promise<Order> {
    const order = await this.#parts.repository.find(userId, id);
    if (!order) throw problem(orders, 'order-unknown');
    return order;
  }

  /**
   * The cancelled order, also when it was cancelled before; the order as it is while a coordinator takes it back.
   * The database decides between this and a confirmation.
   */
  async cancel(userId: string, id: string): Promise<Order> {
    const { store, operator } = this.#parts;
    await this.show(userId, id);
    const how = await store.rawTransaction((tx) => operator.callOff(tx, id));
    const order = await this.show(userId, id);
    if (order.status === 'cancelled') return order;
    if (order.status === 'placed' && (how === 'called-off' || how === 'already')) return order;
    throw problem(orders, 'too-late', { detail: `The order is already ${order.status}.` });
  }

  async timeline(userId: string, id: string): Promise<{ items: TimelineItem[] }> {
    const { coordinator } = this.#parts;
    const order = await this.show(userId, id);
    return { items: timelineOf(order, await coordinator.timeline(id), await coordinator.open(id)) };
  }

  async #billFor(wanted: readonly WantedLine[]): Promise<Bill> {
    const ids = [...new Set(wanted.map((line) => line.productId.toLowerCase()))];
    return billFor(wanted, (await this.#parts.catalog.priceProducts({ ids })).items);
  }

  #begins(
    userId: string,
    order: Omit<Order, 'saga'>,
    paymentToken: string,
    [eventId]: EventArguments,
  ): BeginValues {
    const { id: orderId, totalCents, currency, reason, createdAt: at } = order;
    const lines = order.lines.map(({ productId, quantity }) => ({ productId, quantity }));
    const data: Checkout = { orderId, userId, lines, totalCents, currency, paymentToken };
    const ending = reason ?? null;
    return this.#parts.coordinator.beginValues({ step: 'place-order', at, eventId, data, ending });
  }
}

/** A blocked user's order ends where it begins: nobody hears that it was placed, so nothing is reserved. */
function firstEvent(userId: string, order: Omit<Order, 'saga'>, paymentToken: string): EventArguments {
  const { id: orderId, totalCents, currency, reason, lines } = order;
  const about = { orderId, userId, totalCents, currency };
  const { events } = orders;
  return reason
    ? eventArguments(events['order-rejected'], { ...about, reason })
    : eventArguments(events['order-placed'], {
        ...about,
        lines: lines.map(({ productId, quantity }) => ({ productId, quantity })),
        paymentToken,
      });
}

function sameAnswer({ fingerprint, answer }: GivenAnswer, wanted: string): Order {
  if (fingerprint === wanted) return answer;
  throw problem(orders, 'idempotency-key-reused', {
    detail: `The key belongs to order ${answer.id}, whose lines or payment token are others. Use a new key.`,
    errors: [{ path: '/Idempotency-Key', message: 'was used with another body' }],
  });
}
