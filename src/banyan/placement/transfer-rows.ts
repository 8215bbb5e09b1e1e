// Transfers as rows of the control store. Guarantees: a module has one at a time; one host at a time does it; a step that was
// written is the one that is being done, and whoever takes it over begins with that one.
import type { Sql } from '../store/store.ts';

/** `starting` processes; the flip; `draining` until the old side has nothing under way and its processes are gone. */
export type TransferStep = 'starting' | 'flipping' | 'draining' | 'done' | 'failed';

/** As the operation of a ladder takes it; what is left out is its default. */
export interface TransferLadder {
  readonly steps?: (string | number)[] | undefined;
  readonly minSeconds?: number | undefined;
  readonly minRequests?: number | undefined;
  readonly confirm?: boolean | undefined;
}

export interface TransferWish {
  /** `shadow`: a process that is tried and answers nobody. `ladder`: up by steps, each on evidence. */
  readonly to: 'service' | 'in-process' | 'shadow' | 'ladder';
  /** In shadow. */
  readonly mirror?: { readonly reads?: number | undefined; readonly writes?: number | undefined } | undefined;
  readonly ladder?: TransferLadder | undefined;
  /** To the service: this share of the requests alone. */
  readonly percent?: number | undefined;
  /** To the service: so many processes. Absent: those that are wanted, at least one. */
  readonly instances?: number | undefined;
  readonly guard?: boolean | undefined;
  readonly timeoutMs: number;
}

export interface TransferRow {
  readonly module: string;
  readonly id: string;
  readonly wish: TransferWish;
  readonly step: TransferStep;
  readonly reason: string | null;
  readonly startedBy: string;
  readonly remark: string | null;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly changedAt: string;
}

export interface TransferRows {
  list(): Promise<TransferRow[]>;
  /** Undefined: the module has one that is not over. */
  begin(
    row: Pick<TransferRow, 'module' | 'id' | 'wish' | 'step' | 'startedBy' | 'remark'>,
  ): Promise<TransferRow | undefined>;
  /** One that nobody does, from now on this host's. */
  claim(host: string): Promise<TransferRow | undefined>;
  /** It is still this host's. False: somebody else has it. */
  renew(id: string, host: string): Promise<boolean>;
  move(id: string, host: string, step: TransferStep, reason: string | null): Promise<boolean>;
  release(host: string): Promise<void>;
}

/** So long a killed host's transfer waits. */
export const LEASE_MS = 6_000;

const at = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const COLUMNS = `module, id, wish, step, reason, started_by AS "startedBy", remark, ${at('started_at')} AS "startedAt",
  ${at('changed_at')} AS "changedAt"`;
const OPEN = `step NOT IN ('done', 'failed')`;
const LEASE = `now() + interval '${LEASE_MS} ms'`;

export function createTransferRows(sql: Sql): TransferRows {
  const first = async (text: string, values: readonly unknown[]) =>
    (await sql.query<TransferRow>(text, [...values])).rows[0];
  return {
    list: async () => (await sql.query<TransferRow>(`SELECT ${COLUMNS} FROM transfer ORDER BY module`)).rows,
    begin: ({ module, id, wish, step, startedBy, remark }) =>
      first(
        `INSERT INTO transfer AS t (module, id, wish, step, started_by, remark) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (module) DO UPDATE SET id = $2, wish = $3, step = $4, started_by = $5, remark = $6, reason = NULL,
           started_at = now(), changed_at = now(), holder = NULL, held_until = now()
         WHERE NOT (t.${OPEN}) RETURNING ${COLUMNS}`,
        [module, id, JSON.stringify(wish), step, startedBy, remark],
      ),
    claim: (host) =>
      first(
        `UPDATE transfer SET holder = $1, held_until = ${LEASE} WHERE module = (
           SELECT module FROM transfer WHERE ${OPEN} AND held_until <= now() ORDER BY started_at LIMIT 1 FOR UPDATE SKIP LOCKED
         ) RETURNING ${COLUMNS}`,
        [host],
      ),
    renew: async (id, host) =>
      (await sql.query(`UPDATE transfer SET held_until = ${LEASE} WHERE id = $1 AND holder = $2`, [id, host]))
        .rowCount > 0,
    move: async (id, host, step, reason) =>
      (
        await sql.query(
          `UPDATE transfer SET step = $3, reason = $4, changed_at = now(), held_until = ${LEASE} WHERE id = $1 AND holder = $2`,
          [id, host, step, reason],
        )
      ).rowCount > 0,
    release: async (host) => {
      await sql.query(`UPDATE transfer SET held_until = now() WHERE holder = $1 AND ${OPEN}`, [host]);
    },
  };
}
