// What payments promises: one charge per order at most, and its trace.
import type { Static } from 'typebox';
import {
  cents,
  closed,
  currency,
  defineContract,
  event,
  id,
  operation,
  page,
  paging,
  plain,
  Type,
  time,
} from '#banyan';

export const Payment = Type.Object({
  id: id(),
  orderId: id(),
  amountCents: cents(),
  currency: currency(),
  status: plain(
    Type.Union([
      Type.Literal('pending'),
      Type.Literal('captured'),
      Type.Literal('failed'),
      Type.Literal('voided'),
      Type.Literal('refunded'),
    ]),
  ),
  createdAt: time(),
});
export type Payment = Static<typeof Payment>;

export const Charge = Type.Object({
  id: id(),
  orderId: id(),
  amountCents: cents(),
  currency: currency(),
  status: plain(
    Type.Union([
      Type.Literal('captured'),
      Type.Literal('declined'),
      Type.Literal('voided'),
      Type.Literal('refunded'),
    ]),
  ),
  idempotencyKey: Type.String(),
  createdAt: time(),
});
export type Charge = Static<typeof Charge>;

/** How often the card network was asked. */
const attempts = Type.Optional(plain(Type.Integer({ minimum: 0 })));
const About = {
  orderId: id(),
  userId: id(),
  paymentId: id(),
  amountCents: cents(),
  currency: currency(),
  attempts,
};
const FailReason = plain(Type.Union([Type.Literal('payment-declined'), Type.Literal('payment-timeout')]));
const where = plain(Type.String({ description: 'The host that did it' }));
/** On either side another host. */
const shadow = { ignore: ['/body/where'] };
const OfOrder = { orderId: id(), userId: id(), totalCents: cents(), currency: currency() };

/**
 * What is sealed for payments, and what it charges: the card's token, for that order alone, so that nobody who only
 * passes a sealed one on can have another order paid with it.
 */
export function cardFor(orderId: string, token: string): string {
  return `${orderId} ${token}`;
}

export const payments = defineContract('payments', {
  summary: 'Payments through the card network',
  errors: {
    'bad-cursor': { status: 422, title: 'The cursor is not one that this list gave' },
  },
  operations: {
    list: operation({
      summary: "The customer's payments, optionally of one order",
      access: 'session',
      http: { method: 'GET', path: '/api/payments' },
      input: closed({ orderId: Type.Optional(id()), ...paging }),
      output: page(Payment),
      idempotent: true,
      errors: ['bad-cursor'],
    }),
    sandboxCharges: operation({
      summary: "The sandbox card network's own ledger, newest first, optionally of one order",
      description: 'A page has 100 charges unless `limit` says otherwise.',
      access: 'admin',
      scope: ['read', 'store'],
      http: { method: 'GET', path: '/api/payments/sandbox/charges' },
      input: closed({ orderId: Type.Optional(id()), ...paging }),
      output: page(Charge),
      idempotent: true,
      errors: ['bad-cursor'],
    }),
    charge: operation({
      summary: 'Charge an order, once; its answer is where the charge stands',
      description: 'While it is pending, payment-captured or payment-failed will tell.',
      access: 'internal',
      input: closed({
        ...OfOrder,
        paymentToken: Type.String({ description: "The card's token, sealed for payments (compact JWE)" }),
      }),
      output: Type.Object({
        /** undone: the order ended before; it is never charged. */
        state: plain(
          Type.Union([
            Type.Literal('pending'),
            Type.Literal('captured'),
            Type.Literal('failed'),
            Type.Literal('undone'),
          ]),
        ),
        reason: Type.Optional(FailReason),
        attempts: plain(Type.Integer()),
        where,
      }),
      shadow,
      idempotent: true,
    }),
    undo: operation({
      summary: 'Give back what an order was charged, and never charge it from now on',
      description: 'While it is pending, payment-refunded or payment-voided will tell.',
      access: 'internal',
      input: closed(OfOrder),
      output: Type.Object({
        state: plain(Type.Union([Type.Literal('pending'), Type.Literal('undone')])),
        how: plain(
          Type.Union([Type.Literal('refunded'), Type.Literal('voided'), Type.Literal('never charged')]),
        ),
        attempts: plain(Type.Integer()),
        where,
      }),
      shadow,
      idempotent: true,
    }),
  },
  events: {
    'payment-captured': event({
      summary: 'The money of an order is ours',
      version: 1,
      key: 'orderId',
      data: Type.Object(About),
    }),
    'payment-failed': event({
      summary: 'The money of an order will not come; nothing is left captured',
      version: 1,
      key: 'orderId',
      data: Type.Object({
        ...About,
        reason: FailReason,
      }),
    }),
    'payment-voided': event({
      summary: 'The order ended before its money was captured, and it will not be',
      version: 1,
      key: 'orderId',
      data: Type.Object(About),
    }),
    'payment-refunded': event({
      summary: 'The money of an order went back',
      version: 1,
      key: 'orderId',
      data: Type.Object(About),
    }),
  },
});
