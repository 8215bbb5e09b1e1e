// The job that mails. It leases what is due, sends outside any transaction, and writes the end with its
// event in one. A mail that fails is tried again with growing waits, about a minute and a half in all;
// then it is failed for good, and the order that it is about stays as it is.
import type { Logger } from 'pino';
import type { Client } from '../../kernel/calls/ref.ts';
import type { Lane } from '../../kernel/lane.ts';
import type { Job } from '../../kernel/module.ts';
import type { users } from '../users/contract.ts';
import { type Mailer, RefusedForGood } from './mail/mailer.ts';
import type { Claimed, NotificationRepository } from './repository.ts';

/** Tries in all: waits of 0.2 s doubling up to 30 s between them, 81 s together. */
const mostAttempts = 10;
const batch = 32;
/** What a record may take after the mailer's slowest. */
const marginMs = 3_000;

export interface DeliveryParts {
  readonly repository: NotificationRepository;
  readonly mailer: Mailer;
  readonly users: Client<typeof users>;
  readonly lane: Lane;
  readonly log: Logger;
}

export function deliverJob(parts: DeliveryParts): Job {
  const { repository, mailer, lane } = parts;
  return {
    name: 'deliver',
    everyMs: 1_000,
    async run() {
      const room = Math.min(lane.room, batch);
      if (room <= 0) return false;
      const claimed = await repository.claim(room, mailer.slowestMs + marginMs);
      for (const note of claimed) lane.start(note.cause, (signal) => deliver(parts, note, signal));
      return claimed.length === room;
    },
  };
}

async function deliver(parts: DeliveryParts, note: Claimed, signal: AbortSignal): Promise<void> {
  const { repository, mailer, lane, log } = parts;
  try {
    const to = await addressOf(parts, note);
    await mailer.send({
      key: note.key,
      to,
      subject: note.subject,
      text: `Hello ${to.name},\n\n${note.content}\n`,
      date: note.createdAt,
      headers: note.orderId ? { 'X-Order-ID': note.orderId } : {},
    });
    await repository.finish(note);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (error instanceof RefusedForGood || note.attempts >= mostAttempts) {
      log.warn({ err: error, notificationId: note.id, attempts: note.attempts }, 'a mail is given up');
      await repository.finish(note, why);
      return;
    }
    const wait = signal.aborted ? 0 : Math.min(200 * 2 ** (note.attempts - 1), 30_000);
    log.info({ err: error, notificationId: note.id, attempts: note.attempts, wait }, 'a mail failed');
    await repository.release(note.id, wait, why);
    lane.wakeIn(wait);
  }
}

/**
 * Events of two topics have no mutual order: an order's end may arrive here before its user's registration.
 * Then users is asked, once per such mail; what it does not know either is gone for good.
 */
async function addressOf({ users }: DeliveryParts, { contact, userId }: Claimed) {
  if (contact) return contact;
  const user = await users.getUser({ userId });
  if (!user) throw new RefusedForGood('the user is gone, and the address with them');
  return { name: user.name, address: user.email };
}
