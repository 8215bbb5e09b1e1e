// The timeline of one order, the same words in both styles: what was noted, each step after what caused it, and
// the step at which it stands now. Clocks of two hosts may differ: where events say what caused them, that
// decides about their order, and only else the time.
import type { Sql } from '../../../kernel/store/store.ts';
import type { Order, TimelineItem } from '../contract.ts';
import type { Open } from './open.ts';

interface Noted extends Record<string, unknown> {
  id: string;
  step: string;
  status: 'done' | 'failed';
  instance: string | null;
  attempts: number;
  at: Date;
  why: string | null;
  causation_id: string | null;
}

export async function timelineOf(
  sql: Sql,
  order: Pick<Order, 'id' | 'status'>,
  open: Open | undefined,
): Promise<TimelineItem[]> {
  const { rows } = await sql.query<Noted>(
    `SELECT id, step, status, instance, attempts, at, why, causation_id FROM saga_steps
     WHERE saga_id = $1 ORDER BY at, id`,
    [order.id],
  );
  const items = causally(rows).flatMap((row) => itemsOf(row, order));
  if (open) {
    const { step, state: status, attempts, since: at, why } = open;
    items.push({ step, status, where: null, attempts, at, why });
  }
  return items;
}

/** Each after its cause, else by time. A mail may have left before its coordinator noted that it is handed over. */
function causally(rows: readonly Noted[]): Noted[] {
  const known = new Map(rows.map((row) => [row.id, row]));
  const handedOver = rows.find(({ step }) => step === 'mail-customer');
  const placed = new Set<string>();
  const order: Noted[] = [];
  const place = (row: Noted) => {
    if (placed.has(row.id)) return;
    placed.add(row.id);
    const cause = row.step === 'send-mail' && handedOver ? handedOver : known.get(row.causation_id ?? '');
    if (cause) place(cause);
    order.push(row);
  };
  for (const row of rows) place(row);
  return order;
}

function itemsOf(row: Noted, order: Pick<Order, 'status'>): TimelineItem[] {
  const { status, instance: where, attempts, why } = row;
  const item = (step: string, more: Partial<TimelineItem> = {}): TimelineItem => {
    return { step, status, where, attempts, at: row.at.toISOString(), why, ...more };
  };
  if (row.step === 'place-order') {
    // Placing asks users and writes what they said: one statement, one row, for two steps of the business case, and
    // for three when the user was blocked already.
    const placed = [item('place-order', { why: null })];
    if (why === null) return [...placed, item('check-user')];
    return [...placed, item('check-user', { status: 'failed' }), item('reject-order')];
  }
  if (row.step === 'end-order') return [item(order.status === 'cancelled' ? 'cancel-order' : 'reject-order')];
  return [item(row.step)];
}
