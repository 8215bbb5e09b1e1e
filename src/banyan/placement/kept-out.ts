// The processes that were kept out of the registry because their contract breaks its callers: of each service name the last one,
// with the paths, so that whoever asks for that release is told why it is not there. One row for each name, so that nobody who
// has the key of a service fills a table by it.
import { audienceOf } from '../identity/internal-token.ts';
import type { Sql } from '../store/store.ts';
import type { Difference } from './compatibility.ts';
import type { Registration } from './host.ts';

export interface KeptOut {
  readonly id: string;
  readonly release: string;
  /** The first of those that break, their paths below the module's name. */
  readonly differences: readonly Difference[];
}

type Kept = Pick<Registration, 'id' | 'release'>;

export async function noteKeptOut(
  sql: Sql,
  { id, release = '' }: Kept,
  differences: readonly Difference[],
): Promise<void> {
  await sql.query(
    `INSERT INTO kept_out (name, id, release, differences) VALUES ($1, $2, $3, $4)
     ON CONFLICT (name) DO UPDATE SET id = $2, release = $3, differences = $4, at = now()`,
    [audienceOf(id), id, release, JSON.stringify(differences)],
  );
}

/** One of that name and release was let in. */
export async function forgetKeptOut(sql: Sql, { id, release = '' }: Kept): Promise<void> {
  await sql.query('DELETE FROM kept_out WHERE name = $1 AND release = $2', [audienceOf(id), release]);
}

/** Undefined: the last one that was kept out of that name is of another release. */
export async function keptOut(sql: Sql, name: string, release: string): Promise<KeptOut | undefined> {
  const { rows } = await sql.query<KeptOut>(
    'SELECT id, release, differences FROM kept_out WHERE name = $1 AND release = $2',
    [name, release],
  );
  return rows[0];
}
