// What catalog does about what becomes of an order. The checkout's choreography, seen from catalog:
// placed takes stock, confirmed keeps it, rejected and cancelled give it back. Orders that a coordinator
// drives are left to it: it calls the same functions through the contract (module.ts).
import { type Listener, on } from '#banyan';
import { orders } from '../orders/contract.ts';
import { release, repeat, reserve, sell } from './reservations.ts';

const reacting = { style: 'choreography' } as const;

export const listeners: readonly Listener[] = [
  on(
    orders.events['order-placed'],
    async (order, { tx, delivery }) => {
      const { state, repeated } = await reserve(tx, order, delivery.attempt);
      if (repeated) await repeat(tx, order, state);
    },
    reacting,
  ),
  on(orders.events['order-confirmed'], ({ orderId }, { tx }) => sell(tx.sql, orderId), reacting),
  on(
    orders.events['order-rejected'],
    ({ orderId }, { tx, delivery }) => release(tx, orderId, delivery.attempt),
    reacting,
  ),
  on(
    orders.events['order-cancelled'],
    ({ orderId }, { tx, delivery }) => release(tx, orderId, delivery.attempt),
    reacting,
  ),
];
