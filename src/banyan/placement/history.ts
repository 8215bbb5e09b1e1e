// Every change of a placement, and why: who asked for it (an operator, or the judge of evidence), in which words, on
// which numbers. Guarantees: a change and its row are one transaction; rows are never changed but for what failed while that flip
// was under way, which is known later; those of versions before are read like the others. It decides nothing.
import type { Mirror, Placement } from '../routing/snapshot.ts';
import type { Sql } from '../store/store.ts';
import type { Placed } from './wish.ts';

/** A person or script with a token; or what moves modules by evidence. */
export type Actor = 'operator' | 'judge';

export interface Who {
  readonly actor: Actor;
  readonly by: string;
  /** In words. */
  readonly reason?: string | undefined;
  /** What it was decided on. */
  readonly evidence?: Readonly<Record<string, unknown>> | undefined;
}

export interface HistoryRow {
  /** The one with which the change took effect; with the module it names the row. */
  readonly version: number;
  readonly module: string;
  readonly at: string;
  /** Null: the first placement that was stored. */
  readonly from: Placement | null;
  readonly to: Placement;
  readonly percent: number;
  /** Null: nothing was mirrored. */
  readonly mirror: Mirror | null;
  readonly actor: Actor;
  readonly by: string;
  readonly reason: string | null;
  readonly evidence: Readonly<Record<string, unknown>> | null;
  /** Requests of the module that failed until the flip was over; null: nobody counted. */
  readonly failed: number | null;
}

/** What a flip came to. */
export interface CountedFlip extends Pick<Placed, 'placement' | 'percent'> {
  readonly module: string;
  /** When the placement changed, as hosts read it: in whole milliseconds. */
  readonly changedAt: string;
  readonly failed: number;
}

export interface HistoryQuery {
  /** Absent: of all modules. */
  readonly module?: string | undefined;
  readonly limit: number;
  /** Those behind this one. */
  readonly after?: Pick<HistoryRow, 'version' | 'module'> | undefined;
}

export interface History {
  /** Newest first; of one version by module. */
  history(query: HistoryQuery): Promise<HistoryRow[]>;
  /** When it was made, if there is such a row. */
  changedAt(of: Pick<HistoryRow, 'version' | 'module'>): Promise<string | undefined>;
  /** Keeps it with the change. Of several hosts that counted, the one that saw most is right. */
  keepCount(flip: CountedFlip): Promise<void>;
}

const AT = `to_char(changed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

export function createHistory(sql: Sql): History {
  return {
    history: async ({ module, limit, after }) => {
      const { rows } = await sql.query<HistoryRow>(
        `SELECT version::float8 AS version, module, from_placement AS "from", to_placement AS "to", percent, mirror, actor,
           changed_by AS "by", reason, evidence, failed::float8 AS failed, ${AT} AS "at"
         FROM placement_audit a
         WHERE ($1::text IS NULL OR module = $1) AND ($2::bigint IS NULL OR (-a.version, module) > (-$2::bigint, $3::text))
         ORDER BY a.version DESC, module LIMIT $4`,
        [module ?? null, after?.version ?? null, after?.module ?? null, limit],
      );
      return rows;
    },

    changedAt: async ({ version, module }) => {
      const { rows } = await sql.query<{ at: string }>(
        `SELECT ${AT} AS at FROM placement_audit WHERE version = $1 AND module = $2`,
        [version, module],
      );
      return rows[0]?.at;
    },

    keepCount: async ({ module, placement, percent, changedAt, failed }) => {
      // The row of a change is written right after its placement; what comes later of the same module are notes, or further flips.
      await sql.query(
        `UPDATE placement_audit SET failed = greatest(failed, $5) WHERE (version, module) = (
           SELECT version, module FROM placement_audit
           WHERE module = $1 AND to_placement = $2 AND percent = $3 AND changed_at >= $4 ORDER BY version LIMIT 1)`,
        [module, placement, percent, changedAt, failed],
      );
    },
  };
}

export async function writeHistory(
  tx: Sql,
  version: number,
  module: string,
  from: Placement | null,
  { placement, percent, mirror }: Placed,
  { actor, by, reason, evidence }: Who,
): Promise<void> {
  await tx.query(
    `INSERT INTO placement_audit
       (version, module, from_placement, to_placement, percent, changed_by, changed_at, actor, reason, evidence, mirror)
     VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(), $7, $8, $9, $10)`,
    [
      version,
      module,
      from,
      placement,
      percent,
      by,
      actor,
      reason ?? null,
      evidence ? JSON.stringify(evidence) : null,
      mirror ? JSON.stringify(mirror) : null,
    ],
  );
}

/** What changed no placement, and belongs to how it came to be: a row that says where the module stays. */
export async function writeNote(tx: Sql, version: number, module: string, who: Who): Promise<void> {
  const { rows } = await tx.query<Placed>('SELECT placement, percent FROM placement WHERE module = $1', [
    module,
  ]);
  const stays = rows[0];
  if (stays) await writeHistory(tx, version, module, stays.placement, stays, who);
}
