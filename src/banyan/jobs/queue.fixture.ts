// A table of errands on a real server, as a module might have one: for tests of jobs.
import pg from 'pg';
import { throwawayServer } from '../postgres/testing.ts';
import type { Sql } from '../store/store.ts';
import type { JobTable } from './queue.ts';

export interface Errand {
  readonly id: string;
  readonly what: string;
  /** How long the name of it is: something that only SQL says. */
  readonly letters: number;
}

export const errands: JobTable<Errand> = {
  name: 'errands',
  columns: { id: 'id', state: 'stage', due: 'when_due', attempts: 'tries', cause: 'cause' },
  reads: ['what', '(SELECT length(errands.what)) AS letters'],
  jobOf: ({ id, what, letters }) => ({ id, what, letters }),
};

/** The same, where a version says whose lease it is. */
export const versioned: JobTable<Errand> = {
  ...errands,
  columns: { ...errands.columns, version: 'version', postponedAt: 'put_off_at' },
};

export type Errands = Awaited<ReturnType<typeof errandsAlone>>;

export async function errandsAlone() {
  const server = await throwawayServer();
  const url = await server.database();
  const pool = new pg.Pool({ connectionString: url, max: 8 });
  // The server ends before the last of its sessions.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  await pool.query(`
    CREATE TABLE errands (
      id text PRIMARY KEY, what text NOT NULL, stage text NOT NULL DEFAULT 'open', when_due timestamptz(3),
      tries integer NOT NULL DEFAULT 0, cause json, trouble text,
      version integer NOT NULL DEFAULT 0, put_off_at timestamptz
    );
    CREATE INDEX ON errands (when_due)`);
  const sql: Sql = {
    async query(text, values) {
      const { rows, rowCount } = await pool.query(text, values as unknown[]);
      return { rows, rowCount: rowCount ?? 0 };
    },
  };

  return {
    url,
    pool,
    store: { sql, asyncCommit: sql },

    /** Writes errands that have been due for so many milliseconds. */
    async write(ids: readonly string[], dueForMs = 0) {
      await pool.query(
        `INSERT INTO errands (id, what, when_due)
         SELECT id, 'buy ' || id, now() - ($2 + 1) * interval '1 ms' FROM unnest($1::text[]) id`,
        [ids, dueForMs],
      );
    },

    /** As if every lease had run out, a moment ago: the column rounds to milliseconds, also upwards. */
    expireLeases: () =>
      pool.query(`UPDATE errands SET when_due = now() - interval '1 ms' WHERE when_due IS NOT NULL`),

    /** `dueInMs`: null when nothing is to be done. */
    async row(id: string) {
      const { rows } = await pool.query(
        `SELECT stage, tries, trouble, extract(epoch FROM when_due - now())::float8 * 1000 AS "dueInMs"
         FROM errands WHERE id = $1`,
        [id],
      );
      return rows[0] as { stage: string; tries: number; trouble: string | null; dueInMs: number | null };
    },

    /** Records the end, as a module does. */
    finish: (id: string) =>
      pool.query(`UPDATE errands SET stage = 'done', when_due = NULL WHERE id = $1`, [id]),

    clear: () => pool.query('TRUNCATE errands'),

    async close() {
      await pool.end();
      await server.stop();
    },
  };
}
