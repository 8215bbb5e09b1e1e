// The tables of a store that are followed, and whether two servers have the same ones. Prisma's own table of migrations is
// not among them: each server's provisioning writes its own.
import pg from 'pg';
import type { Between, Moving } from './moving.ts';

export interface FollowedTable {
  readonly oid: number;
  readonly name: string;
  /** By name, with their types. */
  readonly columns: readonly string[];
  readonly identity: boolean;
  /** About so many. */
  readonly rows: number;
}

export async function followedTables(client: pg.Client, { schema }: Moving): Promise<FollowedTable[]> {
  const { rows } = await client.query<FollowedTable>(
    `SELECT c.oid::int8::float8 AS oid, c.relname AS name,
       ARRAY(SELECT format('%I %s', attname, format_type(atttypid, atttypmod)) FROM pg_attribute
             WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attname COLLATE "C") AS columns,
       c.relreplident IN ('f', 'i') OR EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary) AS identity,
       greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)::float8 AS rows
     FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
     WHERE s.nspname = $1 AND c.relkind = 'r' AND c.relname <> '_prisma_migrations'
     ORDER BY c.relname COLLATE "C"`,
    [schema],
  );
  return rows;
}

export function tableName({ schema }: Moving, name: string): string {
  return `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
}

/** Throws where a change of a table could not be followed, or could not be written at the other server. */
export function refuseUnlike(
  { source, target, moving }: Between,
  here: readonly FollowedTable[],
  there: readonly FollowedTable[],
): void {
  const at = new Map(there.map(({ name, columns }) => [name, columns.join()]));
  const unlike = here.filter(({ name, columns }) => at.get(name) !== columns.join()).map(({ name }) => name);
  const more = there.filter(({ name }) => !here.some((one) => one.name === name)).map(({ name }) => name);
  if (unlike.length + more.length > 0)
    throw new Error(
      `the tables of ${moving.module} are not the same on ${source.name} and ${target.name}: ${[...unlike, ...more].join(', ')}. Both need the same migrations: start a host of the present version, and move again`,
    );
  const bare = here.filter(({ identity }) => !identity).map(({ name }) => name);
  if (bare.length > 0)
    throw new Error(
      `${moving.module} has tables without a primary key, whose changes cannot be followed: ${bare.join(', ')}. Give each one`,
    );
}
