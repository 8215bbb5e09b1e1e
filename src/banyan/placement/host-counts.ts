// How many hosts of each kind there are, or are wanted, in one look: for what has to be there before one more starts.
import type { Sql } from '../store/store.ts';
import { SILENT_SQL } from './schema.ts';

export interface HostCounts {
  readonly monoliths: number;
  readonly gateways: number;
  /** Services by module that monoliths keep: those that live, or those that are wanted, whichever are more. */
  readonly services: Readonly<Record<string, number>>;
  /** The others that live, by module: whoever has a key may register some. */
  readonly elsewhere: Readonly<Record<string, number>>;
}

/** @param sql of a role that may read the control tables. */
export async function countHosts(sql: Pick<Sql, 'query'>): Promise<HostCounts> {
  const { rows } = await sql.query<HostCounts>(`
    WITH there AS (
      SELECT role, modules, EXISTS (
        SELECT FROM banyan_control.service s WHERE host.id = s.module || '-' || s.number AND s.wanted
      ) AS kept
      FROM banyan_control.host WHERE live AND NOT ${SILENT_SQL}
    )
    SELECT
      (SELECT count(*)::int FROM there WHERE role = 'monolith') AS monoliths,
      (SELECT count(*)::int FROM there WHERE role = 'gateway') AS gateways,
      (SELECT coalesce(json_object_agg(module, n), '{}') FROM (
        SELECT module, max(n) AS n FROM (
          SELECT m AS module, count(*) AS n FROM there, unnest(modules) AS m WHERE role = 'service' AND kept GROUP BY m
          UNION ALL SELECT module, count(*) FROM banyan_control.service WHERE wanted GROUP BY module
        ) kinds GROUP BY module
      ) counted) AS services,
      (SELECT coalesce(json_object_agg(module, n), '{}') FROM (
        SELECT m AS module, count(*) AS n FROM there, unnest(modules) AS m WHERE role = 'service' AND NOT kept GROUP BY m
      ) others) AS elsewhere`);
  return rows[0]!;
}
