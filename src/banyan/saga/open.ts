// The sagas that are not over: where each stands, since when, and until when it has time. Of a driven one its row
// says so. A watched one has no row: its notes and the table of steps say so. It stands after the latest step
// that is noted as done. Past its deadline a saga is stuck. The statements are made from the table: no name of
// a step is written here.
import type { Sql } from '../store/store.ts';
import type { Path, Saga } from './definition.ts';

/** stuck: past its deadline. waiting: it was asked and answers by itself, or pauses after a failure. */
export type OpenState = 'running' | 'waiting' | 'compensating' | 'stuck';

export interface OpenSaga {
  readonly id: string;
  /** By a coordinator; else it is only watched. */
  readonly driven: boolean;
  readonly state: OpenState;
  readonly path: Path;
  readonly step: string;
  readonly attempts: number;
  readonly since: Date;
  readonly deadline: Date;
  /** What went wrong with this step last. */
  readonly trouble: string | null;
}

export interface Counted {
  readonly driven: boolean;
  readonly step: string;
  readonly state: OpenState;
  readonly count: number;
  /** How long the oldest of them has stood there. */
  readonly oldestSeconds: number;
}

export interface OpenQuery {
  readonly state?: OpenState | undefined;
  readonly step?: string | undefined;
  /** Stands there since before. */
  readonly before?: Date | undefined;
  readonly after?: Pick<OpenSaga, 'state' | 'since' | 'id'> | undefined;
  readonly limit: number;
}

type Rows<T> = T & Record<string, unknown>;

export class OpenSagas {
  readonly #one: string;
  readonly #stuck: string;
  readonly #count: string;
  readonly #list: string;

  constructor(saga: Saga<never>) {
    const open = (where: string) => `
      SELECT id, driven, path, step, attempts, since, deadline, trouble, CASE
        WHEN deadline < now() THEN 'stuck' WHEN path = 'undo' THEN 'compensating' WHEN waits THEN 'waiting' ELSE 'running'
      END AS state
      FROM (${[driven(where), ...watched(saga, where)].join('UNION ALL')}) open`;
    this.#one = open('id = $1');
    this.#stuck = `SELECT * FROM (${open('true')}) open WHERE state = 'stuck' ORDER BY since LIMIT $1`;
    // Those that are stuck come first, each kind by its age.
    const place = `(CASE state WHEN 'stuck' THEN 0 ELSE 1 END, date_trunc('milliseconds', since), id)`;
    this.#list = `SELECT * FROM (${open('true')}) open
      WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR step = $2) AND ($3::timestamptz IS NULL OR since < $3)
        AND ($4::int IS NULL OR ${place} > ($4, $5::timestamptz, $6::uuid))
      ORDER BY CASE state WHEN 'stuck' THEN 0 ELSE 1 END, date_trunc('milliseconds', since), id LIMIT $7`;
    this.#count = `
      SELECT driven, step, state, count(*)::int AS count,
        greatest(0, extract(epoch FROM now() - min(since)))::float8 AS "oldestSeconds"
      FROM (${open('true')}) open
      GROUP BY driven, step, state ORDER BY driven, step, state`;
  }

  async one(sql: Sql, id: string): Promise<OpenSaga | undefined> {
    return (await sql.query<Rows<OpenSaga>>(this.#one, [id])).rows[0];
  }

  /** The oldest first, at most so many. */
  async stuck(sql: Sql, limit: number): Promise<OpenSaga[]> {
    return (await sql.query<Rows<OpenSaga>>(this.#stuck, [limit])).rows;
  }

  /** Those that fit, the stuck ones first, those after `after`. */
  async list(sql: Sql, { state, step, before, after, limit }: OpenQuery): Promise<OpenSaga[]> {
    const place = after ? [after.state === 'stuck' ? 0 : 1, after.since, after.id] : [null, null, null];
    const values = [state ?? null, step ?? null, before ?? null, ...place, limit];
    return (await sql.query<Rows<OpenSaga>>(this.#list, values)).rows;
  }

  async count(sql: Sql): Promise<Counted[]> {
    return (await sql.query<Rows<Counted>>(this.#count)).rows;
  }
}

const driven = (where: string) => `
  SELECT id, true AS driven, path, step, attempts, updated_at AS since, deadline_at AS deadline, trouble,
    awaits OR due_at > now() AND trouble IS NOT NULL AS waits
  FROM sagas WHERE path <> 'done' AND ${where}
  `;

function watched({ steps, watched: table }: Saga<never>, where: string): string[] {
  if (!table) return [];
  const upToPivot = steps.slice(0, steps.findIndex(({ pivot }) => pivot) + 1);
  const pairs = upToPivot.flatMap(({ name }, index) => {
    const next = upToPivot[index + 1];
    return next ? [`WHEN '${name}' = ANY (done) THEN '${next.name}' `] : [];
  });
  // The latest that is known decides: notes of two modules may come in either order.
  const forward = `CASE ${pairs.reverse().join('')}ELSE '${upToPivot[0]!.name}' END`;
  const undone = steps.flatMap(({ name, undo }) =>
    undo ? [`WHEN '${name}' = ANY (done) AND '${undo.name}' <> ALL (heard) THEN '${undo.name}' `] : [],
  );
  const back = undone.length > 0 ? `CASE ${undone.join('')}END` : 'NULL';
  const at = (path: Path, from: string, step: string, since: string) => `
    SELECT id, false, '${path}', step, 1, since, since + ${table.deadlineMs} * interval '1 millisecond', NULL, true
    FROM (
      SELECT one.id, ${step} AS step, ${since} AS since FROM (SELECT * FROM (${from}) every WHERE ${where}) one
      CROSS JOIN LATERAL (
        SELECT max(at) AS last_at, coalesce(array_agg(step), '{}') AS heard,
          coalesce(array_agg(step) FILTER (WHERE status = 'done'), '{}') AS done
        FROM saga_steps WHERE saga_id = one.id
      ) notes
    ) standing WHERE step IS NOT NULL
    `;
  return [
    at('forward', table.undecided, forward, 'coalesce(last_at, one.since)'),
    at('undo', table.endedOtherwise, back, 'one.since'),
  ];
}
