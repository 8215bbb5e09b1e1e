// The job that mails: sends outside any transaction, and writes the end with its event in one. A mail that fails
// is tried again with growing waits, about a minute and a half in all; then it is failed for good, and the order
// that it is about stays as it is.
import type { Logger } from 'pino';
import type { Client, Count, Failure, LeasedJob, Outcome } from '#banyan';
import type { users } from '../users/contract.ts';
import { type Mailer, RefusedForGood } from './mail/mailer.ts';
import { type ClaimedMail, mail, type NotificationRepository } from './repository.ts';

/** Tries in all: 81 s of waits between them. */
const MAX_ATTEMPTS = 10;
const waits = { firstMs: 200, longestMs: 30_000 };
/** What a record may take after the mailer's slowest. */
const MARGIN_MS = 3_000;
/** SMTP is slow and its connections are few (4); files are quick. */
const AT_ONCE = 64;

export interface DeliveryParts {
  readonly repository: NotificationRepository;
  readonly mailer: Mailer;
  readonly users: Client<typeof users>;
  /** By what came of a mail, or of an attempt at one. */
  readonly count: Count;
  readonly log: Logger;
}

/** `failed`: it is tried again. */
export const mailOutcomes = ['sent', 'failed', 'given-up'] as const;

export function deliverJob(parts: DeliveryParts): LeasedJob<ClaimedMail> {
  return {
    name: 'deliver',
    table: mail,
    atOnce: AT_ONCE,
    leaseMs: parts.mailer.slowestMs + MARGIN_MS,
    waits,
    work: (note) => deliver(parts, note),
    failed: (note, failure) => meaningOf(parts, note, failure),
  };
}

async function deliver(parts: DeliveryParts, note: ClaimedMail): Promise<Outcome> {
  const to = await addressOf(parts, note);
  await parts.mailer.send({
    key: note.key,
    to,
    subject: note.subject,
    text: `Hello ${to.name},\n\n${note.content}\n`,
    date: note.createdAt,
    headers: note.orderId ? { 'X-Order-ID': note.orderId } : {},
  });
  await parts.repository.finish(note);
  parts.count({ outcome: 'sent' });
  return 'over';
}

async function meaningOf(
  parts: DeliveryParts,
  note: ClaimedMail,
  { error, waitMs }: Failure,
): Promise<Outcome> {
  const about = { err: error, notificationId: note.id, attempts: note.attempts };
  const why = error instanceof Error ? error.message : String(error);
  if (error instanceof RefusedForGood || note.attempts >= MAX_ATTEMPTS) {
    parts.log.warn(about, 'a mail is given up');
    await parts.repository.finish(note, why);
    parts.count({ outcome: 'given-up' });
    return 'over';
  }
  parts.log.info({ ...about, wait: waitMs }, 'a mail failed');
  parts.count({ outcome: 'failed' });
  return { waitMs, set: { last_error: why } };
}

/**
 * Events of two topics have no mutual order: an order's end may arrive here before its user's registration.
 * Then users is asked, once per such mail; what it does not know either is gone for good.
 */
async function addressOf({ users }: DeliveryParts, { contact, userId }: ClaimedMail) {
  if (contact) return contact;
  const user = await users.getUser({ userId });
  if (!user) throw new RefusedForGood('the user is gone, and the address with them');
  return { name: user.name, address: user.email };
}
