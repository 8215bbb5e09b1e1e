// Ladders as rows of the control store: what is read of them, and what their judge keeps. Guarantees: one host at a time judges
// a ladder, by a lease; who lost it writes nothing. How they move is moves.ts's, what is counted watch.ts's.
import type { Sql } from '../../store/store.ts';
import type { EvidenceRow } from '../judge/evidence.ts';
import type { Rung } from '../judge/rungs.ts';
import type { KeptSample } from '../shadow/sample-rows.ts';
import type { Climb } from './steps.ts';

export interface LadderRow {
  readonly module: string;
  readonly run: string;
  readonly climb: Climb;
  /** As whoever judges last stored it; null on a rung that was only just reached. */
  readonly counted: unknown;
  readonly watched: boolean;
  /** The version of its last placement. */
  readonly placed: number;
  readonly judge: string | null;
  readonly startedBy: string;
  readonly startedAt: string;
  /** Milliseconds since the epoch, by the database's clock. */
  readonly now: number;
}

const LEASE = `interval '3 s'`;
/** As long as a supervisor waits for one, on a busy machine. */
const A_START = `interval '30 s'`;

const utc = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const COLUMNS = `module, run, climb, counted, watched, placed::float8 AS placed, judge, started_by AS "startedBy",
  ${utc('started_at')} AS "startedAt", (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`;

export interface LadderRows {
  read(module: string): Promise<LadderRow | undefined>;
  evidence(module: string): Promise<EvidenceRow[]>;
  /** The newest first. */
  samples(module: string): Promise<KeptSample[]>;
  /** Every module that ever had one, and how its last one is. */
  states(): Promise<{ readonly module: string; readonly state: Climb['state'] }[]>;
  /** The last ladder of every module that ever had one, in short. */
  last(): Promise<
    {
      readonly module: string;
      readonly state: Climb['state'];
      readonly rung: Rung;
      readonly reason: string;
    }[]
  >;
  /** Takes the watched ladders that nobody judges, and keeps one's own: those that this host judges for 3 s from now. */
  claim(judge: string): Promise<LadderRow[]>;
  /** How many are watched, by anybody. */
  watched(): Promise<number>;
  /** What the judge counted and thinks. Nothing is written by one who lost the lease, nor of a ladder that has gone on since. */
  keep(row: LadderRow, counted: unknown, evidence: readonly EvidenceRow[], reason: string): Promise<void>;
  /** Processes of its service that ended without a drain, or fell silent, since then, in words. */
  endedSince(module: string, ms: number): Promise<string[]>;
  /** A supervisor ended a process of its service on purpose, so lately that the one after it may still be starting. */
  isSucceeded(module: string): Promise<boolean>;
  /** A judge that stops gives back what it has. */
  release(judge: string): Promise<void>;
}

/** @param on also a transaction. */
export async function readLadder(on: Sql, module: string): Promise<LadderRow | undefined> {
  return (await on.query<LadderRow>(`SELECT ${COLUMNS} FROM ladder WHERE module = $1`, [module])).rows[0];
}

