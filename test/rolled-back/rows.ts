// What stands in a database and a folder at one moment, as one hash for each table and file: whatever has changed shows.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';

/** By table: how many rows, and a hash of all that is in them. */
export type State = ReadonlyMap<string, { readonly rows: number; readonly hash: string }>;

export async function stateOf(client: pg.Client): Promise<State> {
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
  );
  const each = tables.map(
    ({ name }) =>
      `SELECT '${name}' AS name, count(*)::int AS rows, coalesce(sum(hashtextextended(t::text, 0))::text, '') AS hash FROM ${name} t`,
  );
  const { rows } = await client.query<{ name: string; rows: number; hash: string }>(each.join(' UNION ALL '));
  return new Map(rows.map(({ name, ...one }) => [name, one]));
}

/** The tables that differ, each with how many rows it has more. */
export function changes(before: State, after: State): Record<string, number> {
  return Object.fromEntries(
    [...after].flatMap(([name, { rows, hash }]) => {
      const was = before.get(name);
      return was?.hash === hash ? [] : [[name, rows - (was?.rows ?? 0)]];
    }),
  );
}

/** Every file of a folder, with what is in it. */
export function filesOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path, createHash('sha256').update(readFileSync(path)).digest('hex')];
    }),
  );
}
