// Whether a module's event tables are where they were when the log was last held against them. Another server or another
// timeline of it means that commits may be missing here of which the log knows: the database was restored to a point in
// time, a replica took over, or the store moved. A copy of files (a snapshot of the disk) that was put back has neither;
// of that a person has to tell. It must not know what is done about it.
import type { Pool } from 'pg';

export interface Home {
  readonly system: string;
  readonly timeline: string;
}

/** `first`: nobody ever noted it. `unknown`: the server does not say where it is. `full`: the module's role has no connection left. */
export type AtHome = 'same' | 'first' | 'other' | 'unknown' | 'full';

const NOW = `(SELECT system_identifier::text AS system, left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline FROM pg_control_system())`;

/** Too many connections: of one module's role, and no reason for the others not to start. */
const TOO_MANY = '53300';

/** Insufficient privilege, no such function, not supported: a managed server may say so. */
const UNSAID = ['42501', '42883', '0A000'];

export async function atHome(pool: Pool, schema: string): Promise<AtHome> {
  try {
    const { rows } = await pool.query<{ at: AtHome }>(
      `SELECT CASE WHEN h.system IS NULL THEN 'first'
         WHEN (h.system, h.timeline) = (n.system, n.timeline) THEN 'same' ELSE 'other' END AS at
       FROM ${NOW} n LEFT JOIN ${schema}.event_home h ON true`,
    );
    return rows[0]!.at;
  } catch (error) {
    const { code = '' } = error as { code?: string };
    if (code === TOO_MANY) return 'full';
    if (UNSAID.includes(code)) return 'unknown';
    throw error;
  }
}

/** From now on this is where they are. */
export async function settleIn(pool: Pool, schema: string): Promise<void> {
  await pool.query(
    `INSERT INTO ${schema}.event_home AS h (system, timeline) SELECT system, timeline FROM ${NOW} n
     ON CONFLICT (one) DO UPDATE SET system = excluded.system, timeline = excluded.timeline, noted_at = clock_timestamp()`,
  );
}
