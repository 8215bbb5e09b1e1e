// How the saga of an order is told to people: the words of its timeline, and of one that is open the reason and the
// command that helps. The same words in both styles. What happened and where it stands is the engine's to say.
import type { Note, Open } from '#banyan';
import type { Order, TimelineItem } from '../contract.ts';

export interface Explained {
  readonly state: Open['state'];
  readonly why: string | null;
  /** The command that helps one that is stuck. */
  readonly next: string | null;
}

export function explained({ id, state, step, by, since, trouble }: Open): Explained {
  if (state !== 'stuck') return { state, why: trouble, next: null };
  const seconds = Math.round((Date.now() - since.getTime()) / 1000);
  const who = by ?? 'orders';
  // Whether it answered is not known here: its answer may stand behind an event that failed.
  const silence = `no answer from ${who} to ${step} for ${seconds} s`;
  // What went wrong with the step may not say with whom.
  const why = trouble === null ? silence : trouble.includes(who) ? trouble : `${who}: ${trouble}`;
  return { state, why, next: `npx banyan saga retry ${id}` };
}

/** Every step that is over, and the one at which the saga stands. */
export function timelineOf(
  order: Pick<Order, 'status'>,
  notes: readonly Note[],
  open: Open | undefined,
): TimelineItem[] {
  const items = notes.flatMap((note) => itemsOf(note, order));
  if (!open) return items;
  const { step, attempts, since } = open;
  const { state: status, why } = explained(open);
  return [...items, { step, status, where: null, attempts, at: since.toISOString(), why }];
}

function itemsOf(note: Note, order: Pick<Order, 'status'>): TimelineItem[] {
  if (note.step === 'place-order') {
    // Placing asks users and writes what they said: one statement, one note, for two steps of the business case, and
    // for three when the user was blocked already.
    const placed: TimelineItem = { ...note, why: null };
    if (note.why === null) return [placed, { ...note, step: 'check-user' }];
    return [placed, { ...note, step: 'check-user', status: 'failed' }, { ...note, step: 'reject-order' }];
  }
  if (note.step !== 'end-order') return [note];
  return [{ ...note, step: order.status === 'cancelled' ? 'cancel-order' : 'reject-order' }];
}