export function createRows(sql: Sql): LadderRows {
  return {
    read: (module) => readLadder(sql, module),

    evidence: (module) => readEvidence(sql, module),

    samples: async (module) =>
      (
        await sql.query<KeptSample>(
          `SELECT operation, ${utc('at')} AS at, why, near, far FROM ladder_sample
           WHERE module = $1 AND at > now() - interval '7 days' ORDER BY ladder_sample.at DESC, id DESC LIMIT 1000`,
          [module],
        )
      ).rows,

    states: async () =>
      (
        await sql.query<{ module: string; state: Climb['state'] }>(
          `SELECT module, climb ->> 'state' AS state FROM ladder ORDER BY module`,
        )
      ).rows,

    last: async () =>
      (
        await sql.query<{ module: string; state: Climb['state']; rung: Rung; reason: string }>(
          `SELECT module, climb ->> 'state' AS state, climb ->> 'rung' AS rung, climb ->> 'reason' AS reason FROM ladder`,
        )
      ).rows,

    claim: async (judge) =>
      (
        await sql.query<LadderRow>(
          `UPDATE ladder SET judge = $1, judge_until = clock_timestamp() + ${LEASE}
           WHERE watched AND (judge = $1 OR judge IS NULL OR judge_until < clock_timestamp()) RETURNING ${COLUMNS}`,
          [judge],
        )
      ).rows,

    watched: async () =>
      (await sql.query<{ n: number }>('SELECT count(*)::int AS n FROM ladder WHERE watched')).rows[0]!.n,

    keep: (row, counted, evidence, reason) => keep(sql, row, counted, evidence, reason),

    endedSince: async (module, ms) =>
      (
        await sql.query<{ id: string; at: string; silent: boolean }>(
          `SELECT id, silent, to_char(at AT TIME ZONE 'UTC', 'HH24:MI:SS') AS at FROM ended
           WHERE $1 = ANY (modules) AND ended.at > to_timestamp($2::float8 / 1000) ORDER BY ended.at LIMIT 5`,
          [module, ms],
        )
      ).rows.map(({ id, at, silent }) =>
        silent ? `${id} was not heard of for 3 s at ${at} UTC` : `${id} ended at ${at} UTC without a drain`,
      ),

    isSucceeded: async (module) =>
      (
        await sql.query<{ succeeded: boolean }>(
          `SELECT EXISTS (
             SELECT FROM service s JOIN host ON host.id = s.module || '-' || s.number
             WHERE s.module = $1 AND s.wanted AND s.failures = 0 AND (
               host.retiring AND host.heartbeat_at > now() - ${A_START}
               OR host.live AND NOT host.ready AND NOT host.draining AND host.registered_at > now() - ${A_START})
           ) AS succeeded`,
          [module],
        )
      ).rows[0]!.succeeded,

    release: async (judge) => {
      await sql.query('UPDATE ladder SET judge = NULL, judge_until = now() WHERE judge = $1', [judge]);
    },
  };
}

async function keep(
  sql: Sql,
  { module, run, judge, climb: { rung, state } }: LadderRow,
  counted: unknown,
  evidence: readonly EvidenceRow[],
  reason: string,
): Promise<void> {
  await sql.query(
    `WITH mine AS (
       UPDATE ladder SET counted = $4, climb = jsonb_set(climb, '{reason}', to_jsonb($7::text))
       WHERE module = $1 AND run = $2 AND judge = $3 AND climb ->> 'rung' = $5 AND climb ->> 'state' = $8
       RETURNING module)
     INSERT INTO ladder_evidence (module, rung, metric, near_n, near_bad, far_n, far_bad, verdict)
     SELECT mine.module, e.* FROM mine, jsonb_to_recordset($6::jsonb)
       AS e(rung text, metric text, near_n bigint, near_bad bigint, far_n bigint, far_bad bigint, verdict text)
     ON CONFLICT (module, rung, metric) DO UPDATE SET near_n = excluded.near_n, near_bad = excluded.near_bad,
       far_n = excluded.far_n, far_bad = excluded.far_bad, verdict = excluded.verdict, at = now()`,
    [
      module,
      run,
      judge,
      JSON.stringify(counted),
      rung,
      JSON.stringify(
        evidence.map(({ rung: on, metric, near, far, verdict }) => ({
          rung: on,
          metric,
          near_n: Math.round(near.n),
          near_bad: Math.round(near.bad),
          far_n: Math.round(far.n),
          far_bad: Math.round(far.bad),
          verdict,
        })),
      ),
      reason,
      state,
    ],
  );
}

/** @param on also a transaction. */
export async function readEvidence(on: Sql, module: string): Promise<EvidenceRow[]> {
  const { rows } = await on.query<{
    rung: Rung;
    metric: EvidenceRow['metric'];
    verdict: EvidenceRow['verdict'];
    nearN: number;
    nearBad: number;
    farN: number;
    farBad: number;
  }>(
    `SELECT rung, metric, verdict, near_n::float8 AS "nearN", near_bad::float8 AS "nearBad", far_n::float8 AS "farN",
       far_bad::float8 AS "farBad" FROM ladder_evidence WHERE module = $1 ORDER BY at, metric`,
    [module],
  );
  return rows.map(({ rung, metric, verdict, nearN, nearBad, farN, farBad }) => ({
    rung,
    metric,
    near: { n: nearN, bad: nearBad },
    far: { n: farN, bad: farBad },
    verdict,
  }));
}
