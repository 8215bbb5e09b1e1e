// The rows of sagas: `sagas` says where each one is and who works on it until when, `saga_steps` what happened. Both are
// tables of the module's own schema. `sagas` is a queue of leased rows (jobs/queue.ts), which claims and postpones; here are
// the moves, one statement each. Claim, move and redirect raise the `version`; move and postponement name the one that
// they saw. So of two that meet one takes effect.
import { v7 } from 'uuid';
import type { Cause } from '../context/cause.ts';
import { type Held, inMs, type JobTable } from '../jobs/queue.ts';
import type { Sql } from '../store/store.ts';
import type { Place, Reply } from './definition.ts';

export interface Row<D = unknown> extends Place {
  readonly id: string;
  readonly data: D;
  readonly ending: string | null;
  readonly attempts: number;
  readonly version: number;
  readonly cause: Cause | null;
}

/** The host of this database session: what it writes, it did. */
export const CURRENT_HOST_SQL = `nullif(split_part(current_setting('application_name', true), '@', 2), '')`;
const COLUMNS = 'id, path, step, data, ending, attempts, version, cause';

/** `sagas` as a queue. What a saga stands at is no state that says whose lease it is: its version does. */
export const sagaQueue = <D>(): JobTable<Row<D>> => ({
  name: 'sagas',
  columns: {
    id: 'id',
    state: 'step',
    due: 'due_at',
    attempts: 'attempts',
    cause: 'cause',
    version: 'version',
    postponedAt: 'updated_at',
  },
  reads: ['path', 'data', 'ending'],
  jobOf: (row) => row as Row<D>,
});

/** A row that this host moved, and so holds. */
export function heldOf<D>(row: Row<D>): Held<Row<D>> {
  const { id, step: state, attempts, cause, version } = row;
  return { lease: { id, state, attempts, cause, version }, job: row };
}

/** Notes what is over and moves on, leased, to what is next. */
const MOVE = `
  WITH moved AS (
    UPDATE sagas SET path = $3, step = $4, ending = coalesce($5, ending), attempts = 1, awaits = $14,
      version = version + 1, trouble = NULL, updated_at = now(),
      due_at = CASE WHEN $3 <> 'done' THEN ${inMs('$6')} END,
      deadline_at = CASE WHEN $3 <> 'done' THEN ${inMs('$7')} END
    WHERE id = $1 AND version = $2 RETURNING id
  )
  INSERT INTO saga_steps (saga_id, id, step, status, instance, attempts, at, why)
  SELECT id, $8, $9, $10, coalesce($11, ${CURRENT_HOST_SQL}), $12, now(), $13 FROM moved`;

export interface Moved {
  readonly to: Place;
  readonly leaseMs: number;
  readonly deadlineMs: number;
  /** The answer to what is asked next comes by itself. */
  readonly awaits: boolean;
  readonly reply: Reply;
}

/** The row as it is after the move; undefined when somebody else moved it first. */
export async function moveOn<D>(sql: Sql, row: Row<D>, moved: Moved): Promise<Row<D> | undefined> {
  const { to, leaseMs, deadlineMs, awaits, reply } = moved;
  const refused = reply.outcome === 'refused';
  const ending = refused && row.path === 'forward' ? (reply.why ?? null) : null;
  const values = [row.id, row.version, to.path, to.step, ending, leaseMs, deadlineMs];
  const note = [v7(), row.step, refused ? 'failed' : 'done', reply.where, reply.attempts ?? row.attempts];
  const { rowCount } = await sql.query(MOVE, [...values, ...note, reply.why ?? null, awaits]);
  if (rowCount === 0) return undefined;
  return { ...row, ...to, ending: row.ending ?? ending, attempts: 1, version: row.version + 1 };
}

/** The row for one transaction, whoever works on it; undefined when there is none. */
export async function lock<D>(sql: Sql, id: string): Promise<Row<D> | undefined> {
  const { rows } = await sql.query(`SELECT ${COLUMNS} FROM sagas WHERE id = $1 FOR UPDATE`, [id]);
  return rows[0] as Row<D> | undefined;
}

/** Sends it another way, due now: whoever worked on it has lost it. */
export async function redirect(
  sql: Sql,
  { id }: Row,
  to: Place,
  ending: string | null,
  deadlineMs: number,
): Promise<void> {
  await sql.query(
    `UPDATE sagas SET path = $2, step = $3, ending = coalesce($4, ending), attempts = 0, awaits = false,
       version = version + 1, trouble = NULL, updated_at = now(), due_at = now(), deadline_at = ${inMs('$5')}
     WHERE id = $1`,
    [id, to.path, to.step, ending, deadlineMs],
  );
}
