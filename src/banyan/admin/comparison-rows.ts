// Comparisons as rows of the control store. Guarantees: no two run at once, whichever host they were asked of; one whose host
// is gone is over, and says so; the reports of the last twenty are kept.
import type { Sql } from '../store/store.ts';
import type { Asked, ComparisonState } from './comparisons-contract.ts';

export interface ComparisonRow {
  readonly id: string;
  readonly asked: Asked;
  readonly state: ComparisonState;
  readonly lines: readonly Line[];
  readonly unwanted: boolean;
  readonly host: string;
  readonly machine: string | null;
  readonly pid: number | null;
  readonly started: string | null;
  readonly startedBy: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly finding: string | null;
  readonly hasReport: boolean;
}

export interface Line {
  readonly at: string;
  readonly text: string;
}

export interface Ending {
  readonly state: Exclude<ComparisonState, 'running'>;
  readonly finding: string;
  readonly report?: Buffer;
  readonly page?: Buffer;
}

const KEPT = 20;
const LEASE = `interval '10 s'`;
const utc = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const COLUMNS = `id, asked, state, lines, unwanted, host, machine, pid, started, started_by AS "startedBy",
  ${utc('started_at')} AS "startedAt", ${utc('ended_at')} AS "endedAt", finding, report IS NOT NULL AS "hasReport"`;

export type ComparisonRows = ReturnType<typeof createComparisonRows>;

export function createComparisonRows(sql: Sql) {
  const rowsOf = async (text: string, values: unknown[]) =>
    (await sql.query<ComparisonRow>(text, values)).rows;
  return {
    list: () => rowsOf(`SELECT ${COLUMNS} FROM comparison ORDER BY started_at DESC LIMIT 100`, []),
    one: async (id: string) => (await rowsOf(`SELECT ${COLUMNS} FROM comparison WHERE id = $1`, [id]))[0],
    running: async () => (await rowsOf(`SELECT ${COLUMNS} FROM comparison WHERE state = 'running'`, []))[0],

    /** Undefined: another one runs. */
    begin: async (id: string, asked: Asked, host: string, by: string) =>
      (
        await rowsOf(
          `INSERT INTO comparison (id, asked, host, started_by, runner_until) VALUES ($1, $2, $3, $4, now() + ${LEASE})
           ON CONFLICT ((true)) WHERE state = 'running' DO NOTHING RETURNING ${COLUMNS}`,
          [id, JSON.stringify(asked), host, by],
        )
      )[0],

    /** It is looked after for some seconds more. Undefined: it is over. */
    keep: async (
      id: string,
      lines: readonly Line[],
      process: { readonly machine: string; readonly pid: number; readonly started: string } | undefined,
    ) =>
      (
        await rowsOf(
          `UPDATE comparison SET runner_until = now() + ${LEASE}, lines = $2, machine = $3, pid = $4, started = $5
           WHERE id = $1 AND state = 'running' RETURNING ${COLUMNS}`,
          [
            id,
            JSON.stringify(lines),
            process?.machine ?? null,
            process?.pid ?? null,
            process?.started ?? null,
          ],
        )
      )[0],

    unwant: async (id: string, by: string) =>
      (
        await rowsOf(
          `UPDATE comparison SET unwanted = true, cancelled_by = $2 WHERE id = $1 AND state = 'running' RETURNING ${COLUMNS}`,
          [id, by],
        )
      )[0],

    async end(id: string, lines: readonly Line[], { state, finding, report, page }: Ending) {
      await sql.query(
        `UPDATE comparison SET state = $2, finding = $3, lines = $4, report = $5, page = $6, ended_at = clock_timestamp()
         WHERE id = $1 AND state = 'running'`,
        [id, state, finding, JSON.stringify(lines), report ?? null, page ?? null],
      );
      await sql.query(
        `DELETE FROM comparison WHERE state <> 'running'
           AND id NOT IN (SELECT id FROM comparison ORDER BY started_at DESC LIMIT ${KEPT})`,
      );
    },

    /** Those that nobody looks after any more are over. Answers them, so that what is left of them can be ended. */
    bury: () =>
      rowsOf(
        `UPDATE comparison SET state = 'lost', ended_at = clock_timestamp(),
           finding = 'The host that ran it, ' || host || ', was gone before it was over. Nothing was measured.'
         WHERE state = 'running' AND runner_until < now() RETURNING ${COLUMNS}`,
        [],
      ),

    /** gzip; null: there is none. */
    report: async (id: string, which: 'report' | 'page') =>
      (
        await sql.query<{ bytes: Buffer | null }>(`SELECT ${which} AS bytes FROM comparison WHERE id = $1`, [
          id,
        ])
      ).rows[0]?.bytes ?? null,
  };
}
