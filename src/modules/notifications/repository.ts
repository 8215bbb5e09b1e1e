// The rows of notifications: written once per key, leased by one host at a time, finished once.
import { v7 } from 'uuid';
import { type JobTable, presentCause, type Sql, type Store } from '#banyan';
import type { PrismaClient } from '../../../prisma/notifications/client/client.ts';
import { type Notification, notifications } from './contract.ts';
import type { Note } from './texts.ts';

export interface ClaimedMail {
  readonly id: string;
  readonly userId: string;
  readonly orderId: string | null;
  readonly type: string;
  readonly subject: string;
  readonly content: string;
  readonly key: string;
  readonly attempts: number;
  readonly createdAt: Date;
  /** Null when users' events have not told of this user (yet). */
  readonly contact: { readonly name: string; readonly address: string } | null;
}

/** Mail to be sent, with the address as users' events told it. */
export const mail: JobTable<ClaimedMail> = {
  name: 'notifications',
  columns: { id: 'id', state: 'status', due: 'due_at', attempts: 'attempts', cause: 'cause' },
  reads: [
    ...['user_id', 'order_id', 'type', 'subject', 'content', 'idempotency_key', 'created_at'],
    '(SELECT to_jsonb(c) FROM contacts c WHERE c.user_id = notifications.user_id) AS contact',
  ],
  jobOf: (row) => ({
    id: row.id,
    userId: row.user_id,
    orderId: row.order_id,
    type: row.type,
    subject: row.subject,
    content: row.content,
    key: row.idempotency_key,
    attempts: row.attempts,
    createdAt: row.created_at,
    contact: row.contact && { name: row.contact.name, address: row.contact.email },
  }),
};

export class NotificationRepository {
  readonly #store: Store<PrismaClient>;

  constructor(store: Store<PrismaClient>) {
    this.#store = store;
  }

  /** Undefined when this key was written before. */
  async write(sql: Sql, note: Note): Promise<Notification | undefined> {
    const { rows } = await sql.query(
      `INSERT INTO notifications
         (id, user_id, order_id, type, subject, content, status, idempotency_key, due_at, cause, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, now(), $8, now())
       ON CONFLICT (idempotency_key) DO NOTHING
       RETURNING id, created_at`,
      [v7(), note.userId, note.orderId, note.type, note.subject, note.content, note.key, presentCause()],
    );
    const [row] = rows;
    if (!row) return undefined;
    const { userId, orderId, type, content } = note;
    const createdAt = (row.created_at as Date).toISOString();
    return { id: row.id, userId, orderId, type, content, status: 'pending', createdAt };
  }

  /** Records the end with its event, once: a second host that sent the same mail changes nothing. */
  async finish(note: ClaimedMail, failed?: string): Promise<void> {
    const { id, userId, orderId, type, attempts } = note;
    const about = { subjectId: orderId ?? userId, notificationId: id, userId, orderId, type, attempts };
    const { events } = notifications;
    await this.#store.transaction(async (tx) => {
      const { rowCount } = await tx.sql.query(
        `UPDATE notifications SET status = $2, due_at = NULL, last_error = $3 WHERE id = $1 AND status = 'pending'`,
        [id, failed ? 'failed' : 'sent', failed ?? null],
      );
      if (rowCount === 0) return;
      if (failed) await tx.publish(events['notification-failed'], { ...about, why: failed });
      else await tx.publish(events['notification-sent'], { ...about, at: new Date().toISOString() });
    });
  }

  /** A user who may be written to by an administrator: known here and not gone. */
  async knows(userId: string): Promise<'yes' | 'gone' | 'not-yet'> {
    const contact = await this.#store.prisma.contact.findUnique({ where: { userId } });
    if (!contact) return 'not-yet';
    return contact.deletedAt ? 'gone' : 'yes';
  }

  /** Newest first. */
  async newest(
    userId: string,
    orderId: string | undefined,
    before: string | undefined,
    limit: number,
  ): Promise<Notification[]> {
    const rows = await this.#store.prisma.notification.findMany({
      where: { userId, orderId, ...(before ? { id: { lt: before } } : {}) },
      orderBy: { id: 'desc' },
      take: limit,
    });
    return rows.map((row) => ({
      id: row.id,
      userId: row.userId,
      orderId: row.orderId,
      type: row.type,
      content: row.content,
      status: row.status as Notification['status'],
      createdAt: row.createdAt.toISOString(),
    }));
  }
}
