// What other modules answer about an order, in both styles of the checkout, and what orders does about it. By
// choreography no file has the whole: catalog reserves at order-placed, payments charges at stock-reserved, orders
// confirms at payment-captured, notifications mails at order-confirmed (each module's listeners.ts).
// Every event is noted for the timeline. Of an order that a coordinator drives the same event is an answer to it.
import { type Delivery, type Engine, type Listener, on, type Transaction, type Watched } from '#banyan';
import { catalog } from '../../catalog/contract.ts';
import { notifications } from '../../notifications/contract.ts';
import { payments } from '../../payments/contract.ts';
import { confirm, reject } from '../decisions.ts';
import type { Checkout } from './orchestration.ts';

/** Which orders of this style may be open; where each stands the engine reads from what was noted of it. */
export const watched: Watched = {
  undecided: `SELECT id, created_at AS since FROM orders WHERE status = 'placed' AND saga = 'choreography'`,
  // Whoever has not taken back within an hour is looked for in `banyan events`.
  endedOtherwise: `
    SELECT id, decided_at AS since FROM orders WHERE status IN ('rejected', 'cancelled')
      AND decided_at > now() - interval '1 hour' AND saga = 'choreography'`,
  // No step takes longer, not even a card network that never answers (6 s).
  deadlineMs: 20_000,
};

export function answerListeners(engine: Engine<Checkout>): readonly Listener[] {
  const paymentUndone =
    (why: string) =>
    (
      { orderId, attempts = 1 }: { orderId: string; attempts?: number },
      { tx, delivery }: { tx: Transaction; delivery: Delivery },
    ) =>
      engine.applyOutcome(tx, delivery, orderId, { step: 'refund-payment', status: 'done', attempts, why });
  const mailed = async (
    { orderId, type, attempts }: { orderId: string | null; type: string; attempts?: number },
    { tx, delivery }: { tx: Transaction; delivery: Delivery },
    why?: string,
  ) => {
    if (!orderId || !type.startsWith('order-')) return;
    const status = why === undefined ? 'done' : 'failed';
    await engine.note(tx, delivery, orderId, { step: 'send-mail', status, attempts, why }, true);
  };
  // How a listener knows the style depends on its event. stock-reserved carries it. stock-refused does not: `note`
  // answers whether nobody drives the order. payment-* do not either, and a coordinator waits for them: applyOutcome
  // gives them to it, unless `confirm` or `reject`, which change choreographed orders alone, did something.
  return [
    on(
      catalog.events['stock-reserved'],
      async ({ orderId, attempts }, { tx, delivery }) => {
        await engine.note(tx, delivery, orderId, { step: 'reserve-stock', status: 'done', attempts });
      },
      { style: 'choreography' },
    ),
    on(catalog.events['stock-refused'], async ({ orderId, attempts }, { tx, delivery }) => {
      const why = 'out-of-stock';
      if (
        await engine.note(tx, delivery, orderId, { step: 'reserve-stock', status: 'failed', attempts, why })
      )
        await reject(tx, orderId, 'choreography', why, delivery.attempt);
    }),
    on(payments.events['payment-captured'], ({ orderId, attempts = 1 }, { tx, delivery }) =>
      engine.applyOutcome(tx, delivery, orderId, { step: 'capture-payment', status: 'done', attempts }, () =>
        confirm(tx, orderId, delivery.attempt),
      ),
    ),
    on(payments.events['payment-failed'], ({ orderId, attempts = 1, reason: why }, { tx, delivery }) =>
      engine.applyOutcome(
        tx,
        delivery,
        orderId,
        { step: 'capture-payment', status: 'failed', attempts, why },
        () => reject(tx, orderId, 'choreography', why, delivery.attempt),
      ),
    ),

    on(catalog.events['stock-released'], async ({ orderId, attempts }, { tx, delivery }) => {
      await engine.note(tx, delivery, orderId, { step: 'release-stock', status: 'done', attempts });
    }),
    on(payments.events['payment-refunded'], paymentUndone('refunded')),
    on(payments.events['payment-voided'], paymentUndone('voided')),

    on(notifications.events['notification-sent'], (one, context) => mailed(one, context)),
    on(notifications.events['notification-failed'], (one, context) => mailed(one, context, one.why)),
  ];
}
