// Tasks about stores as rows of the control store. Guarantees: one task of a module at a time; one monolith does it, by a
// lease, and who lost that writes nothing: neither a step nor a commit point. A lease that ran out is lost only when
// somebody else took it: until then whatever its coordinator writes renews it. What a task does is steps.ts's and coordinator.ts's.
import { randomUUID } from 'node:crypto';
import type { Change } from '../../placement/change.ts';
import type { Sql } from '../../store/store.ts';
import type { Compared, Copied, Finding } from './mechanics.ts';
import { begin, isOpen, type Step, type Task, type Walk } from './steps.ts';

/** What is known of a task beside its walk. */
export interface Found {
  readonly findings?: readonly Finding[];
  readonly rows?: Copied;
  readonly lag?: { readonly bytes: number | null; readonly ms: number | null };
  /** Why the last pause came to nothing, for scripts; null: it did not. */
  readonly code?: string | null;
  /** Of the last pause, in milliseconds. */
  readonly numbers?: Readonly<Record<string, number>>;
  readonly tables?: readonly Compared[];
  /** What was left behind, or would be lost; in words. */
  readonly notes?: readonly string[];
}

export interface MoveRow {
  readonly id: string;
  readonly module: string;
  readonly source: string;
  readonly target: string;
  readonly walk: Walk;
  readonly steps: readonly { readonly step: Step; readonly attempt: number; readonly at: string }[];
  readonly found: Found;
  readonly unwanted: boolean;
  readonly coordinator: string | null;
  /** Nobody does it, or its coordinator has not said so in time. */
  readonly free: boolean;
  readonly startedBy: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Milliseconds since the epoch, by the database's clock. */
  readonly now: number;
}

/** It is for this one no more: another took it when nothing was heard of this one, or this one gave it back. */
export class LostLease extends Error {
  constructor(module: string) {
    super(`what is done to the store of ${module} is no longer for this monolith to do`);
    this.name = 'LostLease';
  }
}

export const LEASE_MS = 3_000;
const LEASE = `interval '${LEASE_MS} ms'`;
/** Of each module; the last hundred are what a rehearsal of a hundred moves leaves. */
const KEPT = 200;

const utc = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const COLUMNS = `id, module, source, target, walk, steps, found, unwanted, coordinator,
  coordinator IS NULL OR coordinator_until < clock_timestamp() AS free, started_by AS "startedBy",
  ${utc('started_at')} AS "startedAt", ${utc('ended_at')} AS "endedAt",
  (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`;

export interface MoveRows {
  /** The present or last one of each module. */
  newest(): Promise<MoveRow[]>;
  /** Of one module, the newest first. */
  of(module: string, limit: number): Promise<MoveRow[]>;
  read(id: string): Promise<MoveRow | undefined>;
  open(): Promise<MoveRow[]>;
  /** Undefined: one is under way. */
  begin(wish: Wish): Promise<MoveRow | undefined>;
  /** Somebody wants it ended: whether there is one that is under way. */
  unwant(module: string): Promise<boolean>;
  /** This one does it from now on, or again; undefined: another does. */
  claim(id: string, coordinator: string): Promise<MoveRow | undefined>;
  /** Renews it, too: whoever goes on by the answer has as long as a lease. */
  has(id: string, coordinator: string): Promise<boolean>;
  /** Says that it is still at these; answers those that it still has. */
  renew(
    ids: readonly string[],
    coordinator: string,
  ): Promise<{ readonly id: string; readonly unwanted: boolean }[]>;
  /** Throws LostLease. @param walk written together with what was found. */
  write(row: MoveRow, coordinator: string, walk: Walk, found: Found): Promise<void>;
  release(coordinator: string): Promise<void>;
}

export interface Wish {
  readonly module: string;
  readonly task: Task;
  readonly source: string;
  readonly target: string;
  /** A pair of these two stands. */
  readonly paired: boolean;
  readonly by: string;
}

