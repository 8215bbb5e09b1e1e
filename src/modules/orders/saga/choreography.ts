// The checkout by choreography, seen from orders: what others say of an order, and what orders does about it. No
// file has the whole: catalog reserves at order-placed, payments charges at stock-reserved, orders confirms at
// payment-captured, notifications mails at order-confirmed (each module's listeners.ts).
// Every event is noted for the timeline. Of an order that a coordinator drives the same event is an answer to it.
import type { Delivery } from '../../../kernel/events/envelope.ts';
import { type Listener, on } from '../../../kernel/module.ts';
import type { Engine } from '../../../kernel/saga/engine.ts';
import type { Transaction } from '../../../kernel/store/store.ts';
import { catalog } from '../../catalog/contract.ts';
import { notifications } from '../../notifications/contract.ts';
import { payments } from '../../payments/contract.ts';
import { confirm, reject } from '../decisions.ts';
import { note } from './notes.ts';
import { type Checkout, captured } from './orchestration.ts';

// Each touches its own order: its row, its notes, its coordinator's state.
const interleaving = { interleaves: true };

export function choreography(coordinator: Engine<Checkout>): readonly Listener[] {
  const ended = async (
    tx: Transaction,
    delivery: Delivery,
    { orderId, attempts = 1 }: { orderId: string; attempts?: number },
    how: string,
  ) => {
    const seen = { step: 'refund-payment', status: 'done', attempts, why: how } as const;
    if (await note(tx, delivery, orderId, seen)) return;
    const where = delivery.envelope.instance ?? null;
    await coordinator.signal(tx, orderId, 'refund-payment', { outcome: 'done', where, attempts, why: how });
  };
  const mailed = async (
    tx: Transaction,
    delivery: Delivery,
    one: { orderId: string | null; type: string; attempts?: number; why?: string },
  ) => {
    if (!one.orderId || !one.type.startsWith('order-')) return;
    const { attempts = 1, why = null } = one;
    const status = why === null ? 'done' : 'failed';
    await note(tx, delivery, one.orderId, { step: 'send-mail', status, attempts, why }, true);
  };
  return [
    on(
      catalog.events['stock-reserved'],
      async ({ orderId, attempts = 1, saga }, { tx, delivery }) => {
        if (saga === 'orchestration') return;
        await note(tx, delivery, orderId, { step: 'reserve-stock', status: 'done', attempts, why: null });
      },
      interleaving,
    ),
    on(
      catalog.events['stock-refused'],
      async ({ orderId, attempts = 1 }, { tx, delivery }) => {
        const why = 'out-of-stock';
        if (await note(tx, delivery, orderId, { step: 'reserve-stock', status: 'failed', attempts, why }))
          await reject(tx, orderId, why, delivery.attempt);
      },
      interleaving,
    ),
    on(
      payments.events['payment-captured'],
      async ({ orderId, attempts = 1 }, { tx, delivery }) => {
        const seen = { step: 'capture-payment', status: 'done', attempts, why: null } as const;
        if (await note(tx, delivery, orderId, seen)) {
          await confirm(tx, orderId, delivery.attempt);
          return;
        }
        const where = delivery.envelope.instance ?? null;
        await coordinator.signal(tx, orderId, seen.step, captured('captured', { where, attempts }));
      },
      interleaving,
    ),
    on(
      payments.events['payment-failed'],
      async ({ orderId, attempts = 1, reason: why }, { tx, delivery }) => {
        if (await note(tx, delivery, orderId, { step: 'capture-payment', status: 'failed', attempts, why })) {
          await reject(tx, orderId, why, delivery.attempt);
          return;
        }
        const where = delivery.envelope.instance ?? null;
        await coordinator.signal(
          tx,
          orderId,
          'capture-payment',
          captured('failed', { where, attempts, why }),
        );
      },
      interleaving,
    ),

    on(
      catalog.events['stock-released'],
      async ({ orderId, attempts = 1 }, { tx, delivery }) => {
        await note(tx, delivery, orderId, { step: 'release-stock', status: 'done', attempts, why: null });
      },
      interleaving,
    ),
    on(
      payments.events['payment-refunded'],
      (one, { tx, delivery }) => ended(tx, delivery, one, 'refunded'),
      interleaving,
    ),
    on(
      payments.events['payment-voided'],
      (one, { tx, delivery }) => ended(tx, delivery, one, 'voided'),
      interleaving,
    ),

    on(
      notifications.events['notification-sent'],
      (one, { tx, delivery }) =>
        mailed(tx, delivery, { ...one, why: undefined } as Parameters<typeof mailed>[2]),
      interleaving,
    ),
    on(
      notifications.events['notification-failed'],
      (one, { tx, delivery }) => mailed(tx, delivery, one),
      interleaving,
    ),
  ];
}
