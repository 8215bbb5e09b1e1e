// The checkout by orchestration: the table that orders' coordinator executes (src/banyan/saga/drive.ts). Read it
// as the business case: what is done, what takes it back, and from where on there is no way back.
// What the steps do is the same code as in the choreography beside it; only who says "next" differs.
import { type Client, defineSaga, type Reply, type Saga } from '#banyan';
import type { catalog } from '../../catalog/contract.ts';
import type { notifications } from '../../notifications/contract.ts';
import type { payments } from '../../payments/contract.ts';
import type { RejectReason } from '../contract.ts';
import { cancel, confirmUnlessBarred, reject } from '../decisions.ts';
import { watched } from './answers.ts';

/** What the steps need to know of an order; kept with its saga. */
export interface Checkout {
  readonly orderId: string;
  readonly userId: string;
  readonly lines: { productId: string; quantity: number }[];
  readonly totalCents: number;
  readonly currency: string;
  readonly paymentToken: string;
}

export interface Participants {
  readonly catalog: Client<typeof catalog>;
  readonly payments: Client<typeof payments>;
  readonly notifications: Client<typeof notifications>;
}

/** How a saga that was taken back ends: cancelled, or rejected for a reason. */
export const CANCELLED = 'cancelled';

export function checkout({ catalog, payments, notifications }: Participants): Saga<Checkout> {
  return defineSaga<Checkout>({
    // The user was checked when the order was placed; the pivot looks once more.
    steps: [
      {
        name: 'reserve-stock',
        by: 'catalog',
        ask: async (order) => {
          const { state, where } = await catalog.reserve({ ...order, saga: 'orchestration' });
          if (state === 'reserved' || state === 'sold') return done(where);
          return { outcome: 'refused', where, why: 'out-of-stock' };
        },
        deadlineMs: 10_000,
        undo: {
          name: 'release-stock',
          by: 'catalog',
          ask: async ({ orderId }) => done((await catalog.release({ orderId })).where),
          deadlineMs: 15_000,
        },
      },
      {
        name: 'capture-payment',
        by: 'payments',
        ask: async ({ paymentToken, ...order }) => {
          const { state, reason, ...at } = await payments.charge({ ...about(order), paymentToken });
          return captured(state, { ...at, why: reason });
        },
        // It asks the card network twice and looks up, 4 to 6 s; the answer comes as payment-captured or -failed.
        deadlineMs: 15_000,
        askAgainMs: 5_000,
        undo: {
          name: 'refund-payment',
          by: 'payments',
          ask: async (order) => {
            const { state, how: why, ...at } = await payments.undo(about(order));
            return { outcome: state === 'pending' ? 'pending' : 'done', ...at, why };
          },
          deadlineMs: 15_000,
          askAgainMs: 2_000,
        },
      },
      {
        name: 'confirm-order',
        pivot: true,
        change: async (tx, { orderId }) => {
          if (await confirmUnlessBarred(tx, orderId)) return done(null);
          return { outcome: 'refused', where: null, why: 'user-blocked' };
        },
        deadlineMs: 10_000,
      },
      {
        name: 'sell-stock',
        by: 'catalog',
        ask: async ({ orderId }) => done((await catalog.sell({ orderId })).where),
        deadlineMs: 30_000,
      },
      {
        name: 'mail-customer',
        by: 'notifications',
        handsOver: 'send-mail',
        ask: async (order) => tell(await notifications.tellOfOrder({ ...about(order), ended: 'confirmed' })),
        deadlineMs: 30_000,
      },
    ],
    otherwise: [
      {
        name: 'end-order',
        change: async (tx, { orderId }, ending) => {
          if (ending === CANCELLED) await cancel(tx, orderId);
          else await reject(tx, orderId, 'orchestration', ending as RejectReason);
          return { ...done(null), ...(ending === CANCELLED ? {} : { why: ending! }) };
        },
        deadlineMs: 10_000,
      },
      {
        name: 'mail-customer',
        by: 'notifications',
        handsOver: 'send-mail',
        ask: async (order, ending) =>
          tell(
            await notifications.tellOfOrder(
              ending === CANCELLED
                ? { ...about(order), ended: 'cancelled' }
                : { ...about(order), ended: 'rejected', reason: ending! },
            ),
          ),
        deadlineMs: 30_000,
      },
    ],
    watched,
  });
}

/** What a charge came to, as payments answers it. */
function captured(
  state: 'pending' | 'captured' | 'failed' | 'undone',
  about: { where: string | null; attempts?: number; why?: string | undefined },
): Reply {
  const { where, attempts, why } = about;
  const at = attempts ? { where, attempts } : { where };
  if (state === 'pending') return { outcome: 'pending', ...at };
  return state === 'captured'
    ? { outcome: 'done', ...at }
    : { outcome: 'refused', ...at, why: why ?? 'payment-declined' };
}

function done(where: string | null): Reply {
  return { outcome: 'done', where };
}

/** Notifications has it, and mails it as often as it takes. */
function tell({ where }: { where: string }): Reply {
  return { outcome: 'done', where, why: 'handed over' };
}

function about({ orderId, userId, totalCents, currency }: Omit<Checkout, 'lines' | 'paymentToken'>) {
  return { orderId, userId, totalCents, currency };
}
