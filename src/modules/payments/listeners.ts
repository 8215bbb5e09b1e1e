// What payments does about what others say. The checkout's choreography, seen from payments:
// stock reserved is charged; an order that ended otherwise than confirmed gets its money back.
import { type Listener, on } from '../../kernel/module.ts';
import { catalog } from '../catalog/contract.ts';
import { orders } from '../orders/contract.ts';
import { request, undo } from './lifecycle.ts';

/** `wake`: there is something to do at the network once this commits. */
export function listeners(wake: () => void): readonly Listener[] {
  const thenWake = async (step: Promise<void>) => {
    await step;
    wake();
  };
  return [
    on(catalog.events['stock-reserved'], (order, { tx }) => thenWake(request(tx, order))),

    on(orders.events['order-rejected'], (order, { tx }) => thenWake(undo(tx, order))),
    on(orders.events['order-cancelled'], (order, { tx }) => thenWake(undo(tx, order))),
  ];
}
