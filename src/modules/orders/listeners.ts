// What orders does about what others say. The checkout's choreography, seen from orders:
// stock refused, payment failed or user barred rejects; payment captured confirms.
import { type Listener, on } from '../../kernel/module.ts';
import { catalog } from '../catalog/contract.ts';
import { payments } from '../payments/contract.ts';
import { users } from '../users/contract.ts';
import { bar, confirm, reject, unbar } from './decisions.ts';

export const listeners: readonly Listener[] = [
  on(catalog.events['stock-refused'], ({ orderId }, { tx }) => reject(tx, orderId, 'out-of-stock')),

  on(payments.events['payment-captured'], ({ orderId }, { tx }) => confirm(tx, orderId)),
  on(payments.events['payment-failed'], ({ orderId, reason }, { tx }) => reject(tx, orderId, reason)),

  on(users.events['user-changed'], ({ userId, blocked }, { tx }) =>
    blocked ? bar(tx, userId) : unbar(tx, userId),
  ),
  on(users.events['user-deleted'], ({ userId }, { tx }) => bar(tx, userId)),
];