export function createMoveRows(sql: Sql): MoveRows {
  const rows = async (text: string, values: readonly unknown[] = []) =>
    (await sql.query<MoveRow>(text, values)).rows;
  return {
    newest: () =>
      rows(`SELECT DISTINCT ON (module) ${COLUMNS} FROM store_move ORDER BY module, started_at DESC`),

    of: (module, limit) =>
      rows(
        `SELECT ${COLUMNS} FROM store_move WHERE module = $1 ORDER BY store_move.started_at DESC LIMIT $2`,
        [module, limit],
      ),

    read: async (id) => (await rows(`SELECT ${COLUMNS} FROM store_move WHERE id = $1`, [id]))[0],

    open: () => rows(`SELECT ${COLUMNS} FROM store_move WHERE open ORDER BY store_move.started_at`),

    begin: (wish) => insert(sql, wish),

    unwant: async (module) =>
      (await sql.query('UPDATE store_move SET unwanted = true WHERE module = $1 AND open', [module]))
        .rowCount > 0,

    claim: async (id, coordinator) =>
      (
        await rows(
          `UPDATE store_move SET coordinator = $2, coordinator_until = clock_timestamp() + ${LEASE}
           WHERE id = $1 AND open AND (coordinator IS NULL OR coordinator = $2 OR coordinator_until < clock_timestamp())
           RETURNING ${COLUMNS}`,
          [id, coordinator],
        )
      )[0],

    has: async (id, coordinator) =>
      (
        await sql.query(
          `UPDATE store_move SET coordinator_until = clock_timestamp() + ${LEASE}
           WHERE id = $1 AND open AND coordinator = $2`,
          [id, coordinator],
        )
      ).rowCount > 0,

    renew: async (ids, coordinator) =>
      (
        await sql.query<{ id: string; unwanted: boolean }>(
          `UPDATE store_move SET coordinator_until = clock_timestamp() + ${LEASE}
           WHERE id = ANY ($1) AND open AND coordinator = $2 RETURNING id, unwanted`,
          [ids, coordinator],
        )
      ).rows,

    write: (row, coordinator, walk, found) => write(sql, row, coordinator, walk, found),

    release: async (coordinator) => {
      await sql.query(
        'UPDATE store_move SET coordinator = NULL, coordinator_until = now() WHERE open AND coordinator = $1',
        [coordinator],
      );
    },
  };
}

async function insert(
  sql: Sql,
  { module, task, source, target, paired, by }: Wish,
): Promise<MoveRow | undefined> {
  const walk = begin(task, paired);
  const { rows } = await sql.query<MoveRow>(
    `WITH old AS (
       DELETE FROM store_move WHERE module = $2 AND NOT open
         AND id NOT IN (SELECT id FROM store_move WHERE module = $2 ORDER BY started_at DESC LIMIT ${KEPT}))
     INSERT INTO store_move (id, module, task, source, target, walk, steps, started_by)
     VALUES ($1, $2, $3, $4, $5, $6, jsonb_build_array(${stepNow('$6::jsonb')}), $7)
     ON CONFLICT (module) WHERE open DO NOTHING RETURNING ${COLUMNS}`,
    [randomUUID(), module, task, source, target, JSON.stringify(walk), by],
  );
  return rows[0];
}

const stepNow = (walk: string) =>
  `jsonb_build_object('step', ${walk} -> 'step', 'attempt', ${walk} -> 'attempt', 'at', ${utc('clock_timestamp()')})`;

/** @param on also a transaction: the commit point is one with the step that follows it. */
export async function write(
  on: Sql,
  row: MoveRow,
  coordinator: string,
  walk: Walk,
  found: Found,
): Promise<void> {
  const { rowCount } = await on.query(
    `UPDATE store_move SET coordinator_until = clock_timestamp() + ${LEASE}, walk = $3, found = found || $4, open = $5,
       ended_at = CASE WHEN $5 THEN NULL ELSE clock_timestamp() END,
       steps = CASE WHEN NOT $5 OR (walk -> 'step', walk -> 'attempt') = ($3::jsonb -> 'step', $3::jsonb -> 'attempt') THEN steps
         ELSE steps || ${stepNow('$3::jsonb')} END
     WHERE id = $1 AND open AND coordinator = $2`,
    [row.id, coordinator, JSON.stringify(walk), JSON.stringify(found), isOpen(walk)],
  );
  if (rowCount === 0) throw new LostLease(row.module);
}

/** Whoever lost the lease changes nothing that hosts go by. */
export async function whileItHas(
  change: Change,
  row: MoveRow,
  coordinator: string,
  work: (tx: Sql) => Promise<void>,
) {
  return change(async (tx) => {
    const { rowCount } = await tx.query(
      `UPDATE store_move SET coordinator_until = clock_timestamp() + ${LEASE}
       WHERE id = $1 AND open AND coordinator = $2`,
      [row.id, coordinator],
    );
    if (rowCount === 0) throw new LostLease(row.module);
    await work(tx);
    return true;
  });
}
