// What orders promises: an order is taken at once and decided later.
import type { Static } from 'typebox';
import {
  cents,
  closed,
  currency,
  defineContract,
  event,
  id,
  line,
  nullable,
  operation,
  page,
  paging,
  plain,
  sagaBeginning,
  sagaFilter,
  sagaList,
  sagaTurn,
  Type,
  time,
} from '#banyan';

export const OrderStatus = plain(
  Type.Union([
    Type.Literal('placed'),
    Type.Literal('confirmed'),
    Type.Literal('rejected'),
    Type.Literal('cancelled'),
  ]),
);
export type OrderStatus = Static<typeof OrderStatus>;

export const RejectReason = plain(
  Type.Union([
    Type.Literal('out-of-stock'),
    Type.Literal('user-blocked'),
    Type.Literal('payment-declined'),
    Type.Literal('payment-timeout'),
  ]),
);
export type RejectReason = Static<typeof RejectReason>;

/** Who says what comes next: nobody (modules react to events) or a coordinator in orders. */
export const SagaStyle = plain(Type.Union([Type.Literal('choreography'), Type.Literal('orchestration')]));
export type SagaStyle = Static<typeof SagaStyle>;

const count = plain(Type.Integer());

export const Order = Type.Object({
  id: id(),
  status: OrderStatus,
  reason: Type.Optional(RejectReason),
  lines: Type.Array(
    Type.Object({ productId: id(), name: Type.String(), quantity: count, unitCents: cents() }),
  ),
  totalCents: cents(),
  currency: currency(),
  /** The style that was in force when it was placed, and in which it ends. */
  saga: SagaStyle,
  createdAt: time(),
});
export type Order = Static<typeof Order>;

const Line = Type.Object({ productId: id(), quantity: count });
const saga = Type.Optional(SagaStyle);
const Final = { orderId: id(), userId: id(), totalCents: cents(), currency: currency(), saga };

/** Of a saga that is not over; stuck: its step is past its deadline. */
const openStates = [
  Type.Literal('running'),
  Type.Literal('waiting'),
  Type.Literal('compensating'),
  Type.Literal('stuck'),
] as const;

const step = plain(Type.String());

export const TimelineItem = Type.Object({
  step,
  status: plain(Type.Union([Type.Literal('done'), Type.Literal('failed'), ...openStates])),
  /** `monolith`, or the id of the instance that did it; null while nobody has. */
  where: nullable(plain(Type.String())),
  attempts: count,
  at: time(),
  why: nullable(Type.String()),
});
export type TimelineItem = Static<typeof TimelineItem>;

/** What a shadow does is done by another host than what it is compared with. */
const doneElsewhere = { ignore: ['/body/items/*/where'] };

const Timeline = Type.Object({ items: Type.Array(TimelineItem) });

export const SagaInForce = Type.Object({ style: SagaStyle, changedAt: time(), changedBy: Type.String() });
export type SagaInForce = Static<typeof SagaInForce>;

const Count = {
  running: count,
  waiting: count,
  compensating: count,
  stuck: count,
};

export const SagaOverview = Type.Object({
  ...SagaInForce.properties,
  ...Count,
  /** By style and the step that each stands at; those without any are left out. */
  steps: Type.Array(Type.Object({ style: SagaStyle, step, ...Count })),
  /** The oldest 20. */
  stuckOrders: Type.Array(
    Type.Object({
      orderId: id(),
      style: SagaStyle,
      step,
      since: time(),
      why: Type.String(),
      /** The command that helps. */
      next: Type.String(),
    }),
  ),
  /** With a filter: the sagas that fit, the stuck ones first. */
  ...sagaList,
});
export type SagaOverview = Static<typeof SagaOverview>;

export const SagaOfOrder = Type.Object({
  orderId: id(),
  style: SagaStyle,
  status: OrderStatus,
  state: plain(Type.Union([...openStates, Type.Literal('finished')])),
  step,
  why: nullable(Type.String()),
  /** The command that helps one that is stuck. */
  next: nullable(Type.String()),
  items: Type.Array(TimelineItem),
  ...sagaTurn,
  ...sagaBeginning,
});
export type SagaOfOrder = Static<typeof SagaOfOrder>;

/** A remark for the history, beside the name of who asks. */
const changedBy = Type.Optional(line({ minLength: 1, maxLength: 100, examples: ['ada'] }));

