// The rows of replays that are announced: which modules may say of a call that it is part of one, and until when. An
// announcement ends by itself. Who announces, and why, is replay-announcement.ts.
import type { Sql } from '../store/store.ts';
import type { Change } from './change.ts';

export interface Replays {
  /** Of the modules that a listener of `module` may cause to be asked, those that ask others in turn, and whom. */
  asking(module: string): Promise<readonly { readonly name: string; readonly uses: readonly string[] }[]>;
  /** They may say so for two minutes. Answers the version; none is taken where they may for a minute anyway. */
  announce(modules: readonly string[]): Promise<number>;
}

export function createReplays(sql: Sql, change: Change): Replays {
  return {
    asking: async (module) => {
      const { rows } = await sql.query<{ name: string; uses: string[] }>(
        `WITH RECURSIVE asked (name) AS (
           SELECT unnest(uses) FROM module WHERE name = $1
           UNION SELECT unnest(uses) FROM module JOIN asked USING (name)
         ) SELECT name, uses FROM module JOIN asked USING (name) WHERE uses <> '{}' ORDER BY name`,
        [module],
      );
      return rows;
    },

    announce: (modules) =>
      change(async (tx) => {
        await tx.query('DELETE FROM replay WHERE until < now()');
        const { rowCount } = await tx.query(
          `INSERT INTO replay AS r (module, until) SELECT unnest($1::text[]), now() + interval '2 min'
           ON CONFLICT (module) DO UPDATE SET until = excluded.until WHERE r.until < now() + interval '1 min'`,
          [modules],
        );
        return rowCount > 0;
      }),
  };
}
