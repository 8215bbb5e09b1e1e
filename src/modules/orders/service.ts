// What a customer can do with orders. Placing asks users and catalog first and then writes order, answer
// and event in one transaction, which begins the saga; what becomes of the order is decided later (see listeners.ts).
// It knows nothing of HTTP, and nothing of where users and catalog run.
import { setTimeout as pause } from 'node:timers/promises';
import { v7 } from 'uuid';
import {
  type Client,
  type Engine,
  libraryProblem,
  type PageQuery,
  type Published,
  pageOf,
  problem,
  type Store,
  type Transaction,
} from '#banyan';
import type { PrismaClient } from '../../../prisma/orders/client/client.ts';
import type { catalog } from '../catalog/contract.ts';
import type { users } from '../users/contract.ts';
import { type Order, orders, type TimelineItem } from './contract.ts';
import type { Fingerprints } from './fingerprint.ts';
import { type Bill, billFor, type WantedLine } from './pricing.ts';
import type { GivenAnswer, OrderRepository } from './repository.ts';
import type { SagaOperator } from './saga/operator.ts';
import type { Checkout } from './saga/orchestration.ts';
import { timelineOf } from './saga/words.ts';

/** Prices that take longer are still waited for, but first it is looked whether this is a repeat. */
const LOOK_FOR_REPEAT_AFTER_MS = 100;

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
  /** The card's token for that order and for payments alone. */
  readonly cards: (orderId: string, token: string) => Promise<string>;
  readonly fingerprints: Fingerprints;
  readonly coordinator: Engine<Checkout>;
  readonly operator: SagaOperator;
}

export class OrderService {
  readonly #parts: OrderServiceParts;

  constructor(parts: OrderServiceParts) {
    this.#parts = parts;
  }

  /**
   * The order as first answered, also for every repeat of the same key and body. From here on the card's token is sealed
   * for payments: it is written nowhere in clear.
   */
  async place(userId: string, request: PlaceOrder): Promise<Order> {
    const { repository, users, fingerprints, cards } = this.#parts;
    const { idempotencyKey: key, lines } = request;
    const id = v7();
    const billing = this.#billFor(lines).catch((error: unknown) => ({ error }));
    const [user, fingerprint, paymentToken, soon] = await Promise.all([
      users.getUser({ userId }),
      fingerprints.of(request),
      cards(id, request.paymentToken),
      Promise.race([billing, pause(LOOK_FOR_REPEAT_AFTER_MS, undefined, { ref: false })]),
    ]);
    if (!user) throw libraryProblem('unauthenticated', { detail: 'The user of this session is gone.' });
    if (!soon || 'error' in soon) {
      // A repeat is answered even when the product is gone, or catalog away or slow.
      const given = await repository.answerTo(userId, key);
      if (given) return this.#sameAnswer(given, request);
    }
    const bill = await billing;
    if ('error' in bill) throw bill.error;
    const draft: Draft = {
      id,
      status: user.blocked ? 'rejected' : 'placed',
      ...(user.blocked ? { reason: 'user-blocked' } : {}),
      ...bill,
      createdAt: new Date().toISOString(),
    };
    const order = await this.#write({ userId, key, fingerprint, draft, paymentToken });
    if (order) return order;
    // The key is taken: this is a repeat, or one of several at once.
    const winner = await repository.answerTo(userId, key);
    if (!winner) throw new Error(`the answer to key ${key} of user ${userId} vanished`);
    return this.#sameAnswer(winner, request);
  }

  list(userId: string, query: PageQuery) {
    const { repository } = this.#parts;
    return pageOf(orders, query, (before, limit) => repository.newest(userId, before, limit));
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
    const how = await store.transaction((tx) => operator.requestCancel(tx, id));
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

  async #sameAnswer({ fingerprint, answer }: GivenAnswer, request: PlaceOrder): Promise<Order> {
    if (await this.#parts.fingerprints.isOf(fingerprint, request)) return answer;
    throw problem(orders, 'idempotency-key-reused', {
      detail: `The key belongs to order ${answer.id}, whose lines or payment token are others. Use a new key.`,
      errors: [{ path: '/Idempotency-Key', message: 'was used with another body' }],
    });
  }

  async #billFor(wanted: readonly WantedLine[]): Promise<Bill> {
    const ids = [...new Set(wanted.map((line) => line.productId.toLowerCase()))];
    return billFor(wanted, (await this.#parts.catalog.priceProducts({ ids })).items);
  }

  /**
   * Writes the order, its key and its event, and begins its saga. Undefined when the key has an order already; an
   * equal request that is being written is waited for.
   */
  #write({ userId, key, fingerprint, draft, paymentToken }: Placing): Promise<Order | undefined> {
    const { store, repository, coordinator } = this.#parts;
    return store.transaction(async (tx) => {
      const order: Order = { ...draft, saga: await coordinator.styleIn(tx) };
      if (!(await repository.claim(tx, { userId, key, fingerprint, order }))) return undefined;
      await repository.insert(tx, userId, order, paymentToken);
      const checkout = checkoutOf(userId, order, paymentToken);
      // Only queued: events are sent with the commit.
      const because = await publishFirst(tx, order, checkout);
      coordinator.begin(tx, order.id, {
        style: order.saga,
        step: 'place-order',
        at: order.createdAt,
        because,
        data: checkout,
        ending: order.reason ?? null,
      });
      return order;
    });
  }
}

type Draft = Omit<Order, 'saga'>;

interface Placing {
  readonly userId: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly draft: Draft;
  readonly paymentToken: string;
}

/** A blocked user's order ends where it begins: nobody hears that it was placed, so nothing is reserved. */
function publishFirst(tx: Transaction, { reason, saga }: Order, checkout: Checkout): Promise<Published> {
  if (!reason) return tx.publish(orders.events['order-placed'], { ...checkout, saga });
  const { orderId, userId, totalCents, currency } = checkout;
  return tx.publish(orders.events['order-rejected'], { orderId, userId, totalCents, currency, reason, saga });
}

/** What is to be done for an order: what its first event tells, and what a coordinator needs. */
function checkoutOf(userId: string, order: Order, paymentToken: string): Checkout {
  const { id: orderId, totalCents, currency } = order;
  const lines = order.lines.map(({ productId, quantity }) => ({ productId, quantity }));
  return { orderId, userId, lines, totalCents, currency, paymentToken };
}
