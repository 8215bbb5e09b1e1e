// What payments does about what others say. The checkout's choreography, seen from payments:
// stock reserved is charged; an order that ended otherwise than confirmed gets its money back.
import { type Listener, on } from '../../kernel/module.ts';
import { catalog } from '../catalog/contract.ts';
import { orders } from '../orders/contract.ts';
import { request, undo } from './lifecycle.ts';

/** `wake`: there is something to do at the network. */
export function listeners(wake: () => void): readonly Listener[] {
  return [
    on(catalog.events['stock-reserved'], async (order, { tx }) => {
      if (await request(tx, order)) tx.afterCommit(wake);
    }),

    on(orders.events['order-rejected'], async (order, { tx }) => {
      if (await undo(tx, order)) tx.afterCommit(wake);
    }),
    on(orders.events['order-cancelled'], async (order, { tx }) => {
      if (await undo(tx, order)) tx.afterCommit(wake);
    }),
  ];
}
