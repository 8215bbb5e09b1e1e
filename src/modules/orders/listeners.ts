// What orders does about what others say: the checkout's events (saga/answers.ts), and users who may not
// buy any more: their open orders end, whoever drives them.
import { type Engine, type Listener, on, type Transaction } from '#banyan';
import { users } from '../users/contract.ts';
import { bar, unbar } from './decisions.ts';
import { answerListeners } from './saga/answers.ts';
import type { Checkout } from './saga/orchestration.ts';

export function listeners(coordinator: Engine<Checkout>): readonly Listener[] {
  const barFrom = async (tx: Transaction, userId: string) => {
    await bar(tx, userId);
    const { rows } = await tx.sql.query<{ id: string }>(
      `SELECT id FROM orders WHERE user_id = $1 AND status = 'placed' AND saga = 'orchestration' ORDER BY id`,
      [userId],
    );
    for (const { id } of rows) await coordinator.requestCancel(tx, id, 'user-blocked');
  };
  return [
    ...answerListeners(coordinator),
    on(users.events['user-changed'], ({ userId, blocked }, { tx }) =>
      blocked ? barFrom(tx, userId) : unbar(tx, userId),
    ),
    on(users.events['user-deleted'], ({ userId }, { tx }) => barFrom(tx, userId)),
  ];
}
