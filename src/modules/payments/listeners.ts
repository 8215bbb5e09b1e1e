// What payments does about what others say. The checkout's choreography, seen from payments:
// stock reserved is charged; an order that ended otherwise than confirmed gets its money back. Orders that
// a coordinator drives are left to it: it calls the same functions through the contract (module.ts).
import { type Listener, on } from '#banyan';
import { catalog } from '../catalog/contract.ts';
import { orders } from '../orders/contract.ts';
import { repeat, request, undo } from './lifecycle.ts';

const reacting = { style: 'choreography' } as const;

/** `wake`: there is something to do at the network. */
export function listeners(wake: () => void): readonly Listener[] {
  return [
    on(
      catalog.events['stock-reserved'],
      async (order, { tx }) => {
        const before = await request(tx.sql, order);
        if (before) await repeat(tx, order, before);
        else tx.afterCommit(wake);
      },
      reacting,
    ),

    on(
      orders.events['order-rejected'],
      async (order, { tx }) => {
        if (await undo(tx, order)) tx.afterCommit(wake);
      },
      reacting,
    ),
    on(
      orders.events['order-cancelled'],
      async (order, { tx }) => {
        if (await undo(tx, order)) tx.afterCommit(wake);
      },
      reacting,
    ),
  ];
}
