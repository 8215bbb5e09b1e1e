// What notifications promises: the customer hears of what became of an order, once.
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
  prose,
  Type,
  time,
} from '#banyan';

export const Notification = Type.Object({
  id: id(),
  userId: id(),
  orderId: nullable(id()),
  /** What it is about: welcome, order-confirmed, order-rejected, order-cancelled, or an administrator's own. */
  type: Type.String(),
  content: Type.String(),
  status: plain(Type.Union([Type.Literal('pending'), Type.Literal('sent'), Type.Literal('failed')])),
  createdAt: time(),
});
export type Notification = Static<typeof Notification>;

const attempts = Type.Optional(plain(Type.Integer({ minimum: 1 })));

export const notifications = defineContract('notifications', {
  summary: 'Mail to customers',
  errors: {
    'user-unknown': { status: 422, title: 'No such user is known here' },
    'bad-cursor': { status: 422, title: 'The cursor is not one that this list gave' },
  },
  operations: {
    list: operation({
      summary: "The customer's notifications, optionally about one order",
      access: 'session',
      http: { method: 'GET', path: '/api/notifications' },
      input: closed({ orderId: Type.Optional(id()), ...paging }),
      output: page(Notification),
      idempotent: true,
      errors: ['bad-cursor'],
    }),
    send: operation({
      summary: 'Mail a user',
      access: 'admin',
      scope: 'store',
      http: { method: 'POST', path: '/api/notifications/send', status: 202 },
      input: closed({
        userId: id(),
        type: Type.String({
          minLength: 1,
          maxLength: 50,
          pattern: '^[a-z][a-z0-9-]*$',
          examples: ['greeting'],
        }),
        content: prose({ minLength: 1, maxLength: 10_000, examples: ['Your parcel is on its way.'] }),
      }),
      output: Notification,
      idempotent: false,
      errors: ['user-unknown'],
    }),
    tellOfOrder: operation({
      summary: 'Mail the customer how an order ended, once',
      access: 'internal',
      input: closed({
        ended: Type.Union([Type.Literal('confirmed'), Type.Literal('rejected'), Type.Literal('cancelled')]),
        /** Why it was rejected. */
        reason: Type.Optional(line({ maxLength: 100 })),
        orderId: id(),
        userId: id(),
        totalCents: cents(),
        currency: currency(),
      }),
      output: Type.Object({ where: Type.String({ description: 'The host that did it' }) }),
      // On either side another host.
      shadow: { ignore: ['/body/where'] },
      idempotent: true,
    }),
  },
  events: {
    'notification-sent': event({
      summary: 'A mail left',
      version: 1,
      key: 'subjectId',
      data: Type.Object({
        /** The order it is about, else the user: what it is ordered by. */
        subjectId: id(),
        notificationId: id(),
        userId: id(),
        orderId: nullable(id()),
        type: Type.String(),
        at: time(),
        attempts,
      }),
    }),
    'notification-failed': event({
      summary: 'A mail could not be sent and will not be tried again',
      version: 1,
      key: 'subjectId',
      data: Type.Object({
        subjectId: id(),
        notificationId: id(),
        userId: id(),
        orderId: nullable(id()),
        type: Type.String(),
        why: Type.String(),
        attempts,
      }),
    }),
  },
});
