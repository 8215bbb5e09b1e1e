// How a saga begins: its first note and, where a coordinator drives it, its row, due at once. Both are written in the
// transaction that writes what the saga is about, so neither is ever without the other.
// It knows no step.
import { currentFlow } from '../context/call.ts';
import { newTraceparent } from '../context/trace.ts';
import { atCommit } from '../store/asked.ts';
import type { Published, Transaction } from '../store/store.ts';
import { CURRENT_HOST_SQL } from './rows.ts';
import type { Style } from './style.ts';
import type { Transitions } from './transitions.ts';

export interface Beginning<D> {
  /** In which it goes on: the one that the same transaction read, and wrote into what the saga is about. */
  readonly style: Style;
  /** What happened, for the timeline. */
  readonly step: string;
  readonly at: string;
  /** The event that tells of it, which causes all that follows. */
  readonly because: Published;
  /** What the steps need. */
  readonly data: D;
  /** Set if the saga is already decided: the reason it ended. Then there is nothing to do but to tell of it. */
  readonly ending: string | null;
}

const NOTE = `
  INSERT INTO saga_steps (saga_id, id, step, status, instance, attempts, at, why)
  VALUES ($1, $2, $3, 'done', ${CURRENT_HOST_SQL}, 1, $4, $5)`;

const ROW = `
  INSERT INTO sagas (id, path, step, data, ending, cause, due_at, deadline_at, updated_at)
  VALUES ($1, $2, $3, $4, $5, $6, now(), now() + $7 * interval '1 millisecond', now())`;

/** Written with the transaction's commit. */
export function begin<D>(
  tx: Transaction,
  transitions: Transitions<D>,
  id: string,
  beginning: Beginning<D>,
): void {
  const { style, step, at, because, data, ending } = beginning;
  atCommit(tx, NOTE, [id, because.id, step, at, ending]);
  if (style !== 'orchestration') return;
  const place = ending === null ? transitions.first : transitions.lastOfAfter;
  const traceparent = currentFlow()?.traceparent ?? newTraceparent();
  const cause = { traceparent, event: { id: because.id, correlationId: because.id } };
  const about = [JSON.stringify(data), ending, JSON.stringify(cause), transitions.deadlineOf(place)];
  atCommit(tx, ROW, [id, place.path, place.step, ...about]);
}
