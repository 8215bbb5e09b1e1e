// What a coordinator may ask of payments: the same steps as the choreography's (listeners.ts), each answering
// where the payment stands. Asked twice they answer the same.
import type { InputOf, OutputOf, Store } from '#banyan';
import type { payments } from './contract.ts';
import { request, type Standing, standing, undo } from './lifecycle.ts';

type Operations = (typeof payments)['operations'];

export interface CommandParts {
  readonly store: Store;
  readonly where: string;
  /** There is something to do at the network. */
  readonly wake: () => void;
}

export function commands({ store, where, wake }: CommandParts) {
  return {
    async charge(order: InputOf<Operations['charge']>): Promise<OutputOf<Operations['charge']>> {
      const before = await request(store.sql, order);
      if (!before) wake();
      const { asks: attempts, reason } = before ?? { asks: 0, reason: null };
      return { state: stateOf(before), ...(reason ? { reason } : {}), attempts, where };
    },

    async undo(order: InputOf<Operations['undo']>): Promise<OutputOf<Operations['undo']>> {
      const work = await store.transaction((tx) => undo(tx, order));
      if (work) wake();
      const { status, asks: attempts } = await standing(store.sql, order.orderId);
      const pending = status === 'voiding' || status === 'refunding' || status === 'giving-up';
      const how = status.startsWith('refund')
        ? 'refunded'
        : status === 'failed' || status === 'forestalled'
          ? 'never charged'
          : 'voided';
      return { state: pending ? 'pending' : 'undone', how, attempts, where };
    },
  };
}

function stateOf(at: Standing | undefined): OutputOf<Operations['charge']>['state'] {
  if (!at || at.status === 'pending' || at.status === 'giving-up') return 'pending';
  return at.status === 'captured' || at.status === 'failed' ? at.status : 'undone';
}
