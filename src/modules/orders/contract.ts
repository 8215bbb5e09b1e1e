// What orders promises: an order is taken at once and decided later.
import { type Static, Type } from 'typebox';
import { closed, defineContract, event, operation, page } from '../../kernel/contract/contract.ts';
import { cents, currency, id, line, paging, time } from '../../kernel/contract/fields.ts';

export const OrderStatus = Type.Union([
  Type.Literal('placed'),
  Type.Literal('confirmed'),
  Type.Literal('rejected'),
  Type.Literal('cancelled'),
]);
export type OrderStatus = Static<typeof OrderStatus>;

export const RejectReason = Type.Union([
  Type.Literal('out-of-stock'),
  Type.Literal('user-blocked'),
  Type.Literal('payment-declined'),
  Type.Literal('payment-timeout'),
]);
export type RejectReason = Static<typeof RejectReason>;

export const Order = Type.Object({
  id: id(),
  status: OrderStatus,
  reason: Type.Optional(RejectReason),
  lines: Type.Array(
    Type.Object({ productId: id(), name: Type.String(), quantity: Type.Integer(), unitCents: cents() }),
  ),
  totalCents: cents(),
  currency: currency(),
  createdAt: time(),
});
export type Order = Static<typeof Order>;

const Line = Type.Object({ productId: id(), quantity: Type.Integer() });
const Final = { orderId: id(), userId: id(), totalCents: cents(), currency: currency() };

export const orders = defineContract('orders', {
  summary: 'Orders, from placed to confirmed, rejected or cancelled',
  errors: {
    'order-unknown': { status: 404, title: 'No such order' },
    'product-unknown': { status: 422, title: 'A product of the order does not exist' },
    'mixed-currencies': { status: 422, title: 'The products of one order must share a currency' },
    'total-too-large': { status: 422, title: 'The order costs more than can be charged' },
    'idempotency-key-reused': { status: 422, title: 'The Idempotency-Key was used for another request' },
    'too-late': { status: 409, title: 'The order can no longer be cancelled' },
    'bad-cursor': { status: 422, title: 'The cursor is not one that this list gave' },
  },
  operations: {
    place: operation({
      summary: 'Place an order; whether it is confirmed is decided after the answer',
      description:
        'A business failure (stock, payment, a blocked user) comes later, as status rejected with a reason.',
      access: 'session',
      http: { method: 'POST', path: '/api/orders', status: 202 },
      headers: { idempotencyKey: 'Idempotency-Key' },
      input: closed({
        idempotencyKey: line({ minLength: 1, maxLength: 255 }),
        lines: Type.Array(
          closed({ productId: id(), quantity: Type.Integer({ minimum: 1, maximum: 1000 }) }),
          {
            minItems: 1,
            maxItems: 100,
          },
        ),
        paymentToken: line({ minLength: 1, maxLength: 200 }),
      }),
      output: Order,
      idempotent: true,
      errors: ['product-unknown', 'mixed-currencies', 'total-too-large', 'idempotency-key-reused'],
    }),
    list: operation({
      summary: "The customer's orders, newest first",
      access: 'session',
      http: { method: 'GET', path: '/api/orders' },
      input: closed({ ...paging }),
      output: page(Order),
      idempotent: true,
      errors: ['bad-cursor'],
    }),
    show: operation({
      summary: "One of the customer's orders",
      access: 'session',
      http: { method: 'GET', path: '/api/orders/:id' },
      input: closed({ id: id() }),
      output: Order,
      idempotent: true,
      errors: ['order-unknown'],
    }),
    cancel: operation({
      summary: 'Cancel an order that is not final yet',
      description:
        '200 with the cancelled order; 202 when a running step decides it later; 409 when it is too late.',
      access: 'session',
      http: {
        method: 'DELETE',
        path: '/api/orders/:id',
        statuses: [200, 202],
        statusOf: (order) => ((order as Order).status === 'cancelled' ? 200 : 202),
      },
      input: closed({ id: id() }),
      output: Order,
      idempotent: true,
      errors: ['order-unknown', 'too-late'],
    }),
  },
  events: {
    'order-placed': event({
      summary: 'A customer placed an order',
      version: 1,
      key: 'orderId',
      data: Type.Object({
        orderId: id(),
        userId: id(),
        lines: Type.Array(Line),
        totalCents: cents(),
        currency: currency(),
        paymentToken: Type.String(),
      }),
    }),
    'order-confirmed': event({
      summary: 'Stock is reserved and the money captured',
      version: 1,
      key: 'orderId',
      data: Type.Object(Final),
    }),
    'order-rejected': event({
      summary: 'The order will not be delivered',
      version: 1,
      key: 'orderId',
      data: Type.Object({ ...Final, reason: RejectReason }),
    }),
    'order-cancelled': event({
      summary: 'The customer took the order back in time',
      version: 1,
      key: 'orderId',
      data: Type.Object(Final),
    }),
  },
});