export const orders = defineContract('orders', {
  summary: 'Orders, from placed to confirmed, rejected or cancelled',
  errors: {
    'order-unknown': { status: 404, title: 'No such order' },
    'product-unknown': { status: 422, title: 'A product of the order does not exist' },
    'mixed-currencies': { status: 422, title: 'The products of one order must share a currency' },
    'total-too-large': { status: 422, title: 'The order costs more than can be charged' },
    'idempotency-key-reused': { status: 422, title: 'The Idempotency-Key was used for another request' },
    'too-late': { status: 409, title: 'The order can no longer be cancelled' },
    'saga-finished': { status: 409, title: 'The saga of the order is over' },
    'saga-running': { status: 409, title: 'The saga of the order is not stuck' },
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
        idempotencyKey: line({ minLength: 1, maxLength: 255, examples: ['order-of-ada-1'] }),
        lines: Type.Array(
          closed({ productId: id(), quantity: Type.Integer({ minimum: 1, maximum: 1000 }) }),
          {
            minItems: 1,
            maxItems: 100,
          },
        ),
        paymentToken: line({ minLength: 1, maxLength: 200, examples: ['tok_ok'] }),
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
    timeline: operation({
      summary: 'What happened to the order, step by step',
      access: 'session',
      http: { method: 'GET', path: '/api/orders/:id/timeline' },
      input: closed({ id: id() }),
      output: Timeline,
      idempotent: true,
      errors: ['order-unknown'],
    }),
    sagas: operation({
      summary: 'The style in force, and the sagas that are not over, by step',
      description:
        'With any filter (or a limit) also the sagas that fit, the stuck ones first, page by page; by its id one that is over, too.',
      saga: { role: 'list', command: 'banyan saga' },
      access: 'operator',
      scope: ['read', 'saga'],
      http: { method: 'GET', path: '/admin/saga' },
      input: closed(sagaFilter),
      example: () => ({ id: undefined, cursor: undefined, step: undefined }),
      output: SagaOverview,
      idempotent: true,
    }),
    setSagaStyle: operation({
      summary: 'Set the style of orders placed from now on; in force in every host when it answers',
      description: 'Orders placed before end in the style in which they began.',
      saga: { role: 'style', command: 'banyan saga style :style' },
      access: 'operator',
      scope: 'saga',
      http: { method: 'PUT', path: '/admin/saga' },
      headers: { changedBy: 'X-Changed-By' },
      input: closed({
        style: SagaStyle,
        changedBy,
      }),
      output: SagaInForce,
      idempotent: true,
    }),
    showSaga: operation({
      summary: 'The saga of an order: where it stands, why, and what happened',
      saga: { role: 'show', command: 'banyan saga show :orderId' },
      access: 'operator',
      scope: ['read', 'saga'],
      http: { method: 'GET', path: '/admin/saga/:orderId' },
      input: closed({ orderId: id() }),
      output: SagaOfOrder,
      idempotent: true,
      errors: ['order-unknown'],
    }),
    retrySaga: operation({
      summary: 'Ask again, where an order is stuck',
      saga: { role: 'retry', command: 'banyan saga retry :orderId' },
      access: 'operator',
      scope: 'saga',
      http: { method: 'POST', path: '/admin/saga/:orderId/retry' },
      headers: { changedBy: 'X-Changed-By' },
      input: closed({ orderId: id(), changedBy }),
      output: SagaOfOrder,
      shadow: doneElsewhere,
      idempotent: true,
      errors: ['order-unknown', 'saga-finished', 'saga-running'],
    }),
    cancelSaga: operation({
      summary: 'Give up an order that is stuck: take back what was done',
      saga: { role: 'cancel', command: 'banyan saga cancel :orderId' },
      access: 'operator',
      scope: 'saga',
      http: { method: 'POST', path: '/admin/saga/:orderId/cancel' },
      headers: { changedBy: 'X-Changed-By' },
      input: closed({ orderId: id(), changedBy }),
      output: SagaOfOrder,
      shadow: doneElsewhere,
      idempotent: true,
      errors: ['order-unknown', 'saga-finished', 'saga-running', 'too-late'],
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
        paymentToken: Type.String({ description: "The card's token, sealed for payments (compact JWE)" }),
        saga,
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
  mayLack: Object.keys(sagaFilter).map((field) => `/operations/sagas/input/${field}`),
});
