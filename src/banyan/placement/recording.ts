// Whether hosts keep traces: while somebody looks at them, and five minutes longer. Until when stands in the control store,
// and every host has it in its picture. Guarantees: asking again and again takes a version once a minute at most.
import type { Sql } from '../store/store.ts';
import type { Change } from './change.ts';

export interface Recording {
  /** From now on for five minutes. Answers the version in which that holds, and until when (milliseconds since the epoch). */
  ask(): Promise<{ readonly version: number; readonly until: number }>;
}

const UNTIL = '(extract(epoch FROM recording_until) * 1000)::float8 AS until';

export function createRecording(sql: Sql, change: Change): Recording {
  return {
    async ask() {
      const { rows } = await sql.query<{ version: string; until: number }>(
        `SELECT version, ${UNTIL} FROM state WHERE recording_until > now() + interval '4 min'`,
      );
      if (rows[0]) return { version: Number(rows[0].version), until: Math.round(rows[0].until) };
      let until = 0;
      const version = await change(async (tx) => {
        const { rows: set } = await tx.query<{ until: number }>(
          `UPDATE state SET recording_until = now() + interval '5 min',
             recording_since = CASE WHEN recording_until > now() THEN coalesce(recording_since, now()) ELSE now() END
           RETURNING ${UNTIL}`,
        );
        until = Math.round(set[0]!.until);
        return true;
      });
      return { version, until };
    },
  };
}
