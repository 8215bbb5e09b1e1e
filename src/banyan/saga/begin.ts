// How a saga begins: its first note and, where a coordinator drives it, its row, due at once. Both are written by the
// statement or the transaction that writes what the saga is about, so neither is ever without the other.
// It knows no step.
import { currentFlow } from '../context/call.ts';
import { newTraceparent } from '../context/trace.ts';
import type { Course } from './course.ts';
import { here } from './rows.ts';
import { styles } from './style.ts';

export interface Beginning<D> {
  /** What happened, for the timeline. */
  readonly step: string;
  readonly at: string;
  /** The event that tells of it, which causes all that follows. */
  readonly eventId: string;
  /** What the steps need. */
  readonly data: D;
  /** Of a saga that ends where it begins, with nothing to do but to tell of it: how. */
  readonly ending: string | null;
}

/** The values that belong to `beginIn`, in its order. */
export type BeginValues = readonly unknown[];

/**
 * Parts of a statement: begins a saga for every row of its part `rows`, which has the columns `id` and `style`. They
 * take the values from parameter `first` on.
 */
export function beginIn(rows: string, first: number): string {
  const [eventId, step, at, ending, path, next, data, cause, deadlineMs] = Array.from(
    { length: 9 },
    (_, index) => `$${first + index}`,
  );
  return `noted AS (
    INSERT INTO saga_steps (saga_id, id, step, status, instance, attempts, at, why)
    SELECT id, ${eventId}::uuid, ${step}, 'done', ${here}, 1, ${at}::timestamptz, ${ending}::text FROM ${rows}
  ), begun AS (
    INSERT INTO sagas (id, path, step, data, ending, cause, due_at, deadline_at, updated_at)
    SELECT id, ${path}, ${next}, ${data}::json, ${ending}::text, ${cause}::json, now(),
      now() + ${deadlineMs} * interval '1 millisecond', now()
    FROM ${rows} WHERE style = 'orchestration'
  )`;
}

export function beginValues<D>(course: Course<D>, beginning: Beginning<D>): BeginValues {
  const { step, at, eventId, data, ending } = beginning;
  const place = ending === null ? course.first : course.lastOfAfter;
  const traceparent = currentFlow()?.traceparent ?? newTraceparent();
  const cause = { traceparent, event: { id: eventId, correlationId: eventId } };
  const row = [place.path, place.step, JSON.stringify(data), JSON.stringify(cause), course.deadlineOf(place)];
  return [eventId, step, at, ending, ...row];
}

/** Begins the saga $1. `driven`: the table knows no other style. */
export function beginOne(driven: boolean): string {
  const style = driven ? `'orchestration' AS style` : `style FROM ${styles}`;
  return `WITH beginning AS (SELECT $1::uuid AS id, ${style}), ${beginIn('beginning', 2)} SELECT style FROM beginning`;
}
