// What notifications does about what others say: users' events tell whom to write to, the end of an
// order is written about, once. The key of each note decides, however often an event comes. Of orders that a
// coordinator drives it says itself when to write (module.ts).
import { type Listener, on, type Transaction } from '#banyan';
import { orders } from '../orders/contract.ts';
import { users } from '../users/contract.ts';
import { markGone, remember } from './contacts.ts';
import type { NotificationRepository } from './repository.ts';
import { cancelled, confirmed, type Note, rejected, tried, welcome } from './texts.ts';

// The contacts are a projection: replayed up to now they come out the same, and a mail's key keeps it single.
const replayable = { replayable: true };
const reacting = { style: 'choreography' } as const;

/** `wake`: there is mail to send. */
export function listeners(repository: NotificationRepository, wake: () => void): readonly Listener[] {
  const write = async (tx: Transaction, note: Note) => {
    if (await repository.write(tx.sql, note)) tx.afterCommit(wake);
  };
  return [
    on(
      users.events['user-registered'],
      async (user, { tx }) => {
        await remember(tx, user);
        await write(tx, welcome(user.userId));
      },
      replayable,
    ),
    on(users.events['user-changed'], (user, { tx }) => remember(tx, user), replayable),
    on(
      users.events['address-tried'],
      ({ userId }, { tx, delivery }) => write(tx, tried(userId, delivery.envelope.time)),
      replayable,
    ),
    on(users.events['user-deleted'], ({ userId }, { tx }) => markGone(tx, userId), replayable),

    on(orders.events['order-confirmed'], (one, { tx }) => write(tx, confirmed(one)), reacting),
    on(orders.events['order-rejected'], (one, { tx }) => write(tx, rejected(one)), reacting),
    on(orders.events['order-cancelled'], (one, { tx }) => write(tx, cancelled(one)), reacting),
  ];
}
