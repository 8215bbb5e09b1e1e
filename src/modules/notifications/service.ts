// What can be asked of notifications: a customer's own list, and an administrator's mail to a user.

import { v7 } from 'uuid';
import { type Client, type PageQuery, pageOf, problem, type Store } from '#banyan';
import type { PrismaClient } from '../../../prisma/notifications/client/client.ts';
import type { users } from '../users/contract.ts';
import { notifications } from './contract.ts';
import type { NotificationRepository } from './repository.ts';
import { type Note, noteOf, type OrderEnd } from './texts.ts';

export interface NotificationServiceParts {
  readonly store: Store<PrismaClient>;
  readonly repository: NotificationRepository;
  readonly users: Client<typeof users>;
  /** There is mail to send. */
  readonly wake: () => void;
}

export class NotificationService {
  readonly #parts: NotificationServiceParts;

  constructor(parts: NotificationServiceParts) {
    this.#parts = parts;
  }

  list(userId: string, { orderId, ...query }: PageQuery & { orderId?: string }) {
    const { repository } = this.#parts;
    return pageOf(notifications, query, (after, limit) => repository.newest(userId, orderId, after, limit));
  }

  async send({ userId, type, content }: { userId: string; type: string; content: string }) {
    const { store, repository, wake } = this.#parts;
    if (!(await this.#exists(userId))) {
      throw problem(notifications, 'user-unknown', {
        errors: [{ path: '/userId', message: 'is not a user' }],
      });
    }
    const key = `admin-${v7()}`;
    const subject = `A message from Banyan: ${type}`;
    const note: Note = { userId, orderId: null, type, subject, content, key };
    const written = await store.transaction((tx) => repository.write(tx.sql, note));
    wake();
    return written!;
  }

  /** Writes once how an order ended. */
  async notifyOfOrder(order: OrderEnd): Promise<void> {
    const { store, repository, wake } = this.#parts;
    if (await repository.write(store.sql, noteOf(order))) wake();
  }

  /** Users is asked only when its events have not told yet. */
  async #exists(userId: string): Promise<boolean> {
    const known = await this.#parts.repository.knows(userId);
    if (known !== 'not-yet') return known === 'yes';
    return (await this.#parts.users.getUser({ userId })) !== null;
  }
}
