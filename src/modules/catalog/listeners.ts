// What catalog does about what becomes of an order. The checkout's choreography, seen from catalog:
// placed takes stock, confirmed keeps it, rejected and cancelled give it back.
import { type Listener, on } from '../../kernel/module.ts';
import { orders } from '../orders/contract.ts';
import { release, reserve, sell } from './reservations.ts';

export const listeners: readonly Listener[] = [
  on(orders.events['order-placed'], (order, { tx }) => reserve(tx, order)),
  on(orders.events['order-confirmed'], ({ orderId }, { tx }) => sell(tx, orderId)),
  on(orders.events['order-rejected'], ({ orderId }, { tx }) => release(tx, orderId)),
  on(orders.events['order-cancelled'], ({ orderId }, { tx }) => release(tx, orderId)),
];
