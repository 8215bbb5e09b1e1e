// What a customer reads. One function per occasion, each with the key under which it is written once.
import { type DataOf, money } from '#banyan';
import type { orders, RejectReason } from '../orders/contract.ts';

export interface Note {
  readonly userId: string;
  readonly orderId: string | null;
  readonly type: string;
  readonly subject: string;
  readonly content: string;
  /** One mail per key, ever; also the name of its file. */
  readonly key: string;
}

type Ended = DataOf<(typeof orders)['events']['order-confirmed']>;
type Rejected = DataOf<(typeof orders)['events']['order-rejected']>;

/** How an order ended, as a coordinator tells it. */
export interface OrderEnd extends Ended {
  readonly ended: 'confirmed' | 'rejected' | 'cancelled';
  readonly reason?: string;
}

export function noteOf({ ended, reason, ...order }: OrderEnd): Note {
  if (ended === 'rejected') return rejected({ ...order, reason: reason as RejectReason });
  return ended === 'confirmed' ? confirmed(order) : cancelled(order);
}

const because: Record<RejectReason, string> = {
  'out-of-stock': 'we do not have everything in it any more',
  'user-blocked': 'your account may not order at present',
  'payment-declined': 'your card was declined',
  'payment-timeout': 'your bank did not answer in time',
};

export function welcome(userId: string): Note {
  return {
    userId,
    orderId: null,
    type: 'welcome',
    subject: 'Welcome to Banyan',
    content: 'Your account is open. Have a look around.',
    key: `welcome-${userId}`,
  };
}

/** Once a day at most. @param at RFC 3339. */
export function tried(userId: string, at: string): Note {
  return {
    userId,
    orderId: null,
    type: 'address-tried',
    subject: 'Somebody used your address',
    content:
      'Somebody tried to open an account with your address, or to move an account to it. Nothing was changed. ' +
      'If it was you: you have an account with us already, so sign in to it. If not, there is nothing to do.',
    key: `address-tried-${userId}-${at.slice(0, 10)}`,
  };
}

export function confirmed(order: Ended): Note {
  return about(order, 'order-confirmed', 'is confirmed', `It costs ${price(order)} and is paid.`);
}

export function rejected(order: Rejected): Note {
  return about(
    order,
    'order-rejected',
    'could not be accepted',
    `The reason: ${because[order.reason] ?? order.reason}. You pay nothing.`,
  );
}

export function cancelled(order: Ended): Note {
  return about(order, 'order-cancelled', 'is cancelled', `You pay nothing of the ${price(order)}.`);
}

function about({ orderId, userId }: Ended, type: string, what: string, more: string): Note {
  const subject = `Your order ${orderId} ${what}`;
  return { userId, orderId, type, subject, content: `${subject}. ${more}`, key: `${type}-${orderId}` };
}

const price = ({ totalCents, currency }: Ended) => money(totalCents, currency);
