// What happened to one saga, each step after what caused it. Clocks of two hosts may differ: where notes say what
// caused them, that decides about their order, and only else the time.
import type { Sql } from '../store/store.ts';

export interface Note {
  readonly step: string;
  readonly status: 'done' | 'failed';
  /** The host that did it. */
  readonly where: string | null;
  readonly attempts: number;
  readonly at: string;
  readonly why: string | null;
}

export interface Beginning {
  readonly trace: string | null;
  readonly begunBy: string | null;
}

interface Row extends Record<string, unknown> {
  id: string;
  step: string;
  status: 'done' | 'failed';
  instance: string | null;
  attempts: number;
  at: Date;
  why: string | null;
  causation_id: string | null;
}

/** `handovers`: from what is noted when handed-over work is done, to the step that handed it over. */
export async function notesOf(sql: Sql, id: string, handovers: ReadonlyMap<string, string>): Promise<Note[]> {
  const { rows } = await sql.query<Row>(
    `SELECT id, step, status, instance, attempts, at, why, causation_id FROM saga_steps
     WHERE saga_id = $1 ORDER BY at, id`,
    [id],
  );
  return causally(rows, handovers).map(({ step, status, instance: where, attempts, at, why }) => {
    return { step, status, where, attempts, at: at.toISOString(), why };
  });
}

/** The trace in which a driven saga began, and the event that tells of the beginning of any. */
export async function beginningOf(sql: Sql, id: string): Promise<Beginning> {
  const { rows } = await sql.query<{ trace: string | null; begun_by: string | null }>(
    `SELECT (SELECT cause ->> 'traceparent' FROM sagas WHERE id = $1) AS trace,
       (SELECT id FROM saga_steps WHERE saga_id = $1 ORDER BY at, id LIMIT 1) AS begun_by`,
    [id],
  );
  return { trace: rows[0]!.trace, begunBy: rows[0]!.begun_by };
}

/** Each after its cause, else by time. Handed-over work may be done before the coordinator notes that it handed it over. */
function causally(rows: readonly Row[], handovers: ReadonlyMap<string, string>): Row[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const handedOverAt = (step: string) => {
    const by = handovers.get(step);
    return by === undefined ? undefined : rows.find((row) => row.step === by);
  };
  const placed = new Set<string>();
  const order: Row[] = [];
  const place = (row: Row) => {
    if (placed.has(row.id)) return;
    placed.add(row.id);
    const cause = handedOverAt(row.step) ?? byId.get(row.causation_id ?? '');
    if (cause) place(cause);
    order.push(row);
  };
  for (const row of rows) place(row);
  return order;
}
